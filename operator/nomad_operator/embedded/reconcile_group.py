"""What a service or batch job needs: pure, from the job, its allocations and its deployment.

Source: scheduler/reconciler/reconcile_cluster.go; its order of steps is kept, since the counts of a plan depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nomad_operator.embedded import rescheduling
from nomad_operator.embedded.change import Change, group_change
from nomad_operator.embedded.derived import client_terminal
from nomad_operator.embedded.names import Names, by_index
from nomad_operator.embedded.plan_parts import (
    MIGRATING,
    NOT_NEEDED,
    RESCHEDULED,
    Changes,
    Mapped,
    Place,
    Stop,
    Value,
    current_deployment,
    describe,
    new_deployment,
    new_group_state,
    rolls,
)
from nomad_operator.embedded.state import group_of
from nomad_operator.embedded.task_states import finished_at

# A rescheduling that is due within this is done at once.
_WINDOW = 1_000_000_000

Allocations = dict[str, Mapped]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is reconciled. `deployment` is the job's latest; `new_id` makes an id for a deployment.

    `may_stay` says whether an allocation's node is still one that the group may have.
    """

    job: Mapped
    allocations: Mapping[str, Mapped]
    deployment: Mapped | None
    evaluation: str
    now: int
    new_id: Callable[[], str]
    may_stay: Callable[[Mapped, Mapped], bool]


def reconcile_groups(situation: Situation) -> Changes:
    """Everything that has to change for the job to be as it says."""
    changes = Changes()
    job = situation.job
    deployment = current_deployment(job, situation.deployment, changes)
    names = {group["Name"]: None for group in job["TaskGroups"] or ()}
    names |= {one["TaskGroup"]: None for one in situation.allocations.values()}
    if job["Stop"]:
        for name in names:
            _stop_all(changes, name, situation.allocations)
        return changes
    work = _Work(situation, deployment, changes)
    complete = [work.group(name) for name in names]
    if all(complete) and work.deployment is not None:
        changes.deployment_updates[work.deployment["ID"]] = ("successful", "Deployment completed successfully")
    if changes.deployment is not None:
        describe(changes.deployment)
    return changes


def _stop_all(changes: Changes, name: str, allocations: Mapping[str, Mapped]) -> None:
    mine = [one for one in allocations.values() if one["TaskGroup"] == name]
    live = [one for one in mine if one["DesiredStatus"] == "run" and not client_terminal(one)]
    changes.counts(name)["Stop"] += len(live)
    changes.stop += [Stop(one, NOT_NEEDED) for one in live]


class _Work:
    """One reconciliation under way."""

    def __init__(self, situation: Situation, deployment: Mapped | None, changes: Changes) -> None:
        self._situation = situation
        self._job = situation.job
        self._batch = situation.job["Type"] == "batch"
        self._changes = changes
        self.deployment: Mapped | None = deployment
        status = deployment["Status"] if deployment else ""
        self._paused, self._failed = status == "paused", status == "failed"

    def group(self, name: str) -> bool:
        """Reconcile one group; whether its part of the deployment is complete."""
        changes, counts = self._changes, self._changes.counts(name)
        group = group_of(self._job, name)
        every = {one["ID"]: one for one in self._situation.allocations.values() if one["TaskGroup"] == name}
        if group is None or group["Count"] == 0:
            _stop_all(changes, name, every)
            return True
        existing = self.deployment is not None and name in self.deployment["TaskGroups"]
        state: Value = dict(self.deployment["TaskGroups"][name]) if self.deployment and existing else {}
        state = state or new_group_state(group)
        every = self._without_old(every, counts)
        canaries = self._cancel_canaries(every, counts)
        untainted, migrate, now, later = self._classify(every, group)
        changes.later += later
        counts["RescheduleLater"] = len(later)
        names = Names(self._job["ID"], name, group["Count"], [*untainted.values(), *migrate.values(), *now.values()])
        canarying = state["DesiredCanaries"] != 0 and not state["Promoted"]
        self._stop_surplus(group, names, untainted, migrate, canaries, canarying, counts)
        in_place, destructive = self._updates(untainted, group, counts)
        changes.in_place += in_place
        if not existing:
            state["DesiredTotal"] += len(destructive) + len(in_place)
        if canarying:
            untainted = {key: one for key, one in untainted.items() if key not in canaries}
        wanted = (group["Update"] or {}).get("Canary", 0)
        needs_canaries = bool(destructive) and len(canaries) < wanted and not state["Promoted"]
        placed: list[Place] = []
        if needs_canaries:
            state["DesiredCanaries"] = wanted
            if not self._paused and not self._failed:
                counts["Canary"] += wanted - len(canaries)
                placed += [
                    Place(one, group, canary=True)
                    for one in names.next_canaries(counts["Canary"], canaries, destructive)
                ]
        canarying = state["DesiredCanaries"] != 0 and not state["Promoted"]
        allowed = self._allowance(group, untainted, destructive, migrate, canarying)
        place = self._placements(group, names, untainted, migrate, now, canarying)
        if not existing:
            state["DesiredTotal"] += len(place)
        ready = not self._paused and not self._failed and not canarying
        if ready:
            counts["Place"] += len(place)
            counts["Stop"] += len(now)
            placed += place
            changes.stop += [Stop(one, RESCHEDULED) for one in now.values()]
            allowed -= min(len(place), allowed)
            first = sorted(destructive, key=by_index)[:allowed]
            changes.destructive += first
            counts["DestructiveUpdate"] += len(first)
            counts["Ignore"] += len(destructive) - len(first)
        else:
            placed += self._replace_failed(place, counts)
            counts["Ignore"] += len(destructive)
        placed += self._migrate(group, migrate, canarying, counts)
        self._deploy(name, group, state, existing, every, bool(destructive or in_place))
        if len(placed) > group["Count"]:
            placed = placed[: group["Count"]]
            counts["Place"] = group["Count"]
        changes.place += placed
        if destructive or in_place or placed or migrate or now or later or needs_canaries or self.deployment is None:
            return False
        if not existing:
            return True
        enough = state["HealthyAllocs"] >= max(state["DesiredTotal"], state["DesiredCanaries"])
        return bool(enough and not (state["DesiredCanaries"] and not state["Promoted"]))

    def _without_old(self, every: Allocations, counts: dict[str, int]) -> Allocations:
        """Without what a server has stopped and its client ended, and without finished batch work of older versions."""
        kept: Allocations = {}
        for key, one in every.items():
            if one["DesiredStatus"] != "run" and not (self._batch and one["ClientStatus"] == "complete"):
                continue
            old = one["Job"]["Version"] < self._job["Version"] or one["Job"]["CreateIndex"] < self._job["CreateIndex"]
            if self._batch and old and (client_terminal(one) or one["DesiredStatus"] != "run"):
                counts["Ignore"] += 1
                continue
            kept[key] = one
        return kept

    def _cancel_canaries(self, every: Allocations, counts: dict[str, int]) -> Allocations:
        """Stop canaries of an older or a failed deployment, out of `every`; those of the current one are the answer."""
        stop: list[str] = []
        latest = self._situation.deployment
        if latest is not None and (latest is not self.deployment or latest["Status"] == "failed"):
            for state in latest["TaskGroups"].values():
                if not state["Promoted"] and state["DesiredCanaries"]:
                    stop += state["PlacedCanaries"] or ()
        for key in stop:
            if key in every:
                counts["Stop"] += 1
                self._changes.stop.append(Stop(every.pop(key), NOT_NEEDED))
        if self.deployment is None:
            return {}
        placed = [key for one in self.deployment["TaskGroups"].values() for key in one["PlacedCanaries"] or ()]
        return {key: every[key] for key in placed if key in every}

    def _classify(
        self, every: Allocations, group: Mapped
    ) -> tuple[Allocations, Allocations, Allocations, list[tuple[Mapped, int]]]:
        """What counts, what has to move, what is to be tried again now, and what later."""
        untainted: Allocations = {}
        migrate: Allocations = {}
        now: Allocations = {}
        later: list[tuple[Mapped, int]] = []
        for key, one in every.items():
            if client_terminal(one) and one.get("NextAllocation"):
                continue
            transition = one.get("DesiredTransition") or {}
            if not client_terminal(one):
                (migrate if transition.get("Migrate") else untainted)[key] = one
                continue
            if one["ClientStatus"] == "complete":
                if self._batch:
                    untainted[key] = one
                continue
            if one["ClientStatus"] == "lost" and not self._batch:
                continue
            due = self._due(one, group)
            if due is None:
                untainted[key] = one
            elif transition.get("ForceReschedule") or due - self._situation.now <= _WINDOW or self._followed_up(one):
                now[key] = one
            else:
                untainted[key] = one
                if not one.get("FollowupEvalID"):
                    later.append((one, due))
        return untainted, migrate, now, later

    def _followed_up(self, allocation: Mapped) -> bool:
        return bool(allocation.get("FollowupEvalID") == self._situation.evaluation)

    def _due(self, allocation: Mapped, group: Mapped) -> int | None:
        """When a failed allocation may be tried again; None if it may not (yet)."""
        transition = allocation.get("DesiredTransition") or {}
        deployment = self.deployment
        in_it = deployment is not None and allocation.get("DeploymentID") == deployment["ID"]
        active = in_it and deployment is not None and deployment["Status"] in ("running", "paused")
        # An active deployment decides: it marks those that may be replaced.
        if active and not transition.get("Reschedule"):
            return None
        if transition.get("ForceReschedule"):
            return self._situation.now
        failed = rescheduling.failed_at(allocation, finished_at(allocation))
        own = group_of(allocation["Job"], allocation["TaskGroup"]) or group
        return rescheduling.next_attempt(own["ReschedulePolicy"], allocation, failed)

    def _stop_surplus(
        self,
        group: Mapped,
        names: Names,
        untainted: Allocations,
        migrate: Allocations,
        canaries: Allocations,
        canarying: bool,
        counts: dict[str, int],
    ) -> None:
        """Stop what is above the count, out of `untainted`."""
        working = {key: one for key, one in untainted.items() if not (canarying and key in canaries)}
        surplus = len(working) + len(migrate) - group["Count"]
        if surplus <= 0:
            return
        canary_names = {one["Name"] for one in canaries.values()}
        replaced = [one for key, one in working.items() if key not in canaries and one["Name"] in canary_names]
        preferred = [] if canarying else replaced
        rest = sorted((one for one in working.values() if one not in preferred), key=by_index, reverse=True)
        for one in [*preferred, *rest][:surplus]:
            counts["Stop"] += 1
            self._changes.stop.append(Stop(one, NOT_NEEDED))
            names.free(one["Name"])
            del untainted[one["ID"]]

    def _updates(
        self, untainted: Allocations, group: Mapped, counts: dict[str, int]
    ) -> tuple[list[Mapped], list[Mapped]]:
        in_place, destructive = [], []
        for one in untainted.values():
            change = self._change(one, group)
            if change is Change.NONE:
                counts["Ignore"] += 1
            elif change is Change.DESTRUCTIVE:
                destructive.append(one)
            else:
                in_place.append(one)
        counts["InPlaceUpdate"] += len(in_place)
        return in_place, destructive

    def _change(self, allocation: Mapped, group: Mapped) -> Change:
        old = allocation["Job"]
        same = old["CreateIndex"] == self._job["CreateIndex"] and old["JobModifyIndex"] == self._job["JobModifyIndex"]
        if same:
            return Change.NONE
        if group_of(old, group["Name"]) is None:
            return Change.DESTRUCTIVE
        if group_change(old, self._job, group["Name"]) is Change.DESTRUCTIVE:
            return Change.DESTRUCTIVE
        if client_terminal(allocation):
            # Ended work is not updated; it keeps its version.
            return Change.NONE
        return Change.IN_PLACE if self._situation.may_stay(allocation, group) else Change.DESTRUCTIVE

    def _allowance(
        self, group: Mapped, untainted: Allocations, destructive: list[Mapped], migrate: Allocations, canarying: bool
    ) -> int:
        """How many allocations may be replaced now."""
        if not rolls(group) or not (destructive or migrate):
            return int(group["Count"])
        if self.deployment is None:
            return int(group["Update"]["MaxParallel"])
        if self._paused or self._failed or canarying:
            return 0
        allowed: int = group["Update"]["MaxParallel"]
        for one in untainted.values():
            if one.get("DeploymentID") != self.deployment["ID"]:
                continue
            healthy = (one.get("DeploymentStatus") or {}).get("Healthy")
            if healthy is False:
                return 0
            allowed -= healthy is None
        return max(allowed, 0)

    def _placements(
        self,
        group: Mapped,
        names: Names,
        untainted: Allocations,
        migrate: Allocations,
        now: Allocations,
        canarying: bool,
    ) -> list[Place]:
        place = [
            Place(one["Name"], group, _canary(one), one, reschedule=True, downgrade=canarying and not _canary(one))
            for one in now.values()
        ]
        missing = group["Count"] - len(untainted) - len(migrate) - len(now)
        return place + [Place(name, group, downgrade=canarying) for name in names.next(missing)]

    def _replace_failed(self, place: list[Place], counts: dict[str, int]) -> list[Place]:
        """While the deployment places nothing, what failed is still replaced, but not that of a failed deployment."""
        placed = []
        for one in place:
            if not one.reschedule or one.previous is None:
                continue
            deployment = self.deployment
            if self._failed and deployment is not None and deployment["ID"] == one.previous.get("DeploymentID"):
                continue
            placed.append(one)
            counts["Place"] += 1
            counts["Stop"] += 1
            self._changes.stop.append(Stop(one.previous, RESCHEDULED))
        return placed

    def _migrate(self, group: Mapped, migrate: Allocations, canarying: bool, counts: dict[str, int]) -> list[Place]:
        counts["Migrate"] += len(migrate)
        self._changes.stop += [Stop(one, MIGRATING) for one in migrate.values()]
        return [
            Place(one["Name"], group, _canary(one), one, downgrade=canarying and not _canary(one))
            for one in sorted(migrate.values(), key=by_index)
        ]

    def _deploy(
        self, name: str, group: Mapped, state: Value, existing: bool, every: Allocations, updating: bool
    ) -> None:
        """Begin a deployment, or add the group to the one that another group of this plan began."""
        if existing:
            if self.deployment is not None and state != self.deployment["TaskGroups"][name]:
                self._changes.deployment = {
                    **self.deployment,
                    "TaskGroups": {**self.deployment["TaskGroups"], name: state},
                }
                self.deployment = self._changes.deployment
            return
        if self._batch or not rolls(group) or state["DesiredTotal"] == 0:
            return
        version = (self._job["Version"], self._job["CreateIndex"])
        ran = any((one["Job"]["Version"], one["Job"]["CreateIndex"]) == version for one in every.values())
        if ran and not updating:
            return
        if self.deployment is None or self._changes.deployment is None:
            if self.deployment is not None:
                return
            made = new_deployment(self._job, id_=self._situation.new_id(), now=self._situation.now)
            self._changes.deployment = made
            self.deployment = made
        self._changes.deployment["TaskGroups"][name] = state


def _canary(allocation: Mapped) -> bool:
    return bool((allocation.get("DeploymentStatus") or {}).get("Canary"))
