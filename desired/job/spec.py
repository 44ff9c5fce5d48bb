"""The job as Nomad's job language knows it: one frozen dataclass a block, all of them reachable from here.

Field order is the order in which people read a job: `desired.job.hcl_write` writes it so. Not set is None for what
Nomad fills in, and the zero value for what it does not; an empty list and a list that is not set are the same.
"""

# Every call in a class body makes a dataclass field.
# ruff: noqa: RUF009

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from desired.job.fields import (
    api_only,
    block,
    block_map,
    blocks,
    duration,
    flag,
    integer,
    label,
    map_block,
    text,
    texts,
)
from desired.job.spec_connect import Connect
from desired.job.spec_network import (
    Cni,
    Dns,
    EphemeralDisk,
    MountOptions,
    Network,
    Port,
    Volume,
    VolumeMount,
)
from desired.job.spec_placement import (
    Affinity,
    Constraint,
    Disconnect,
    Migrate,
    Reschedule,
    Restart,
    Scaling,
    Spread,
    SpreadTarget,
    Update,
)
from desired.job.spec_resources import Device, Identity, LogConfig, Numa, Resources
from desired.job.spec_service import Check, CheckRestart, Service, Weights
from desired.job.spec_task import (
    Action,
    Artifact,
    ChangeScript,
    Consul,
    CsiPlugin,
    DispatchPayload,
    Lifecycle,
    Schedule,
    ScheduleCron,
    Secret,
    Task,
    Template,
    Vault,
    Wait,
)

__all__ = [
    "Action",
    "Affinity",
    "Artifact",
    "ChangeScript",
    "Check",
    "CheckRestart",
    "Cni",
    "Connect",
    "Constraint",
    "Consul",
    "CsiPlugin",
    "Device",
    "Disconnect",
    "DispatchPayload",
    "Dns",
    "EphemeralDisk",
    "Group",
    "Identity",
    "Job",
    "Lifecycle",
    "LogConfig",
    "Migrate",
    "MountOptions",
    "Multiregion",
    "Network",
    "Numa",
    "Parameterized",
    "Periodic",
    "Port",
    "Region",
    "Reschedule",
    "Resources",
    "Restart",
    "Scaling",
    "Schedule",
    "ScheduleCron",
    "Secret",
    "Service",
    "Spread",
    "SpreadTarget",
    "Strategy",
    "Task",
    "Template",
    "Ui",
    "UiLink",
    "Update",
    "Vault",
    "Volume",
    "VolumeMount",
    "Wait",
    "Weights",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Tasks that run together on one node."""

    name: str = label("Name", hcl="name", unset=None)
    count: int | None = integer("Count")
    shutdown_delay: timedelta | None = duration("ShutdownDelay")
    max_run_duration: timedelta | None = duration("MaxRunDuration")
    stop_after_client_disconnect: timedelta | None = duration("StopAfterClientDisconnect")
    max_client_disconnect: timedelta | None = duration("MaxClientDisconnect")
    prevent_reschedule_on_lost: bool | None = flag("PreventRescheduleOnLost")
    constraints: tuple[Constraint, ...] = blocks("Constraints", "Constraint", hcl="constraint")
    affinities: tuple[Affinity, ...] = blocks("Affinities", "Affinity", hcl="affinity")
    spreads: tuple[Spread, ...] = blocks("Spreads", "Spread", hcl="spread")
    meta: Mapping[str, str] | None = map_block("Meta")
    networks: tuple[Network, ...] = blocks("Networks", "Network", hcl="network")
    volumes: tuple[Volume, ...] = block_map("Volumes", "Volume", hcl="volume")
    ephemeral_disk: EphemeralDisk | None = block("EphemeralDisk", "EphemeralDisk")
    consul: Consul | None = block("Consul", "Consul")
    services: tuple[Service, ...] = blocks("Services", "Service", hcl="service")
    scaling: Scaling | None = block("Scaling", "Scaling")
    update: Update | None = block("Update", "Update")
    restart: Restart | None = block("RestartPolicy", "Restart")
    reschedule: Reschedule | None = block("ReschedulePolicy", "Reschedule")
    disconnect: Disconnect | None = block("Disconnect", "Disconnect")
    migrate: Migrate | None = block("Migrate", "Migrate")
    tasks: tuple[Task, ...] = blocks("Tasks", "Task", hcl="task")


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """When a batch job is started by the clock."""

    enabled: bool | None = flag("Enabled")
    cron: str | None = text("Spec")
    crons: tuple[str, ...] = texts("Specs")
    spec_type: str | None = api_only("SpecType")
    prohibit_overlap: bool | None = flag("ProhibitOverlap")
    time_zone: str | None = text("TimeZone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameterized:
    """What a dispatch must and may bring."""

    payload: str = text("Payload", "")
    meta_required: tuple[str, ...] = texts("MetaRequired")
    meta_optional: tuple[str, ...] = texts("MetaOptional")


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """How a multi-region job is rolled out."""

    max_parallel: int | None = integer("MaxParallel")
    on_failure: str | None = text("OnFailure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One region of a multi-region job."""

    name: str = label("Name")
    count: int | None = integer("Count")
    datacenters: tuple[str, ...] = texts("Datacenters")
    node_pool: str = text("NodePool", "")
    meta: Mapping[str, str] | None = map_block("Meta")


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiregion:
    """The same job in several regions (Enterprise)."""

    strategy: Strategy | None = block("Strategy", "Strategy")
    regions: tuple[Region, ...] = blocks("Regions", "Region", hcl="region")


@dataclass(frozen=True, slots=True, kw_only=True)
class UiLink:
    """A link in Nomad's web interface."""

    label: str = text("Label", "")
    url: str = text("URL", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ui:
    """What Nomad's web interface shows about the job."""

    description: str = text("Description", "")
    links: tuple[UiLink, ...] = blocks("Links", "UiLink", hcl="link")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A whole job. `id` and `name` are the label of HCL's `job` block unless it says otherwise."""

    id: str | None = text("ID")
    name: str | None = text("Name")
    region: str | None = text("Region")
    namespace: str | None = text("Namespace")
    datacenters: tuple[str, ...] = texts("Datacenters")
    node_pool: str | None = text("NodePool")
    type: str | None = text("Type")
    priority: int | None = integer("Priority")
    all_at_once: bool | None = flag("AllAtOnce")
    meta: Mapping[str, str] | None = map_block("Meta")
    ui: Ui | None = block("UI", "Ui")
    constraints: tuple[Constraint, ...] = blocks("Constraints", "Constraint", hcl="constraint")
    affinities: tuple[Affinity, ...] = blocks("Affinities", "Affinity", hcl="affinity")
    spreads: tuple[Spread, ...] = blocks("Spreads", "Spread", hcl="spread")
    periodic: Periodic | None = block("Periodic", "Periodic")
    parameterized: Parameterized | None = block("ParameterizedJob", "Parameterized")
    multiregion: Multiregion | None = block("Multiregion", "Multiregion")
    update: Update | None = block("Update", "Update")
    reschedule: Reschedule | None = block("Reschedule", "Reschedule")
    migrate: Migrate | None = block("Migrate", "Migrate")
    groups: tuple[Group, ...] = blocks("TaskGroups", "Group", hcl="group")
    stop: bool | None = api_only("Stop")
    parent_id: str | None = api_only("ParentID")
    dispatched: bool = api_only("Dispatched", False)
    dispatch_idempotency_token: str | None = api_only("DispatchIdempotencyToken")
    payload: str | None = api_only("Payload")
    consul_namespace: str | None = api_only("ConsulNamespace")
    vault_namespace: str | None = api_only("VaultNamespace")
    nomad_token_id: str | None = api_only("NomadTokenID")
    status: str | None = api_only("Status")
    status_description: str | None = api_only("StatusDescription")
    stable: bool | None = api_only("Stable")
    version: int | None = api_only("Version")
    submit_time: int | None = api_only("SubmitTime")
    create_index: int | None = api_only("CreateIndex")
    modify_index: int | None = api_only("ModifyIndex")
    job_modify_index: int | None = api_only("JobModifyIndex")
    version_tag: Mapping[str, object] | None = api_only("VersionTag")
