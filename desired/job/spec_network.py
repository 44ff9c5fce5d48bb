"""Networks, ports and volumes: what a group shares with the node."""

# Every call in a class body makes a dataclass field.
# ruff: noqa: RUF009

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desired.job.fields import block, blocks, flag, integer, label, text, text_map, texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A named port: `static` 0 means that Nomad chooses it, `to` 0 that it is the same inside."""

    label: str = label("Label")
    static: int = integer("Value", 0)
    to: int = integer("To", 0)
    host_network: str = text("HostNetwork", "")
    ignore_collision: bool = flag("IgnoreCollision", False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dns:
    """Resolver settings of a bridge network."""

    servers: tuple[str, ...] = texts("Servers")
    searches: tuple[str, ...] = texts("Searches")
    options: tuple[str, ...] = texts("Options")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cni:
    """Arguments for the CNI plugins."""

    args: Mapping[str, str] | None = text_map("Args")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One network. HCL writes both kinds of port as `port`; those with a static number are the reserved ones."""

    mode: str = text("Mode", "")
    hostname: str = text("Hostname", "")
    device: str = text("Device", "")
    cidr: str = text("CIDR", "")
    ip: str = text("IP", "")
    mbits: int | None = integer("MBits")
    dynamic_ports: tuple[Port, ...] = blocks("DynamicPorts", "Port", hcl="port")
    reserved_ports: tuple[Port, ...] = blocks("ReservedPorts", "Port", hcl="reserved_ports")
    dns: Dns | None = block("DNS", "Dns")
    cni: Cni | None = block("CNI", "Cni")


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralDisk:
    """The allocation's own disk, in MB."""

    size: int | None = integer("SizeMB")
    sticky: bool | None = flag("Sticky")
    migrate: bool | None = flag("Migrate")


@dataclass(frozen=True, slots=True, kw_only=True)
class MountOptions:
    """How a CSI volume's file system is mounted."""

    fs_type: str = text("FSType", "")
    mount_flags: tuple[str, ...] = texts("MountFlags")


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A host or CSI volume that the group asks for."""

    name: str = label("Name", hcl="name")
    type: str = text("Type", "")
    source: str = text("Source", "")
    read_only: bool = flag("ReadOnly", False)
    sticky: bool = flag("Sticky", False)
    access_mode: str = text("AccessMode", "")
    attachment_mode: str = text("AttachmentMode", "")
    per_alloc: bool = flag("PerAlloc", False)
    mount_options: MountOptions | None = block("MountOptions", "MountOptions")


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeMount:
    """Where a task sees one of the group's volumes."""

    volume: str | None = text("Volume")
    destination: str | None = text("Destination")
    read_only: bool | None = flag("ReadOnly")
    propagation_mode: str | None = text("PropagationMode")
    selinux_label: str | None = text("SELinuxLabel")
