"""Parts of a job by the role they play in a failure, so that the same part of another job can be found. Pure.

A role is `group`, `task`, `service`, `check` or `port`: the one that the diagnosis names, or the only one there is.
What is called the same in every app (a key of a driver's config, an environment variable) stands as `=name`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from desired.operations.operation import Kind, Operation
from desired.operations.table import Scope, row
from desired.state import JobBody
from reconcilers.repair.proposal import Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.job_parts import Part

# The parts of an address, outermost first; one part less where the task part is not there.
_SHAPES: Mapping[Scope, tuple[str, ...]] = {
    Scope.JOB: (),
    Scope.GROUP: ("group",),
    Scope.TASK: ("group", "task"),
    Scope.PORT: ("group", "port"),
    Scope.SERVICE: ("group", "task", "service"),
    Scope.CHECK: ("group", "task", "service", "check"),
    Scope.ENTRY: ("group", "task", "="),
    Scope.TEMPLATE: ("group", "task", "="),
    Scope.SECRET: ("group", "task", "="),
}


def of(one: Operation, case: Case, body: JobBody) -> tuple[str, ...] | None:
    """The roles of what the operation addresses; None where a part of it is one of several, and not the diagnosed."""
    shape = _SHAPES.get(row(one.kind).scope)
    if shape is None:
        return None
    if len(one.at) == len(shape) - 1:
        shape = tuple(part for part in shape if part != "task")
    at = tuple(f"={name}" if part == "=" else part for part, name in zip(shape, one.at, strict=True))
    if one.kind is Kind.PORT_ADDED:
        # It is not there yet: what it is called is what the job uses already.
        at = ("group", f"={one.at[1]}")
    return at if found(one.kind, at, case, body) == one.at else None


def found(kind: Kind, at: Sequence[str], case: Case, body: JobBody) -> tuple[str, ...] | None:
    """The address in this job that the roles stand for; None where there is none, or not exactly one."""
    names: list[str] = []
    group: Part | None = None
    for part in at:
        if part.startswith("="):
            names.append(part[1:])
            continue
        told = getattr(case.diagnosis, part)
        if part == "group":
            group = _the(job_parts.groups(body), told)
            if group is None:
                return None
            names.append(job_parts.name(group))
            continue
        assert group is not None
        one = _one(part, names, group, told)
        if one is None:
            return None
        names.append(one)
    return tuple(names)


def labels(body: JobBody, group: str) -> tuple[str, ...]:
    """Those that the group declares, in its order."""
    part = _the(job_parts.groups(body), group)
    return tuple(port.label for port in job_parts.ports(part)) if part is not None else ()


def _one(part: str, above: Sequence[str], group: Part, told: str) -> str | None:
    match part:
        case "task":
            there = [job_parts.name(task) for task in job_parts.tasks(group)]
        case "port":
            there = [port.label for port in job_parts.ports(group)]
        case "service":
            there = [one.at[-1] for one in job_parts.services(group) if one.at[:-1] == tuple(above)]
        case _:
            there = [one.at[-1] for one in job_parts.checks(group) if one.at[:-1] == tuple(above)]
    return told if there.count(told) == 1 else there[0] if not told and len(there) == 1 else None


def _the(parts: Iterable[Part], told: str) -> Part | None:
    fitting = [part for part in parts if not told or job_parts.name(part) == told]
    return fitting[0] if len(fitting) == 1 else None
