"""Less of what no node has: cpu, memory and disk down to what fits, never below what was seen in use.

Only where the request is more than any node has at all: nodes that are merely full are the cluster's business. What is
free is never all taken: the next app wants to be placed too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from desired.operations.operation import Kind
from observers.evidence import NodeRoom, Usage
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts, nodes
from reconcilers.repair.rules.job_parts import Part
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix

# A node with less than this share of itself free is full: what fits there would be an accident.
_SHARE = 4
# Of what is free, as a fraction.
_TAKEN = (3, 4)


@dataclass(frozen=True, slots=True)
class _Resource:
    """How one resource is read: of a task (or the group), of a node, of what was seen in use."""

    kind: Kind
    unit: str
    asked: Callable[[Part], int]
    free: Callable[[NodeRoom], int]
    total: Callable[[NodeRoom], int]
    used: Callable[[Usage], int]


_CPU = _Resource(
    Kind.CPU,
    "MHz",
    lambda task: int((task.get("Resources") or {}).get("CPU") or 100),
    lambda room: room.cpu,
    lambda room: room.cpu_total,
    lambda usage: usage.cpu,
)
_MEMORY = _Resource(
    Kind.MEMORY,
    "MB",
    lambda task: int((task.get("Resources") or {}).get("MemoryMB") or 300),
    lambda room: room.memory,
    lambda room: room.memory_total,
    lambda usage: usage.memory,
)


def _less_of(resource: _Resource) -> Callable[[Case], Answer]:
    def propose(case: Case) -> Answer:
        group = job_parts.group_of(case)
        rooms = () if group is None else nodes.for_group(case, group)
        if group is None or not rooms:
            return None
        tasks = job_parts.tasks(group)
        largest = max(resource.total(room) for room in rooms)
        if sum(resource.asked(task) for task in tasks) <= largest:
            return None
        oversized = [task for task in tasks if resource.asked(task) > largest]
        if len(tasks) > 1 and len(oversized) != 1:
            return choose(
                f"the tasks of group {job_parts.name(group)} together ask for more {resource.kind.value} than any node "
                f"has ({largest} {resource.unit})",
                [f"less {resource.kind.value} for {job_parts.name(task)}" for task in tasks],
            )
        task = oversized[0] if oversized else tasks[0]
        others = sum(resource.asked(one) for one in tasks) - resource.asked(task)
        fits = _fits(rooms, resource.free, group)
        room = _most(fits) - others
        at = job_parts.address(group, task)
        usage = case.evidence.usage.get(at)
        least = max(1, 0 if usage is None else resource.used(usage))
        if room < least or fits * _SHARE < largest:
            return choose(
                f"{at[1]} asks for more {resource.kind.value} than any node has, and the nodes are full",
                (f"less than {largest} {resource.unit} for {at[1]}, and room on a node", "a larger node"),
            )
        edits = [Edit(resource.kind, at, room, f"most of what is free on a node: {room} {resource.unit}")]
        if resource.kind is Kind.MEMORY and int((task.get("Resources") or {}).get("MemoryMaxMB") or 0) > largest:
            edits.append(Edit(Kind.MEMORY_MAX, at, largest, f"the largest node: {largest} MB"))
        reason = f"{at[1]} asks for {resource.asked(task)} {resource.unit}, the largest node has {largest}"
        return fix(case, reason, edits)

    return propose


def _less_disk(case: Case) -> Answer:
    group = job_parts.group_of(case)
    rooms = () if group is None else nodes.for_group(case, group)
    if group is None or not rooms:
        return None
    asked = int((group.get("EphemeralDisk") or {}).get("SizeMB") or 300)
    largest = max(one.disk_total for one in rooms)
    if not 0 < largest < asked:
        return None
    fits = _fits(rooms, lambda one: one.disk, group)
    room = _most(fits)
    logs = max((log_storage(task) for task in job_parts.tasks(group)), default=0)
    name = job_parts.name(group)
    if room <= logs or fits * _SHARE < largest:
        return choose(
            f"group {name} asks for more disk than any node has, and the nodes are full",
            (f"less than {largest} MB for {name}, and room on a node", "a larger node"),
        )
    reason = f"group {name} asks for {asked} MB of disk, the largest node has {largest} MB"
    return fix(case, reason, (Edit(Kind.DISK, (name,), room, f"most of what is free on a node: {room} MB"),))


def _fits(rooms: Sequence[NodeRoom], free: Callable[[NodeRoom], int], group: Part) -> int:
    """What each allocation of the group could have of what is free now."""
    return fitting((free(one) for one in rooms), int(group.get("Count") or 1))


def _most(free: int) -> int:
    part, whole = _TAKEN
    return free * part // whole


def fitting(free: Iterable[int], count: int) -> int:
    """The largest size of which `count` pieces fit into what is free on the nodes; 0 where none does."""
    rooms: Sequence[int] = [room for room in free if room > 0]
    sizes = {room // pieces for room in rooms for pieces in range(1, count + 1)} - {0}
    return max((size for size in sizes if sum(room // size for room in rooms) >= count), default=0)


def log_storage(task: Part) -> int:
    """MB that a task's logs may take of its group's disk, as Nomad counts it: disabled ones too.

    Source: nomad/structs/structs.go, LogConfig.Validate, DefaultLogConfig (10 files of 10 MB).
    """
    logs = task.get("LogConfig") or {}
    return int(logs.get("MaxFiles") or 10) * int(logs.get("MaxFileSizeMB") or 10)


RULES = (
    Rule(name="cpu-that-fits", classes=(FailureClass.CPU_EXHAUSTED,), propose=_less_of(_CPU)),
    Rule(name="memory-that-fits", classes=(FailureClass.MEMORY_EXHAUSTED,), propose=_less_of(_MEMORY)),
    Rule(name="disk-that-fits", classes=(FailureClass.DISK_EXHAUSTED,), propose=_less_disk),
)
