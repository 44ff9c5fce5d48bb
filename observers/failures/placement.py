"""Family E: why no node takes a group, read in the order that matters. Pure.

No node there at all; then a reason that leaves nodes out; then room. `computed class ineligible` only repeats a reason
that stands beside it, and counts tell little: the real reason is counted once a class of nodes.
Source: nomad/structs/alloc.go AllocMetric, scheduler/feasible/feasible.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from desired.cause import Cause
from desired.state import JobBody
from observers.evidence import Evidence
from observers.failures import job_words, node_list
from observers.failures.failure_class import FailureClass
from observers.failures.row import Where
from observers.failures.sighting import Sighting, cut, read
from observers.running import PlacementFailure


def sightings(evidence: Evidence) -> Iterator[Sighting]:
    """The most telling reasons of each group that waits for room."""
    for group, failure in sorted(evidence.placement.items()):
        yield from _of_group(evidence, group, failure)


def _of_group(evidence: Evidence, group: str, failure: PlacementFailure) -> Iterator[Sighting]:
    if failure.quota_exhausted:
        quota = ", ".join(failure.quota_exhausted)
        yield Sighting(
            failure=FailureClass.QUOTA_EXHAUSTED,
            words=cut(f"quota exhausted: {quota}"),
            group=group,
            facts={"quota": quota},
        )
        return
    if not sum(failure.nodes_available.values()) and not failure.nodes_evaluated:
        yield _nowhere(evidence, group)
        return
    # No row knows `computed class ineligible`: it only repeats a reason that stands beside it.
    filtered = failure.constraint_filtered
    exhausted = failure.dimension_exhausted
    # A node that was left out for one thing and a node that has no room may both be there: room comes first, because
    # the nodes that passed every filter are those the job is meant for.
    reasons = [(key, count) for key, count in _ranked(exhausted)] if failure.nodes_exhausted else []
    reasons += [(key, count) for key, count in _ranked(filtered)]
    reasons += [] if reasons else [(key, count) for key, count in _ranked(exhausted)]
    told = False
    for key, count in reasons:
        if found := read(Where.PLACEMENT, key):
            row, facts = found
            name = row.failure
            if name is FailureClass.CONSTRAINT_IMPLIED and _asked_by(evidence.body, group, facts):
                name = FailureClass.CONSTRAINT_UNSATISFIED
            yield _placed(evidence, group, name, facts, key, count)
            told = True
    if not told:
        words = ", ".join(failure.constraint_filtered) or f"none of {failure.nodes_evaluated} nodes fits"
        yield Sighting(
            failure=FailureClass.UNKNOWN, words=cut(words), group=group, facts={"problem": cut(words)}, final=False
        )


def _ranked(reasons: dict[str, int] | object) -> list[tuple[str, int]]:
    return sorted(reasons.items(), key=lambda one: (-one[1], one[0])) if isinstance(reasons, dict) else []


def _nowhere(evidence: Evidence, group: str) -> Sighting:
    body = evidence.body
    asked = node_list.datacenters(body)
    pool = job_words.text(body, "NodePool") or node_list.DEFAULT_POOL
    facts = {"asked": ", ".join(asked), "pool": pool}
    words = f"no ready node in datacenters {facts['asked']} and node pool {pool}"
    nodes = evidence.cluster.nodes
    if nodes is None:
        return Sighting(
            failure=FailureClass.NO_NODES,
            words=cut(words),
            group=group,
            facts={**facts, "state": "unknown"},
            cause=Cause.UNKNOWN,
            final=False,
        )
    in_pool = [room for room in nodes if node_list.in_pool(room, pool)]
    there = [room for room in in_pool if node_list.in_datacenter(room, asked)]
    ready = [room for room in in_pool if node_list.ready(room)]
    facts["present"] = ", ".join(sorted({room.node.datacenter for room in ready}))
    if not there and ready:
        return Sighting(failure=FailureClass.DATACENTER_UNKNOWN, words=cut(words), group=group, facts=facts)
    reachable = [room for room in nodes if node_list.ready(room) and node_list.in_datacenter(room, asked)]
    facts["pools"] = ", ".join(sorted({room.node.node_pool or node_list.DEFAULT_POOL for room in reachable}))
    facts["state"] = ", ".join(sorted({node_list.state(room) for room in there})) or "none"
    return Sighting(failure=FailureClass.NO_NODES, words=cut(words), group=group, facts=facts, final=False)


def _placed(
    evidence: Evidence, group: str, name: FailureClass, facts: dict[str, str], key: str, count: int
) -> Sighting:
    body = evidence.body
    part = job_words.group(body, group)
    task = port = ""
    cause: Cause | None = None
    final: bool | None = None
    match name:
        case FailureClass.CPU_EXHAUSTED | FailureClass.MEMORY_EXHAUSTED | FailureClass.DISK_EXHAUSTED:
            facts |= _room(evidence, part, name) | {"nodes": str(count)}
            task = facts.get("of", "")
            total = facts.get("largest_total")
            final = total is not None and int(facts["asked"]) > int(total)
            # A node could hold it, were it not for its neighbours: that is no mistake of this job.
            cause = Cause.CLUSTER if total is not None and not final else None
        case FailureClass.CORES_EXHAUSTED:
            asked = {job_words.named(one): _resource(one, "Cores") for one in job_words.parts(part, "Tasks")}
            most = max(asked, key=lambda one: asked[one], default="")
            facts |= {"asked": str(sum(asked.values())), "nodes": str(count), "of": most}
            task = facts["of"]
        case FailureClass.CONSTRAINT_UNSATISFIED:
            level, task = _level(body, part, facts)
            facts["level"] = level
            cause, final = _constrained(evidence, facts)
        case FailureClass.DRIVER_MISSING:
            task = _drivers(evidence, part, facts)
        case FailureClass.DEVICE_MISSING:
            asking = [one for one in job_words.parts(part, "Tasks") if _devices(one)]
            if asking:
                task = job_words.named(asking[0])
                facts["device"] = _devices(asking[0])[0]
        case FailureClass.HOST_VOLUME_MISSING:
            volumes = job_words.block(part, "Volumes").values()
            sources = [job_words.text(one, "Source") for one in volumes if job_words.text(one, "Type") == "host"]
            facts["volume"] = ", ".join(sources)
        case FailureClass.DISTINCT_UNSATISFIED:
            facts.setdefault("operator", "distinct_property")
            facts |= {"count": str(job_words.number(part, "Count")), "nodes": str(count)}
        case FailureClass.CNI_MISSING | FailureClass.NETWORK_MODE_UNKNOWN:
            networks = job_words.parts(part, "Networks")
            facts["mode"] = job_words.text(networks[0], "Mode") if networks else ""
        case FailureClass.STATIC_PORT_TAKEN:
            port = facts.get("label", "")
            usable = len(node_list.usable(evidence)) if evidence.cluster.nodes is not None else 0
            if usable and job_words.number(part, "Count") > usable:
                facts["own"] = "true"
        case FailureClass.HOST_NETWORK_MISSING:
            port = facts.get("label", "")
    told = f"{key} exhausted" if job_words.text(facts, "asked") and name.value.endswith("exhausted") else key
    return Sighting(
        failure=name,
        words=cut(f"{told} ({count} nodes)"),
        group=group,
        task=task,
        port=port,
        facts={fact: value for fact, value in facts.items() if value},
        cause=cause,
        final=final,
    )


def _room(evidence: Evidence, part: JobBody, name: FailureClass) -> dict[str, str]:
    if name is FailureClass.DISK_EXHAUSTED:
        asked = {"": job_words.number(job_words.block(part, "EphemeralDisk"), "SizeMB")}
    else:
        key = "CPU" if name is FailureClass.CPU_EXHAUSTED else "MemoryMB"
        asked = {job_words.named(one): _resource(one, key) for one in job_words.parts(part, "Tasks")}
    facts = {"asked": str(sum(asked.values())), "of": max(asked, key=lambda one: asked[one], default="")}
    rooms = node_list.usable(evidence)
    if not rooms:
        return facts
    free = {
        FailureClass.CPU_EXHAUSTED: [(room.cpu, room.cpu_total) for room in rooms],
        FailureClass.MEMORY_EXHAUSTED: [(room.memory, room.memory_total) for room in rooms],
        FailureClass.DISK_EXHAUSTED: [(room.disk, room.disk_total) for room in rooms],
    }[name]
    facts["largest_free"] = str(max(one for one, _ in free))
    if total := max(one for _, one in free):
        facts["largest_total"] = str(total)
    return facts


def _constrained(evidence: Evidence, facts: dict[str, str]) -> tuple[Cause | None, bool]:
    """Whose matter it is that no node meets it: the job's only where no node that was read does, ready or not."""
    if evidence.cluster.nodes is None:
        return None, False
    attribute = facts.get("attribute", "")
    present = {node_list.value(room, attribute) for room in node_list.usable(evidence)}
    facts["present"] = ", ".join(sorted(one for one in present if one))
    away = [room for room in evidence.cluster.nodes if not node_list.ready(room)]
    if facts.get("operator") in ("=", "==", "is") and any(
        node_list.value(room, attribute) == facts.get("value") for room in away
    ):
        return Cause.CLUSTER, False
    return None, True


def _drivers(evidence: Evidence, part: JobBody, facts: dict[str, str]) -> str:
    """The first task whose driver no usable node has; the facts get what there is instead."""
    tasks = job_words.parts(part, "Tasks")
    rooms = node_list.usable(evidence)
    healthy = {name for room in rooms for name, well in room.node.drivers.items() if well}
    lacking = [one for one in tasks if job_words.text(one, "Driver") not in healthy] if rooms else []
    chosen = (lacking or tasks)[:1]
    for one in chosen:
        facts["driver"] = job_words.text(one, "Driver")
        if any(facts["driver"] in room.node.drivers for room in rooms):
            # It is known there and ill: that is for the node's keeper, another driver would only hide it.
            facts["unhealthy"] = "true"
        elif rooms:
            facts["available"] = ", ".join(sorted(healthy))
    # With several tasks and no node list nobody can say which one it is.
    return job_words.named(chosen[0]) if chosen and (lacking or len(tasks) == 1) else ""


def _asked_by(body: JobBody, group: str, facts: dict[str, str]) -> bool:
    """Whether the job itself wrote this constraint, rather than Nomad for it.

    What is read back carries Nomad's own too, so only the texts that Nomad never writes count.
    """
    attribute = facts.get("attribute", "")
    value = facts.get("value", "")
    own = {"${attr.consul.version}": ">= 1.8.0", "${attr.vault.version}": ">= 0.6.1"}
    if own.get(attribute) == value or "service_discovery" in attribute or "os.signals" in attribute:
        return False
    if attribute == "${attr.nomad.version}" and value.startswith(">= 1.7.0-a"):
        return False
    return any(_left(one) == attribute for _, _, one in _constraints(body, job_words.group(body, group)))


def _constraints(body: JobBody, part: JobBody) -> Iterator[tuple[str, str, JobBody]]:
    for one in job_words.parts(body, "Constraints"):
        yield "job", "", one
    for one in job_words.parts(part, "Constraints"):
        yield "group", "", one
    for task in job_words.parts(part, "Tasks"):
        for one in job_words.parts(task, "Constraints"):
            yield "task", job_words.named(task), one


def _level(body: JobBody, part: JobBody, facts: dict[str, str]) -> tuple[str, str]:
    told = (facts.get("attribute", ""), facts.get("value", ""))
    for level, task, one in _constraints(body, part):
        if (_left(one), job_words.text(one, "RTarget").strip()) == told:
            facts["operator"] = job_words.text(one, "Operand") or "="
            return level, task
    return "", ""


def _left(constraint: JobBody) -> str:
    return job_words.text(constraint, "LTarget")


def _resource(task: JobBody, key: str) -> int:
    return job_words.number(job_words.block(task, "Resources"), key)


def _devices(task: JobBody) -> list[str]:
    return [job_words.named(one) for one in job_words.parts(job_words.block(task, "Resources"), "Devices")]
