"""Every place of a job that an operation of a kind may change, by the address that the operation would have. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from desired.operations.operation import Kind
from desired.operations.table import Scope, row
from desired.state import JobBody
from reconcilers.repair.rules import job_parts

Address = tuple[str, ...]
# More of one kind make no question shorter to read, nor its answer better.
_MOST = 40


def addresses(body: JobBody, kind: Kind, *, variables: Collection[str] = ()) -> tuple[Address, ...]:
    """In the job's order, each once. `variables` are names that a task's environment may get besides those it has."""
    found = dict.fromkeys(_found(body, kind, variables))
    return tuple(at for at in found if all(part or kind in _MAY_BE_EMPTY for part in at))[:_MOST]


_MAY_BE_EMPTY = frozenset({Kind.CONSTRAINT_VALUE, Kind.CONSTRAINT_REMOVAL})


def _found(body: JobBody, kind: Kind, variables: Collection[str]) -> Iterator[Address]:
    match row(kind).scope:
        case Scope.JOB:
            yield ()
        case Scope.GROUP:
            yield from ((job_parts.name(group),) for group in job_parts.groups(body))
        case Scope.TASK:
            yield from (at for at, _ in _tasks(body))
        case Scope.PORT:
            for group in job_parts.groups(body):
                declared = [port.label for port in job_parts.ports(group)]
                labels = _used(group, declared) if kind is Kind.PORT_ADDED else declared
                yield from ((job_parts.name(group), label) for label in labels)
        case Scope.SERVICE:
            for group in job_parts.groups(body):
                yield from (service.at for service in job_parts.services(group))
        case Scope.CHECK:
            for group in job_parts.groups(body):
                yield from (check.at for check in job_parts.checks(group))
        case Scope.CONSTRAINT:
            yield from _constraints(body)
        case Scope.ENTRY:
            for at, task in _tasks(body):
                held: Mapping[str, Any] = task.get("Env" if kind is Kind.ENV else "Config") or {}
                yield from ((*at, name) for name in (*held, *(variables if kind is Kind.ENV else ())))
        case Scope.TEMPLATE:
            for at, task in _tasks(body):
                yield from ((*at, str(one.get("DestPath") or "")) for one in task.get("Templates") or ())
        case Scope.SECRET:
            for at, task in _tasks(body):
                yield from ((*at, str(one.get("Name") or "")) for one in task.get("Secrets") or ())


def _tasks(body: JobBody) -> Iterator[tuple[Address, job_parts.Part]]:
    for group in job_parts.groups(body):
        yield from (((job_parts.name(group), job_parts.name(task)), task) for task in job_parts.tasks(group))


def _used(group: job_parts.Part, declared: Collection[str]) -> Iterator[str]:
    """Labels that services and checks ask for and no network declares."""
    labels = [service.label for service in job_parts.services(group)]
    labels += [check.label for check in job_parts.checks(group)]
    yield from (label for label in labels if label and label not in declared)


def _constraints(body: JobBody) -> Iterator[Address]:
    owners: list[tuple[Address, Any]] = [((), body)]
    for group in job_parts.groups(body):
        owners.append(((job_parts.name(group),), group))
    owners += list(_tasks(body))
    for at, owner in owners:
        yield from ((*at, str(one.get("LTarget") or "")) for one in owner.get("Constraints") or ())
