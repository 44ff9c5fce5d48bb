"""What a task asks of its node: resources, devices, logs; and who it is to others: its identities."""

# Every call in a class body makes a dataclass field.
# ruff: noqa: RUF009

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from desired.job.fields import block, blocks, duration, flag, integer, label, text, texts
from desired.job.spec_network import Network
from desired.job.spec_placement import Affinity, Constraint


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Devices of one kind, `vendor/type/model` or a part of it."""

    name: str = label("Name")
    count: int | None = integer("Count", limits=(0, 2**64 - 1))
    constraints: tuple[Constraint, ...] = blocks("Constraints", "Constraint", hcl="constraint")
    affinities: tuple[Affinity, ...] = blocks("Affinities", "Affinity", hcl="affinity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Numa:
    """Whether cores and devices must share a NUMA node."""

    affinity: str = text("Affinity", "")
    devices: tuple[str, ...] = texts("Devices")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """CPU in MHz, everything else in MB."""

    cpu: int | None = integer("CPU")
    cores: int | None = integer("Cores")
    memory: int | None = integer("MemoryMB")
    memory_max: int | None = integer("MemoryMaxMB")
    disk: int | None = integer("DiskMB")
    secrets: int | None = integer("SecretsMB")
    iops: int | None = integer("IOPS")
    networks: tuple[Network, ...] = blocks("Networks", "Network", hcl="network")
    devices: tuple[Device, ...] = blocks("Devices", "Device", hcl="device")
    numa: Numa | None = block("NUMA", "Numa")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """Rotation of a task's logs, in files and MB."""

    max_files: int | None = integer("MaxFiles")
    max_file_size: int | None = integer("MaxFileSizeMB")
    enabled: bool | None = flag("Enabled")
    disabled: bool | None = flag("Disabled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A workload identity: a signed token for somebody else to trust."""

    name: str = text("Name", "")
    audience: tuple[str, ...] = texts("Audience", hcl="aud")
    change_mode: str = text("ChangeMode", "")
    change_signal: str = text("ChangeSignal", "")
    env: bool = flag("Env", False)
    file: bool = flag("File", False)
    filepath: str = text("Filepath", "")
    service_name: str = text("ServiceName", "")
    ttl: timedelta | None = duration("TTL", 0)
    extra_claims: tuple[str, ...] = texts("ExtraClaims")
