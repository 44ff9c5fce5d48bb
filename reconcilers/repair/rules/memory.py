"""Memory for tasks that were killed for want of it: bounded steps from what was asked for or seen in use."""

from __future__ import annotations

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts, nodes
from reconcilers.repair.rules.job_parts import Part
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix

_STEP = 2
# A step that is cut to less than this is none: the task would be killed again, and an attempt be lost.
_LEAST_STEP = 1.2
# Where an app sets its own heap, more memory for the task changes nothing about it.
_HEAP_FLAGS = ("-Xmx", "-XX:MaxRAM", "max-old-space-size", "GOMEMLIMIT")
# Source: nomad, the warning of a register while the scheduler does not oversubscribe memory (recorded: warnings).
_MAX_IGNORED = "Memory oversubscription is not enabled"


def _grow(case: Case) -> Answer:
    found = job_parts.task_of(case)
    if found is None:
        return None
    group, task = found
    at = job_parts.address(group, task)
    request, most = _asked(task)
    used = case.evidence.usage.get(at)
    seen = used.memory if used is not None else 0
    if case.diagnosis.failure is FailureClass.OOM_SUSPECTED:
        if any(flag in text for text in job_parts.texts(task) for flag in _HEAP_FLAGS):
            return choose(
                "the app sets the size of its own heap: either that or the task's memory is wrong",
                (f"more memory for {at[1]} than {request} MB", "another size of the app's heap"),
            )
        if not seen:
            # Exit code 137 alone, or a log that speaks of memory, is no measure: anybody may kill, and write that.
            return choose(
                f"{at[1]} was killed, and nothing measured says that it wanted memory: find out who or what kills it",
                (f"more memory for {at[1]} than {request} MB",),
            )
        if case.diagnosis.facts.get("hint") != "usage" and seen * 5 < request * 4:
            return None
    effective = most if most > request and _MAX_IGNORED not in case.evidence.warnings else request
    if effective <= 0:
        return None
    wanted = max(effective, seen) * _STEP
    ceiling, whose = _ceiling(case, group, at, effective > request)
    new = wanted if ceiling is None else min(wanted, ceiling)
    if new < max(effective * _LEAST_STEP, seen):
        needs = f"was seen to use {seen} MB" if new < seen else f"needs more than {effective} MB"
        return choose(
            f"{at[1]} {needs}, and {whose} {'allow' if whose.endswith('rules') else 'allows'} {ceiling} MB",
            (f"raise {whose} and give {at[1]} more memory", f"let {at[1]} use less"),
        )
    ground = f"a step from {'the observed use' if seen > effective else 'the old value'}, ×{_STEP} at most" + (
        f", cut at {whose}" if new < wanted else ""
    )
    suspected = case.diagnosis.failure is FailureClass.OOM_SUSPECTED
    reason = f"{at[1]} was {'probably ' if suspected else ''}killed for want of memory at {effective} MB"
    if effective > request:
        return fix(case, reason, (Edit(Kind.MEMORY_MAX, at, new, ground),))
    edits = [Edit(Kind.MEMORY, at, new, ground)]
    if 0 < most < new:
        # Nomad refuses a memory_max below memory; raised first, so that no state in between is invalid.
        edits.insert(0, Edit(Kind.MEMORY_MAX, at, new, "no less than memory"))
    return fix(case, reason, edits)


def _asked(task: Part) -> tuple[int, int]:
    """`memory` (Nomad's default where there is none) and `memory_max` (0 where there is none), MB."""
    resources = task.get("Resources") or {}
    return int(resources.get("MemoryMB") or 300), max(0, int(resources.get("MemoryMaxMB") or 0))


def _ceiling(case: Case, group: Part, at: tuple[str, str], only_max: bool) -> tuple[int | None, str]:
    """The least of the manifest's limit, the cluster's rules and what a node could give, None where none is known; and
    whose it is.

    What a running allocation of the task holds on a node comes free when it is replaced. `memory_max` is not reserved:
    a node's size bounds it, not what is free.
    """
    known: list[tuple[int, str]] = []
    if "memory" in case.limits:
        known.append((case.limits["memory"], "the manifest's limit"))
    task = next(one for one in job_parts.tasks(group) if job_parts.name(one) == at[1])
    own, most = _asked(task)
    # Where `memory_max` is below what memory is to be, it is raised with it.
    bound = (["memory"] if not only_max else []) + (["memory_max"] if only_max or most > 0 else [])
    known += [(case.ceilings[name], "the cluster's rules") for name in bound if name in case.ceilings]
    rooms = nodes.for_group(case, group)
    if rooms and only_max:
        known.append((max(room.memory_total for room in rooms), "the largest node"))
    elif rooms:
        held = {one.node_id for one in case.evidence.allocations if one.group == at[0] and not one.terminal}
        free = max(room.memory + (own if room.node.id in held else 0) for room in rooms)
        known.append((free, "what is free on a node"))
    return min(known) if known else (None, "")


RULES = (Rule(name="memory-growth", classes=(FailureClass.OOM_KILLED, FailureClass.OOM_SUSPECTED), propose=_grow),)
