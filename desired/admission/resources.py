"""Rules of what is given to a task or a group. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from desired.admission.job_parts import groups, place_of, tasks, where
from desired.admission.rules import PolicySpec
from desired.objection import Objection
from desired.state import JobBody


def resources(body: JobBody, rules: PolicySpec) -> Iterator[Objection]:
    most = rules.resources
    if most is None:
        return
    for group in groups(body):
        name = str(group.get("Name") or "")
        disk = (group.get("EphemeralDisk") or {}).get("SizeMB") or 0
        count = group.get("Count")
        count = 1 if count is None else count
        for rule, value, ceiling, block in (
            ("count", count, most.count, "count"),
            ("disk", disk, most.disk, "ephemeral_disk"),
        ):
            if ceiling is not None and value > ceiling:
                message = f"group {name}: {rule} {value} is above the limit of {ceiling}"
                yield Objection(f"resources.{rule}", message, f"at most {ceiling}", ("group", name, block))
    for group, task in tasks(body):
        asked, label = task.get("Resources") or {}, where(group, task)
        for rule, field, ceiling, attribute in (
            ("cpu", "CPU", most.cpu, "cpu"),
            ("cores", "Cores", most.cores, "cores"),
            ("memory", "MemoryMB", most.memory, "memory"),
            ("memoryMax", "MemoryMaxMB", most.memory_max, "memory_max"),
        ):
            value = asked.get(field) or 0
            if ceiling is not None and value > ceiling:
                message = f"{label}: {attribute} {value} is above the limit of {ceiling}"
                at = (*place_of(group, task), "resources", attribute)
                yield Objection(f"resources.{rule}", message, f"at most {ceiling}", at)
        if most.limits_required and not asked.get("MemoryMB"):
            at = place_of(group, task)
            fix = "write resources { memory = … }"
            yield Objection("resources.limitsRequired", f"{label}: says nowhere how much memory it is given", fix, at)
