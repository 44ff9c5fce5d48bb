"""Sizes that Nomad refuses or that are too small: its own minimum, logs and disk that fit together, a fuller disk."""

from __future__ import annotations

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts, nodes
from reconcilers.repair.rules.job_parts import Part
from reconcilers.repair.rules.room import log_storage
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix

_STEP = 2
# Source: nomad/structs, DefaultEphemeralDisk, DefaultLogConfig.
_DISK = 300
_LOGS = 10
_RESOURCES = {
    "cpu": (Kind.CPU, "Resources", "CPU"),
    "memory": (Kind.MEMORY, "Resources", "MemoryMB"),
    "memory_max": (Kind.MEMORY_MAX, "Resources", "MemoryMaxMB"),
    "log_files": (Kind.LOG_FILES, "LogConfig", "MaxFiles"),
    "log_file_size": (Kind.LOG_FILE_SIZE, "LogConfig", "MaxFileSizeMB"),
}


def _below_minimum(case: Case) -> Answer:
    """Nomad's own minimum, wherever the job says exactly what was refused."""
    facts = case.diagnosis.facts
    resource, found, minimum = facts.get("resource", ""), facts.get("found", ""), facts.get("minimum", "")
    if not minimum.isdigit() or not found.removeprefix("-").isdigit():
        return None
    least, refused = int(minimum), int(found)
    reason = f"{resource} of {refused} is below the {least} that Nomad takes"
    if resource == "memory_max" and least > refused * _STEP:
        return choose(f"memory_max ({refused} MB) is less than memory ({least} MB)", ("less memory", "more memory_max"))
    edits = []
    for group in _groups(case):
        name = job_parts.name(group)
        if resource == "disk" and int((group.get("EphemeralDisk") or {}).get("SizeMB") or 0) == refused:
            logs = max((log_storage(task) for task in job_parts.tasks(group)), default=0)
            # Nomad's minimum would be refused next, for want of room for the logs.
            roomy, ground = (
                (least, "Nomad's minimum") if logs < least else (_DISK, "Nomad's default: it holds the logs")
            )
            edits.append(Edit(Kind.DISK, (name,), roomy, ground))
        if resource not in _RESOURCES:
            continue
        kind, block, key = _RESOURCES[resource]
        for task in job_parts.tasks(group):
            told = (task.get(block) or {}).get(key)
            if case.diagnosis.task in ("", job_parts.name(task)) and told is not None and int(told) == refused:
                edits.append(Edit(kind, (name, job_parts.name(task)), least, "the least that Nomad takes"))
    return fix(case, reason, edits)


def _logs(case: Case) -> Answer:
    """More disk where the logs were asked for; smaller logs where only the disk was. Both: more disk takes nothing."""
    edits: list[Edit] = []
    for group in _groups(case):
        name = job_parts.name(group)
        disk = int((group.get("EphemeralDisk") or {}).get("SizeMB") or _DISK)
        excessive = [task for task in job_parts.tasks(group) if log_storage(task) >= disk]
        if not excessive:
            continue
        most = max(log_storage(task) for task in excessive)
        if disk < _DISK and all(_default_logs(task) for task in excessive):
            size = (disk - 1) // _LOGS
            if size < 1:
                edits.append(Edit(Kind.DISK, (name,), _DISK, "Nomad's default: it holds the logs"))
                continue
            ground = f"{_LOGS} files that fit into {disk} MB; the job asks for no size of its own"
            edits += [Edit(Kind.LOG_FILE_SIZE, (name, job_parts.name(task)), size, ground) for task in excessive]
            continue
        wanted = most + max(1, min(most, disk * _STEP - most) // 2)
        rooms = nodes.for_group(case, group)
        if (
            wanted > case.ceilings.get("disk", wanted)
            or wanted > disk * _STEP
            or (rooms and wanted > max(room.disk for room in rooms))
        ):
            return choose(
                f"logs of {most} MB do not fit into a disk of {disk} MB", ("fewer or smaller log files", "more disk")
            )
        edits.append(Edit(Kind.DISK, (name,), wanted, f"more than the {most} MB of the logs, ×{_STEP} at most"))
    return fix(case, "the logs of a task may fill its group's disk", edits)


def _default_logs(task: Part) -> bool:
    logs = task.get("LogConfig") or {}
    return int(logs.get("MaxFiles") or _LOGS) == _LOGS and int(logs.get("MaxFileSizeMB") or _LOGS) == _LOGS


def _fuller(case: Case) -> Answer:
    """A bounded step, cut at what a node has."""
    group = job_parts.group_of(case)
    if group is None:
        return None
    disk = int((group.get("EphemeralDisk") or {}).get("SizeMB") or _DISK)
    bounds = [disk * _STEP, *(most["disk"] for most in (case.limits, case.ceilings) if "disk" in most)]
    rooms = nodes.for_group(case, group)
    if rooms:
        bounds.append(max(room.disk for room in rooms))
    new = min(bounds)
    if new <= disk:
        return choose(f"the disk of {disk} MB is full, and no more is allowed or there", ("a node with more disk",))
    at = (job_parts.name(group),)
    return fix(case, f"the disk of {disk} MB is full", (Edit(Kind.DISK, at, new, f"a step, ×{_STEP} at most"),))


def _groups(case: Case) -> list[Part]:
    wanted = case.diagnosis.group
    return [group for group in job_parts.groups(case.body) if wanted in ("", job_parts.name(group))]


RULES = (
    Rule(name="minimum", classes=(FailureClass.RESOURCES_BELOW_MINIMUM,), propose=_below_minimum),
    Rule(name="log-storage", classes=(FailureClass.LOG_STORAGE_TOO_LARGE,), propose=_logs),
    Rule(name="disk-growth", classes=(FailureClass.TASK_DISK_FULL,), propose=_fuller),
)
