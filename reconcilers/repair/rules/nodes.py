"""Which nodes of the cluster a group could run on, as far as that can be told without Nomad's scheduler."""

from __future__ import annotations

from fnmatch import fnmatchcase

from observers.evidence import NodeRoom
from reconcilers.repair.proposal import Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.job_parts import Part

DEFAULT_POOL = "default"


def ready(case: Case) -> tuple[NodeRoom, ...]:
    """Nodes that take work; empty where the nodes were not read."""
    return tuple(
        room
        for room in case.evidence.cluster.nodes or ()
        if room.node.status == "ready" and room.node.eligible and not room.node.draining
    )


def in_reach(case: Case) -> tuple[NodeRoom, ...]:
    """Ready nodes of the job's pool and datacenters. Constraints are not looked at."""
    return tuple(room for room in ready(case) if in_pool(case, room) and in_datacenter(case, room))


def for_group(case: Case, group: Part) -> tuple[NodeRoom, ...]:
    """Nodes in reach that have the drivers, and meet the constraints that ask for equality."""
    wanted = {str(task.get("Driver") or "") for task in job_parts.tasks(group)}
    asked = list(case.body.get("Constraints") or ()) + list(group.get("Constraints") or ())
    for task in job_parts.tasks(group):
        asked += task.get("Constraints") or ()
    return tuple(
        room
        for room in in_reach(case)
        if all(room.node.drivers.get(driver, False) for driver in wanted) and all(_meets(room, one) for one in asked)
    )


def in_pool(case: Case, room: NodeRoom) -> bool:
    pool = str(case.body.get("NodePool") or DEFAULT_POOL)
    return pool in ("all", room.node.node_pool or DEFAULT_POOL)


def in_datacenter(case: Case, room: NodeRoom) -> bool:
    """Nomad's `datacenters` may hold `*`; where none is named, every one does (Nomad's default)."""
    wanted = case.body.get("Datacenters") or ("*",)
    return any(fnmatchcase(room.node.datacenter, str(one)) for one in wanted)


def value_of(room: NodeRoom, attribute: str) -> str | None:
    """What a node says for `${attr.x}`, `${meta.x}`, `${node.x}`; None where it says nothing or it is not known."""
    inner = attribute.removeprefix("${").removesuffix("}")
    if inner.startswith("attr."):
        return room.attributes.get(inner.removeprefix("attr."))
    if inner.startswith("meta."):
        return room.meta.get(inner.removeprefix("meta."))
    known = {
        "node.class": room.node_class,
        "node.datacenter": room.node.datacenter,
        "node.pool": room.node.node_pool,
        "node.unique.name": room.node.name,
        "node.unique.id": room.node.id,
    }
    return known.get(inner) or None


def _meets(room: NodeRoom, constraint: Part) -> bool:
    if str(constraint.get("Operand") or "=") not in ("=", "==", "is"):
        return True
    left = str(constraint.get("LTarget") or "")
    return not left.startswith("${") or value_of(room, left) in (None, str(constraint.get("RTarget") or ""))
