"""From Nomad's lists to what is left on each node, and to what tasks use. Pure; raises Unintelligible."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from observers.evidence import NodeRoom, Usage
from observers.nomad import decode
from observers.nomad.answers import Json, mapping, number, sequence, text

_MB = 1024 * 1024


@dataclass(slots=True)
class Taken:
    """What live allocations hold of a node: MHz, MB, MB, and static ports."""

    amounts: Counter[str] = field(default_factory=Counter)
    ports: set[int] = field(default_factory=set)


def taken(allocations: Iterable[Any]) -> Mapping[str, Taken]:
    """`GET /v1/allocations?resources=true`, by node."""
    found: dict[str, Taken] = {}
    for value in allocations:
        one = mapping(value, "an allocation")
        if text(one, "DesiredStatus") != "run" or text(one, "ClientStatus") in ("complete", "failed", "lost"):
            continue
        of_node = found.setdefault(text(one, "NodeID"), Taken())
        resources = mapping(one.get("AllocatedResources"), "AllocatedResources")
        shared = mapping(resources.get("Shared"), "Shared")
        of_node.amounts["disk"] += number(shared, "DiskMB")
        of_node.ports |= {number(mapping(port, "a port"), "Value") for port in sequence(shared.get("Ports"), "Ports")}
        for task in mapping(resources.get("Tasks"), "Tasks").values():
            told = mapping(task, "a task")
            of_node.amounts["cpu"] += number(mapping(told.get("Cpu"), "Cpu"), "CpuShares")
            of_node.amounts["memory"] += number(mapping(told.get("Memory"), "Memory"), "MemoryMB")
    return found


def room(stub: Json, detail: Json, used: Mapping[str, Taken]) -> NodeRoom:
    """One node of `GET /v1/nodes?resources=true`, with `GET /v1/node/:id` where it was read."""
    node = decode.nodes([stub])[0]
    has, kept = mapping(stub.get("NodeResources"), "NodeResources"), mapping(stub.get("ReservedResources"), "Reserved")
    total = {
        "cpu": _part(has, "Cpu", "CpuShares") - _part(kept, "Cpu", "CpuShares"),
        "memory": _part(has, "Memory", "MemoryMB") - _part(kept, "Memory", "MemoryMB"),
        "disk": _part(has, "Disk", "DiskMB") - _part(kept, "Disk", "DiskMB"),
    }
    held = used.get(node.id, Taken())
    reserved = text(mapping(kept.get("Networks"), "Networks"), "ReservedHostPorts")
    return NodeRoom(
        node=node,
        cpu=max(0, total["cpu"] - held.amounts["cpu"]),
        memory=max(0, total["memory"] - held.amounts["memory"]),
        disk=max(0, total["disk"] - held.amounts["disk"]),
        cpu_total=total["cpu"],
        memory_total=total["memory"],
        disk_total=total["disk"],
        static_ports=frozenset({*held.ports, *(int(port) for port in re.findall(r"\b\d{1,5}\b", reserved))}),
        node_class=text(stub, "NodeClass"),
        attributes=_texts(detail.get("Attributes")),
        meta=_texts(detail.get("Meta")),
    )


def usage(answer: Json) -> dict[str, Usage]:
    """`GET /v1/client/allocation/:id/stats`. The most that was measured, where the kernel tells it."""
    found: dict[str, Usage] = {}
    for name, value in mapping(answer.get("Tasks"), "Tasks").items():
        used = mapping(mapping(value, "a task").get("ResourceUsage"), "ResourceUsage")
        memory, cpu = mapping(used.get("MemoryStats"), "MemoryStats"), mapping(used.get("CpuStats"), "CpuStats")
        most = max(number(memory, name) for name in ("Usage", "MaxUsage", "RSS"))
        found[name] = Usage(memory=-(-most // _MB), cpu=round(float(cpu.get("TotalTicks") or 0)))
    return found


def _part(holder: Json, name: str, key: str) -> int:
    return number(mapping(holder.get(name), name), key)


def _texts(value: Any) -> dict[str, str]:
    return {name: str(each) for name, each in mapping(value, "attributes").items()}
