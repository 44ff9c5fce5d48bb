"""A task and everything inside it."""

# Every call in a class body makes a dataclass field.
# ruff: noqa: RUF009

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from desired.job.fields import (
    Kind,
    api_block,
    block,
    blocks,
    duration,
    flag,
    integer,
    label,
    map_block,
    text,
    texts,
)
from desired.job.spec_network import VolumeMount
from desired.job.spec_placement import Affinity, Constraint, Restart, Scaling
from desired.job.spec_resources import Identity, LogConfig, Resources
from desired.job.spec_service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """When a task runs, relative to the main ones."""

    hook: str = text("Hook", "", required=True)
    sidecar: bool = flag("Sidecar", False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """Something fetched before the task starts."""

    source: str | None = text("GetterSource")
    destination: str | None = text("RelativeDest")
    mode: str | None = text("GetterMode")
    insecure: bool | None = flag("GetterInsecure")
    chown: bool = flag("Chown", False)
    options: Mapping[str, str] | None = map_block("GetterOptions")
    headers: Mapping[str, str] | None = map_block("GetterHeaders")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long a template waits for its data to settle."""

    min: timedelta | None = duration("Min", required=True)
    max: timedelta | None = duration("Max", required=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeScript:
    """The command that runs in the task when a template changed."""

    command: str | None = text("Command", required=True)
    args: tuple[str, ...] = texts("Args")
    timeout: timedelta | None = duration("Timeout")
    fail_on_error: bool | None = flag("FailOnError", required=True)
    run_on_first_render: bool | None = flag("RunOnFirstRender")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A file that Nomad renders for the task."""

    source: str | None = text("SourcePath")
    data: str | None = text("EmbeddedTmpl")
    destination: str | None = text("DestPath")
    env: bool | None = flag("Envvars")
    change_mode: str | None = text("ChangeMode")
    change_signal: str | None = text("ChangeSignal")
    once: bool | None = flag("Once")
    splay: timedelta | None = duration("Splay")
    perms: str | None = text("Perms")
    uid: int | None = integer("Uid")
    gid: int | None = integer("Gid")
    left_delimiter: str | None = text("LeftDelim")
    right_delimiter: str | None = text("RightDelim")
    error_on_missing_key: bool | None = flag("ErrMissingKey")
    vault_grace: timedelta | None = duration("VaultGrace")
    change_script: ChangeScript | None = block("ChangeScript", "ChangeScript")
    wait: Wait | None = block("Wait", "Wait")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """A Vault token for the task."""

    role: str = text("Role", "")
    policies: tuple[str, ...] = texts("Policies")
    cluster: str = text("Cluster", "")
    namespace: str | None = text("Namespace")
    env: bool | None = flag("Env")
    disable_file: bool | None = flag("DisableFile")
    change_mode: str | None = text("ChangeMode")
    change_signal: str | None = text("ChangeSignal")
    allow_token_expiration: bool | None = flag("AllowTokenExpiration")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consul:
    """Which Consul the group or task talks to."""

    cluster: str = text("Cluster", "")
    namespace: str = text("Namespace", "")
    partition: str = text("Partition", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret that Nomad fetches and offers as `${secret.NAME.KEY}`."""

    name: str = label("Name", hcl="name")
    provider: str = text("Provider", "")
    path: str = text("Path", "")
    config: Mapping[str, Any] | None = map_block("Config", Kind.FREE)
    env: Mapping[str, str] | None = map_block("Env")


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchPayload:
    """Where a dispatched job finds its payload."""

    file: str = text("File", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class CsiPlugin:
    """Makes the task a CSI plugin."""

    id: str = text("ID", "")
    type: str = text("Type", "")
    mount_dir: str = text("MountDir", "")
    stage_publish_base_dir: str = text("StagePublishBaseDir", "")
    health_timeout: timedelta | None = duration("HealthTimeout", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A command that people may run in the task."""

    name: str = label("Name", hcl="name")
    command: str = text("Command", "", required=True)
    args: tuple[str, ...] = texts("Args")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleCron:
    """Start and end of a schedule."""

    start: str = text("Start", "")
    end: str = text("End", "")
    timezone: str = text("Timezone", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When the task is to run (Enterprise)."""

    cron: ScheduleCron | None = block("Cron", "ScheduleCron")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One program. The identity without a name, or named `default`, is `identity`; the others are `identities`."""

    name: str = label("Name", hcl="name")
    driver: str = text("Driver", "")
    user: str = text("User", "")
    kind: str = text("Kind", "")
    leader: bool = flag("Leader", False)
    kill_timeout: timedelta | None = duration("KillTimeout")
    kill_signal: str = text("KillSignal", "")
    shutdown_delay: timedelta | None = duration("ShutdownDelay", 0)
    constraints: tuple[Constraint, ...] = blocks("Constraints", "Constraint", hcl="constraint")
    affinities: tuple[Affinity, ...] = blocks("Affinities", "Affinity", hcl="affinity")
    lifecycle: Lifecycle | None = block("Lifecycle", "Lifecycle")
    config: Mapping[str, Any] | None = map_block("Config", Kind.FREE)
    env: Mapping[str, str] | None = map_block("Env")
    meta: Mapping[str, str] | None = map_block("Meta")
    identity: Identity | None = api_block("Identity", "Identity")
    identities: tuple[Identity, ...] = blocks("Identities", "Identity", hcl="identity")
    vault: Vault | None = block("Vault", "Vault")
    consul: Consul | None = block("Consul", "Consul")
    secrets: tuple[Secret, ...] = blocks("Secrets", "Secret", hcl="secret")
    artifacts: tuple[Artifact, ...] = blocks("Artifacts", "Artifact", hcl="artifact")
    templates: tuple[Template, ...] = blocks("Templates", "Template", hcl="template")
    dispatch_payload: DispatchPayload | None = block("DispatchPayload", "DispatchPayload")
    volume_mounts: tuple[VolumeMount, ...] = blocks("VolumeMounts", "VolumeMount", hcl="volume_mount")
    csi_plugin: CsiPlugin | None = block("CSIPluginConfig", "CsiPlugin", omit_unset=True)
    services: tuple[Service, ...] = blocks("Services", "Service", hcl="service")
    resources: Resources | None = block("Resources", "Resources")
    restart: Restart | None = block("RestartPolicy", "Restart")
    logs: LogConfig | None = block("LogConfig", "LogConfig")
    scaling: tuple[Scaling, ...] = blocks("ScalingPolicies", "Scaling", hcl="scaling")
    actions: tuple[Action, ...] = blocks("Actions", "Action", hcl="action")
    schedule: Schedule | None = block("Schedule", "Schedule")
