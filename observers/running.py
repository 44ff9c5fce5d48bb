"""What is running, as plain values: one `Running` per app that a pass reads, one `Fleet` that a resync reads.

`observers.nomad` builds these from Nomad's answers; the reconcilers read them. Nothing here does I/O. Times are
aware UTC datetimes. A value that Nomad did not send is the zero value of its type, as in Nomad's own structs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from desired.app import AppKey
from desired.state import JobBody


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job as the server holds it. `job_modify_index` moves when the spec changes, `modify_index` also with status.

    `body` is the job as read back: completed by the server, so never compared with what was submitted.
    """

    key: AppKey
    type: str
    status: str
    version: int
    job_modify_index: int
    modify_index: int
    create_index: int
    stop: bool = False
    stable: bool = False
    periodic: bool = False
    parameterized: bool = False
    status_description: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    scaled_groups: frozenset[str] = frozenset()
    body: JobBody = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """One task event; Nomad holds the last ten of a task. `details` keeps Nomad's own keys (`exit_code`, ...)."""

    type: str
    time: datetime
    message: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskState:
    """`state` is pending, running or dead; `started_at` and `finished_at` are None before they happened."""

    state: str
    failed: bool = False
    restarts: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    events: tuple[TaskEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Allocation:
    """One allocation. `healthy` is None until Nomad has judged it; `tasks` is empty where task states were not read."""

    id: str
    group: str
    job_version: int
    client_status: str  # pending, running, complete, failed, lost, unknown
    desired_status: str = "run"  # run, stop, evict
    client_description: str = ""
    desired_description: str = ""
    node_id: str = ""
    node_name: str = ""
    healthy: bool | None = None
    canary: bool = False
    followup_evaluation: str = ""
    next_allocation: str = ""
    created_at: datetime | None = None
    modified_at: datetime | None = None
    tasks: Mapping[str, TaskState] = field(default_factory=dict)

    @property
    def terminal(self) -> bool:
        """It runs no more and is not meant to, or has ended by itself."""
        return self.desired_status != "run" or self.client_status in ("complete", "failed", "lost")


@dataclass(frozen=True, slots=True)
class DeploymentGroup:
    """How far one group of a deployment has come, in allocations."""

    desired_total: int = 0
    placed: int = 0
    healthy: int = 0
    unhealthy: int = 0
    desired_canaries: int = 0
    promoted: bool = False
    auto_promote: bool = False
    progress_deadline_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Deployment:
    """The latest deployment of a job. Nomad's `successful` is a claim, not a promise: the soak decides."""

    id: str
    job_version: int
    status: str  # running, paused, blocked, successful, failed, cancelled, ...
    status_description: str = ""
    requires_promotion: bool = False
    spec_index: int = 0  # the JobModifyIndex of the job that it deploys
    groups: Mapping[str, DeploymentGroup] = field(default_factory=dict)

    @property
    def went_back(self) -> bool:
        """It failed, and Nomad registered an earlier version in its place. What a person overtakes is `cancelled`.

        Source: nomad/deploymentwatcher; structs.DeploymentStatusDescriptionRollback.
        """
        return self.status == "failed" and " - rolling back to job version " in self.status_description

    @property
    def active(self) -> bool:
        return self.status in ("initializing", "running", "pending", "blocked", "unblocking", "paused")


@dataclass(frozen=True, slots=True)
class PlacementFailure:
    """Why a group could not be placed: Nomad's AllocMetric, reduced to what names a cause.

    Source: nomad/structs/alloc.go AllocMetric.
    """

    nodes_evaluated: int = 0
    nodes_filtered: int = 0
    nodes_exhausted: int = 0
    nodes_available: Mapping[str, int] = field(default_factory=dict)
    constraint_filtered: Mapping[str, int] = field(default_factory=dict)
    dimension_exhausted: Mapping[str, int] = field(default_factory=dict)
    quota_exhausted: tuple[str, ...] = ()
    coalesced_failures: int = 0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The scheduler's answer to a change. `failed` names the groups it could not place."""

    id: str
    status: str  # pending, blocked, complete, failed, canceled
    triggered_by: str = ""
    status_description: str = ""
    blocked_evaluation: str = ""
    modify_index: int = 0
    create_index: int = 0
    job_modify_index: int = 0
    failed: Mapping[str, PlacementFailure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One result of a native check. `status` is success, failure or pending; Nomad tells the newest result alone, so
    `first_success` is the first that was seen."""

    allocation: str
    name: str
    status: str
    output: str = ""
    status_code: int = 0
    group: str = ""
    task: str = ""
    service: str = ""
    at: datetime | None = None
    first_success: datetime | None = None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One leaf of Nomad's plan diff; `path` is made of Nomad's own names, such as `web/app/Resources/MemoryMB`."""

    path: str
    old: str
    new: str
    annotations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Nomad's dry run. `index` is what `EnforceIndex` must be given: 0 where the job does not exist.

    `changes` are the leaves of the diff; `updates` holds DesiredTGUpdates by group and is evidence
    only (they count the first step). `text` is the diff as people read it.
    """

    index: int
    diff_type: str  # None, Added, Deleted, Edited
    changes: tuple[FieldChange, ...] = ()
    updates: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    failed: Mapping[str, PlacementFailure] = field(default_factory=dict)
    warnings: str = ""
    text: str = ""

    @property
    def settled(self) -> bool:
        """Nothing to register. A job with a `scaling` block plans as Edited, without a field, until it is settled too.

        Source: recorded, scenario `scaling`: an empty Scaling object after one register, `None` after the second.
        """
        return self.diff_type == "None" or (self.diff_type == "Edited" and not self.changes)


@dataclass(frozen=True, slots=True)
class Registration:
    """What a register answered. `job_modify_index` is the job's only because a settled plan is never registered.

    After an unchanged register Nomad answers the job's ModifyIndex in its place (recorded: scenario `no-op`).
    """

    evaluation: str
    warnings: str = ""
    job_modify_index: int = 0


@dataclass(frozen=True, slots=True)
class Running:
    """Everything a pass looks at for one app; complete, or it was never returned.

    `job` is None exactly when Nomad said that it does not exist. `checks` is None where they were not read, `()` where
    there are none. `placement` holds the failures of the newest evaluation that still waits for room.
    """

    key: AppKey
    job: RunningJob | None
    allocations: tuple[Allocation, ...] = ()
    deployment: Deployment | None = None
    placement: Mapping[str, PlacementFailure] = field(default_factory=dict)
    checks: tuple[Check, ...] | None = None


@dataclass(frozen=True, slots=True)
class FleetEntry:
    """One job as the fleet lists show it: enough to tell that nothing happened since the last pass."""

    key: AppKey
    type: str
    status: str
    stop: bool
    job_modify_index: int
    modify_index: int
    version: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)  # allocations by client status
    unhealthy: int = 0  # allocations that Nomad judged unhealthy
    deployment_status: str = ""


@dataclass(frozen=True, slots=True)
class Fleet:
    """All jobs of the watched namespaces, read completely at `index`. A key that is not in `entries` does not exist.

    Except in the namespaces of `hidden`, which the token may not list: nothing is known of the jobs there.
    """

    index: int
    entries: Mapping[AppKey, FleetEntry]
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Agent:
    """Who answers: the version decides what a spec may use."""

    version: str
    region: str
    datacenter: str = ""
    server: bool = False
    acl_enabled: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Node:
    """One client agent. `drivers` says which task drivers it found, and whether they are healthy."""

    id: str
    name: str
    status: str  # initializing, ready, down, disconnected
    eligible: bool = True
    draining: bool = False
    datacenter: str = ""
    node_pool: str = ""
    version: str = ""
    drivers: Mapping[str, bool] = field(default_factory=dict)
