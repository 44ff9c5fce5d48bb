"""The values that reconcilers make and plans are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Value = dict[str, Any]
Mapped = Mapping[str, Any]

# Nomad's words for why an allocation is stopped.
NOT_NEEDED = "alloc not needed due to job update"
UPDATING = "alloc is being updated due to job update"
MIGRATING = "alloc is being migrated"
RESCHEDULED = ""

_COUNTS = (
    "Canary", "DestructiveUpdate", "Disconnect", "Ignore", "InPlaceUpdate", "Migrate", "Place", "Preemptions",
    "Reconnect", "RescheduleLater", "RescheduleNow", "Stop",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """An allocation that is wanted. `previous` is what it replaces; `downgrade`: with the last stable version."""

    name: str
    group: Mapped
    canary: bool = False
    previous: Mapped | None = None
    reschedule: bool = False
    downgrade: bool = False
    node: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """An allocation that is no longer wanted, and why."""

    allocation: Mapped
    description: str


@dataclass(slots=True)
class Changes:
    """What is to become of a job's allocations and deployment. `deployment` is a new one, or None."""

    desired: dict[str, dict[str, int]] = field(default_factory=dict)
    place: list[Place] = field(default_factory=list)
    stop: list[Stop] = field(default_factory=list)
    in_place: list[Mapped] = field(default_factory=list)
    destructive: list[Mapped] = field(default_factory=list)
    later: list[tuple[Mapped, int]] = field(default_factory=list)
    deployment: Value | None = None
    deployment_updates: dict[str, tuple[str, str]] = field(default_factory=dict)

    def counts(self, group: str) -> dict[str, int]:
        """DesiredTGUpdates of a group, to be counted up."""
        return self.desired.setdefault(group, dict.fromkeys(_COUNTS, 0))


def new_deployment(job: Mapped, *, id_: str, now: int) -> Value:
    """A deployment of this version; its groups are added by who makes it."""
    return {
        "CreateIndex": 0,
        "CreateTime": now,
        "EvalPriority": job["Priority"],
        "ID": id_,
        "IsMultiregion": False,
        "JobCreateIndex": job["CreateIndex"],
        "JobID": job["ID"],
        "JobModifyIndex": job["ModifyIndex"],
        "JobSpecModifyIndex": job["JobModifyIndex"],
        "JobVersion": job["Version"],
        "ModifyIndex": 0,
        "ModifyTime": 0,
        "Namespace": job["Namespace"],
        "Status": "running",
        "StatusDescription": "Deployment is running",
        "TaskGroups": {},
    }


def new_group_state(group: Mapped) -> Value:
    """A group of a new deployment."""
    update = group["Update"] or {}
    return {
        "AutoPromote": update.get("AutoPromote", False),
        "AutoRevert": update.get("AutoRevert", False),
        "DesiredCanaries": 0,
        "DesiredTotal": 0,
        "HealthyAllocs": 0,
        "PlacedAllocs": 0,
        "PlacedCanaries": None,
        "ProgressDeadline": update.get("ProgressDeadline", 0),
        "Promoted": False,
        "RequireProgressBy": None,
        "UnhealthyAllocs": 0,
    }


def transition(allocation: Mapped, **wishes: bool) -> Value:
    """Its DesiredTransition with these wishes added."""
    names = ("ForceReschedule", "Migrate", "MigrateDisablePlacement", "NoShutdownDelay", "Reschedule")
    return {**dict.fromkeys(names), **(allocation.get("DesiredTransition") or {}), **wishes}


def rolls(group: Mapped) -> bool:
    """Whether the group is updated by deployments."""
    return group["Update"] is not None and group["Update"]["MaxParallel"] > 0


def describe(deployment: Value) -> None:
    """The description of a running deployment, by whether canaries wait."""
    waiting = [one for one in deployment["TaskGroups"].values() if one["DesiredCanaries"] and not one["Promoted"]]
    if not waiting:
        deployment["StatusDescription"] = "Deployment is running"
    elif all(one["AutoPromote"] for one in deployment["TaskGroups"].values() if one["DesiredCanaries"]):
        deployment["StatusDescription"] = "Deployment is running pending automatic promotion"
    else:
        deployment["StatusDescription"] = "Deployment is running but requires manual promotion"


def current_deployment(job: Mapped, latest: Mapped | None, changes: Changes) -> Mapped | None:
    """The deployment of this version of the job, None if there is none; one of an older version is cancelled."""
    if latest is None:
        return None
    active = latest["Status"] in ("running", "paused")
    if job["Stop"]:
        if active:
            changes.deployment_updates[latest["ID"]] = ("cancelled", "Cancelled because job is stopped")
        return None
    if latest["JobCreateIndex"] != job["CreateIndex"] or latest["JobVersion"] != job["Version"]:
        if active:
            changes.deployment_updates[latest["ID"]] = ("cancelled", "Cancelled due to newer version of job")
        return None
    return None if latest["Status"] == "successful" else latest
