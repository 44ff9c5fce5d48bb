"""Finds what an address names in a job's JSON. Pure; nothing is changed here.

Names are compared as people wrote them and as Nomad completes them: a service or check without a name has Nomad's
default one. Keys are matched without regard to case, as Nomad's own decoder does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from desired.job.spec import Check, Constraint, Group, Job, Port, Secret, Service, Task, Template
from desired.operations.table import Row, Scope, fits_address
from desired.state import JobBody

Step = str | int
Block = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A block of a job: the keys and numbers that lead to it, its class, and what it holds."""

    steps: tuple[Step, ...]
    kind: type
    block: Block

    def inside(self, key: str, number: int, kind: type, block: Block) -> Place:
        return Place((*self.steps, spelled(self.block, key), number), kind, block)


@dataclass(frozen=True, slots=True)
class Missing:
    """Why an address names nothing: `no task app in group web`."""

    words: str


def spelled(block: Block, key: str) -> str:
    """A key as it is written in this block; as Nomad writes it where it is not there."""
    if key in block:
        return key
    return next((each for each in block if each.lower() == key.lower()), key)


def get(block: Block, key: str) -> Any:
    return block.get(spelled(block, key))


def listed(block: Block, key: str) -> list[Block]:
    found = get(block, key)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list | tuple) else []


def find(body: JobBody, row: Row, at: tuple[str, ...]) -> Place | Missing:
    """The block that the address names; for an entry, the task that has it. Of several of a name, the first."""
    found = next(iter(every(body, row, at)), None)
    return found if found is not None else _missing(body, row, at)


def every(body: JobBody, row: Row, at: tuple[str, ...]) -> Iterator[Place]:
    """All blocks that the address names: constraints and duplicates may share one."""
    job = Place((), Job, body)
    if not fits_address(row, at):
        return
    match row.scope:
        case Scope.JOB:
            yield job
        case Scope.GROUP:
            yield from _groups(job, at[0])
        case Scope.TASK:
            yield from _tasks(job, at)
        case Scope.ENTRY:
            yield from _tasks(job, at[:2])
        case Scope.PORT:
            for group in _groups(job, at[0]):
                yield from ports(group, at[1])
        case Scope.SERVICE:
            yield from _services(job, at)
        case Scope.CHECK:
            for service in _services(job, at[:-1]):
                yield from _named(service, "Checks", Check, at[-1], f'service: "{at[-2]}" check')
        case Scope.CONSTRAINT:
            for owner in _owners(job, at[:-1]):
                yield from _where(owner, "Constraints", Constraint, "LTarget", at[-1])
        case Scope.TEMPLATE:
            for task in _tasks(job, at[:2]):
                yield from _where(task, "Templates", Template, "DestPath", at[-1])
        case Scope.SECRET:
            for task in _tasks(job, at[:2]):
                yield from _where(task, "Secrets", Secret, "Name", at[-1])


def ports(group: Place, label: str) -> Iterator[Place]:
    """The ports of a label, static and dynamic, in all networks of a group."""
    for number, network in enumerate(listed(group.block, "Networks")):
        inner = Place((*group.steps, spelled(group.block, "Networks"), number), Port, network)
        for key in ("DynamicPorts", "ReservedPorts"):
            yield from _where(inner, key, Port, "Label", label)


def effective_port(service: Block, check: Block) -> Any:
    """A check without a port of its own looks where its service is."""
    return get(check, "PortLabel") or get(service, "PortLabel")


def _groups(job: Place, name: str) -> Iterator[Place]:
    yield from _where(job, "TaskGroups", Group, "Name", name)


def _tasks(job: Place, at: tuple[str, ...]) -> Iterator[Place]:
    for group in _groups(job, at[0]):
        yield from _where(group, "Tasks", Task, "Name", at[1])


def _owners(job: Place, at: tuple[str, ...]) -> Iterator[Place]:
    if not at:
        yield job
    elif len(at) == 1:
        yield from _groups(job, at[0])
    else:
        yield from _tasks(job, at)


def _services(job: Place, at: tuple[str, ...]) -> Iterator[Place]:
    """Source of the default name: api/services.go Canonicalize; of what is filled in: structs Service.Canonicalize."""
    base = "-".join([str(get(job.block, "Name") or get(job.block, "ID") or ""), *at[:-1]])
    filled = {
        "JOB": str(get(job.block, "Name") or get(job.block, "ID") or ""),
        "TASKGROUP": at[0],
        "TASK": at[1] if len(at) == 3 else "group",
    }
    filled["BASE"] = "-".join([filled["JOB"], filled["TASKGROUP"], filled["TASK"]])
    for owner in _owners(job, at[:-1]):
        yield from _named(owner, "Services", Service, at[-1], base, filled)


def _named(
    owner: Place, key: str, kind: type, name: str, default: str, filled: Mapping[str, str] | None = None
) -> Iterator[Place]:
    for number, block in enumerate(listed(owner.block, key)):
        written = str(get(block, "Name") or "") or default
        completed = written
        for variable, value in (filled or {}).items():
            completed = completed.replace(f"${{{variable}}}", value)
        if name in (written, completed):
            yield owner.inside(key, number, kind, block)


def _where(owner: Place, key: str, kind: type, part: str, name: str) -> Iterator[Place]:
    for number, block in enumerate(listed(owner.block, key)):
        if (get(block, part) or "") == name:
            yield owner.inside(key, number, kind, block)


def _missing(body: JobBody, row: Row, at: tuple[str, ...]) -> Missing:
    if not fits_address(row, at):
        return Missing(f"{len(at)} names do not make the address of a {row.scope.value}")
    job = Place((), Job, body)
    if row.scope is Scope.CONSTRAINT and len(at) == 1:
        return Missing(f"no constraint on {at[0]} in the job")
    if not any(_groups(job, at[0])):
        return Missing(f"no group {at[0]}")
    inner = at[:-1] if row.scope not in (Scope.GROUP, Scope.TASK) else at
    in_task = len(inner) >= 2 and (row.scope is not Scope.CHECK or len(at) == 4)
    if in_task and not any(_tasks(job, inner[:2])):
        return Missing(f"no task {inner[1]} in group {at[0]}")
    if row.scope is Scope.CHECK and not any(_services(job, at[:-1])):
        return Missing(f"no service {at[-2]} in {'/'.join(at[:-2])}")
    return Missing(f"no {row.scope.value} {at[-1]} in {'/'.join(at[:-1])}")
