"""Services, their checks and their identities."""

# Every call in a class body makes a dataclass field.
# ruff: noqa: RUF009

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from desired.job.fields import Kind, block, blocks, duration, flag, integer, map_block, text, texts
from desired.job.spec_connect import Connect
from desired.job.spec_resources import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRestart:
    """Restarts a task whose check stays unhealthy."""

    limit: int = integer("Limit", 0)
    grace: timedelta | None = duration("Grace")
    ignore_warnings: bool = flag("IgnoreWarnings", False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One health check of a service."""

    name: str = text("Name", "")
    type: str = text("Type", "")
    port: str = text("PortLabel", "")
    path: str = text("Path", "")
    method: str = text("Method", "")
    protocol: str = text("Protocol", "")
    interval: timedelta | None = duration("Interval", 0)
    timeout: timedelta | None = duration("Timeout", 0)
    command: str = text("Command", "")
    args: tuple[str, ...] = texts("Args")
    address_mode: str = text("AddressMode", "")
    advertise: str = text("Advertise", "")
    expose: bool = flag("Expose", False)
    initial_status: str = text("InitialStatus", "")
    notes: str = text("Notes", "")
    tls_server_name: str = text("TLSServerName", "")
    tls_skip_verify: bool = flag("TLSSkipVerify", False)
    grpc_service: str = text("GRPCService", "")
    grpc_use_tls: bool = flag("GRPCUseTLS", False)
    task: str = text("TaskName", "")
    success_before_passing: int = integer("SuccessBeforePassing", 0)
    failures_before_critical: int = integer("FailuresBeforeCritical", 0)
    failures_before_warning: int = integer("FailuresBeforeWarning", 0)
    body: str = text("Body", "")
    on_update: str = text("OnUpdate", "")
    header: Mapping[str, tuple[str, ...]] | None = map_block("Header", Kind.TEXTS_MAP)
    check_restart: CheckRestart | None = block("CheckRestart", "CheckRestart")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Weights of a Consul service in DNS answers."""

    passing: int = integer("Passing", 0)
    warning: int = integer("Warning", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that Nomad registers, in its own catalog or in Consul."""

    name: str = text("Name", "")
    provider: str = text("Provider", "")
    port: str = text("PortLabel", "")
    tags: tuple[str, ...] = texts("Tags")
    canary_tags: tuple[str, ...] = texts("CanaryTags")
    enable_tag_override: bool = flag("EnableTagOverride", False)
    address_mode: str = text("AddressMode", "")
    address: str = text("Address", "")
    task: str = text("TaskName", "")
    on_update: str = text("OnUpdate", "")
    cluster: str = text("Cluster", "")
    kind: str = text("Kind", "")
    meta: Mapping[str, str] | None = map_block("Meta")
    canary_meta: Mapping[str, str] | None = map_block("CanaryMeta")
    tagged_addresses: Mapping[str, str] | None = map_block("TaggedAddresses")
    checks: tuple[Check, ...] = blocks("Checks", "Check", hcl="check")
    check_restart: CheckRestart | None = block("CheckRestart", "CheckRestart")
    identity: Identity | None = block("Identity", "Identity")
    weights: Weights | None = block("Weights", "Weights")
    connect: Connect | None = block("Connect", "Connect")
