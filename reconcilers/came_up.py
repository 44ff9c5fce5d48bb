"""Whether what Nomad has judged unhealthy runs well all the same. Pure.

Nomad judges an allocation once. What passes after its deadline (a registry, a database, a key that appears) leaves a
failed deployment and an allocation that is unhealthy for ever, though everything runs and every check is green. What
runs is held here to all that Nomad judges by: each task where it has to be, each check read and green, the times that
the group asks for. What cannot be read proves nothing.
Source: client/allochealth/tracker.go; recorded: an allocation is judged once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from desired.state import JobBody
from observers.running import Allocation, Running, TaskState

_ENDS = frozenset({"prestart", "poststart"})


def came_up(running: Running, allocation: Allocation) -> bool:
    """Everything that Nomad would judge by is as it should be now. Never of a canary: a person decides on those."""
    group = _group(running, allocation.group)
    if group is None or allocation.canary or not _judged_by_nomad(group):
        return False
    if allocation.client_status != "running" or allocation.desired_status != "run":
        return False
    return _tasks_run(group, allocation) and _checks_pass(running, group, allocation)


def steady_since(running: Running, allocation: Allocation) -> datetime | None:
    """The newest start of a task that has to run on, by Nomad's clock; None where one has none."""
    group = _group(running, allocation.group)
    starts = [allocation.tasks[name].started_at for name in _lasting(group or {}) if name in allocation.tasks]
    known = [one for one in starts if one is not None]
    return max(known) if known and len(known) == len(starts) else None


def least(running: Running, allocation: Allocation) -> timedelta:
    """For how long the group wants it to run before it is called healthy."""
    update = (_group(running, allocation.group) or {}).get("Update") or {}
    return timedelta(microseconds=(update.get("MinHealthyTime") or 0) / 1000)


def _group(running: Running, name: str) -> JobBody | None:
    body = running.job.body if running.job is not None else {}
    return next((one for one in body.get("TaskGroups") or () if one.get("Name") == name), None)


def _judged_by_nomad(group: JobBody) -> bool:
    """Where a person or a program says what is healthy, its word stands."""
    return (group.get("Update") or {}).get("HealthCheck") != "manual"


def _tasks_run(group: JobBody, allocation: Allocation) -> bool:
    lasting = _lasting(group)
    if not lasting:
        return False
    for task in group.get("Tasks") or ():
        state = allocation.tasks.get(str(task.get("Name")))
        if _hook(task) == "poststop":
            continue
        if state is None or not _as_it_should_be(state, runs=str(task.get("Name")) in lasting):
            return False
    return True


def _as_it_should_be(state: TaskState, *, runs: bool) -> bool:
    if state.failed:
        return False
    return state.state == "running" and state.started_at is not None if runs else state.state == "dead"


def _lasting(group: JobBody) -> frozenset[str]:
    """The tasks that have to run as long as the allocation does."""
    return frozenset(
        str(task.get("Name"))
        for task in group.get("Tasks") or ()
        if _hook(task) != "poststop" and (_hook(task) not in _ENDS or (task.get("Lifecycle") or {}).get("Sidecar"))
    )


def _hook(task: Mapping[str, Any]) -> str:
    return str((task.get("Lifecycle") or {}).get("Hook") or "")


def _checks_pass(running: Running, group: JobBody, allocation: Allocation) -> bool:
    wanted = 0
    for service in _services(group):
        checks = service.get("Checks") or ()
        if checks and service.get("Provider") != "nomad":
            return False  # Consul knows, and nobody has asked it
        wanted += len(checks)
    if not wanted:
        return True
    told = [one for one in running.checks or () if one.allocation == allocation.id]
    return len(told) >= wanted and all(one.status == "success" for one in told)


def _services(group: JobBody) -> Iterator[Mapping[str, Any]]:
    for holder in (group, *(group.get("Tasks") or ())):
        yield from holder.get("Services") or ()
