"""Which of the nodes that were read a job may use, and what they say of themselves. Pure.

Constraints are not looked at: datacenters, node pool, and whether the node takes work.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from desired.state import JobBody
from observers.evidence import Evidence, NodeRoom
from observers.failures import job_words

DEFAULT_POOL = "default"


def usable(evidence: Evidence) -> list[NodeRoom]:
    """Ready nodes of the job's datacenters and pool."""
    pool = job_words.text(evidence.body, "NodePool") or DEFAULT_POOL
    asked = datacenters(evidence.body)
    nodes = evidence.cluster.nodes or ()
    return [room for room in nodes if ready(room) and in_pool(room, pool) and in_datacenter(room, asked)]


def datacenters(body: JobBody) -> tuple[str, ...]:
    found = body.get("Datacenters")
    return tuple(str(one) for one in found) if isinstance(found, list | tuple) and found else ("*",)


def ready(room: NodeRoom) -> bool:
    return room.node.status == "ready" and room.node.eligible and not room.node.draining


def state(room: NodeRoom) -> str:
    if room.node.status != "ready":
        return room.node.status
    if room.node.draining:
        return "draining"
    return "ready" if room.node.eligible else "ineligible"


def in_pool(room: NodeRoom, pool: str) -> bool:
    return pool in ("all", room.node.node_pool or DEFAULT_POOL)


def in_datacenter(room: NodeRoom, asked: Sequence[str]) -> bool:
    return any(fnmatchcase(room.node.datacenter, one) for one in asked)


def value(room: NodeRoom, attribute: str) -> str:
    inner = attribute.removeprefix("${").removesuffix("}")
    kind, _, name = inner.partition(".")
    if kind == "attr":
        return room.attributes.get(name, "")
    if kind == "meta":
        return room.meta.get(name, "")
    node = room.node
    known = {
        "node.class": room.node_class,
        "node.datacenter": node.datacenter,
        "node.pool": node.node_pool,
        "node.unique.name": node.name,
        "node.unique.id": node.id,
    }
    return known.get(inner, "")
