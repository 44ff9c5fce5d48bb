"""Rules of what is given to a task or a group. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from desired.admission.job_parts import groups, place_of, tasks, where
from desired.admission.rules import PolicySpec
from desired.objection import Objection
from desired.state import JobBody

# What Nomad gives where a job does not say. Source: nomad api/resources.go, api/tasks.go (2.0.5). A negative memory_max
# is all that a node has: nomad/structs, memoryNoLimit.
_CPU, _MEMORY, _DISK = 100, 300, 300


def resources(body: JobBody, rules: PolicySpec) -> Iterator[Objection]:
    most = rules.resources
    if most is None:
        return
    for group in groups(body):
        name = str(group.get("Name") or "")
        for rule, value, ceiling, place in (
            ("count", _or(group.get("Count"), 1), most.count, ("count",)),
            # What an autoscaler may make of it.
            ("count", _or((group.get("Scaling") or {}).get("Max"), 0), most.count, ("scaling", "max")),
            ("disk", _or((group.get("EphemeralDisk") or {}).get("SizeMB"), _DISK), most.disk, ("ephemeral_disk",)),
        ):
            if ceiling is not None and value > ceiling:
                message = f"group {name}: {rule} {value} is above the limit of {ceiling}"
                yield Objection(f"resources.{rule}", message, f"at most {ceiling}", ("group", name, *place))
    for group, task in tasks(body):
        asked, label = task.get("Resources") or {}, where(group, task)
        for rule, value, ceiling, attribute in (
            ("cpu", _or(asked.get("CPU"), 0 if asked.get("Cores") else _CPU), most.cpu, "cpu"),
            ("cores", _or(asked.get("Cores"), 0), most.cores, "cores"),
            ("memory", _or(asked.get("MemoryMB"), _MEMORY), most.memory, "memory"),
            ("memoryMax", _or(asked.get("MemoryMaxMB"), 0), most.memory_max, "memory_max"),
        ):
            if ceiling is not None and (value > ceiling or value < 0):
                message = (
                    f"{label}: {attribute} {value if value >= 0 else 'without end'} is above the limit of {ceiling}"
                )
                at = (*place_of(group, task), "resources", attribute)
                yield Objection(f"resources.{rule}", message, f"at most {ceiling}", at)
        if most.limits_required and not asked.get("MemoryMB"):
            at = place_of(group, task)
            fix = "write resources { memory = … }"
            yield Objection("resources.limitsRequired", f"{label}: says nowhere how much memory it is given", fix, at)


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
