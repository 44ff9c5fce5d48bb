"""Every operation that could be applied to a job: one or two for each kind and each address that the job has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from desired.operations.apply import PreconditionGone, current, holds
from desired.operations.operation import Kind, Operation, Value
from desired.operations.table import ROWS, How, Row, Scope, Type, row

NEW: dict[Type, tuple[Value, ...]] = {
    Type.WHOLE: (61, 7_000_000_000),
    Type.FLAG: (True, False),
    Type.TEXT: ("new", 'a "b" \\ ${NOMAD_PORT_x} ${var.y} {{ c }}'),
    Type.TEXTS: (("one",), ("x", "${NOMAD_IP_y}", "-z")),
    Type.ANY: ("text", ("a", "b"), 5, True),
}
_PIECE = re.compile(r"[A-Za-z_/]{3,}")


def operations_on(body: Any) -> list[Operation]:
    """All of them hold."""
    return [one for spec in ROWS.values() for at in _addresses(body, spec) for one in _changes(body, spec, at)]


def _changes(body: Any, spec: Row, at: tuple[str, ...]) -> Iterator[Operation]:
    for new in _values(body, spec, at):
        try:
            old = new[0] if spec.how is How.FRAGMENT else current(body, spec.kind, at)
        except PreconditionGone:
            continue
        to = new[1] if spec.how is How.FRAGMENT else new
        one = Operation(spec.kind, at, old, to)
        if old != to and holds(body, one):
            yield one


def _values(body: Any, spec: Row, at: tuple[str, ...]) -> list[Any]:
    match spec.kind:
        case Kind.CONSTRAINT_REMOVAL | Kind.STATIC_PORT:
            return [None, 8080] if spec.kind is Kind.STATIC_PORT else [None]
        case Kind.PORT_ADDED:
            return [9000, 0]
        case Kind.VAULT_ADDED:
            return [""]
        case Kind.TEMPLATE_DELIMITERS:
            return ["[[ ]]"]
        case Kind.DRIVER_KEY:
            return ["renamed", None]
        case Kind.PORT_LABEL | Kind.CHECK_NAME:
            return ["renamed"]
    if spec.how is How.FRAGMENT:
        text = current(body, spec.kind, at)
        return [(each, f"{each}X") for each in _PIECE.findall(text)[:3]] if isinstance(text, str) else []
    removable = spec.scope is Scope.ENTRY or spec.kind in (Kind.COMMAND, Kind.ARGS, Kind.WORK_DIR, Kind.PORT_TO)
    return [*NEW[spec.type], *([None] if removable else [])]


def _addresses(body: Any, spec: Row) -> Iterator[tuple[str, ...]]:
    if spec.scope is Scope.JOB:
        yield ()
    if spec.scope is Scope.CONSTRAINT:
        yield from ((each["LTarget"],) for each in body.get("Constraints") or ())
    for group in body.get("TaskGroups") or ():
        name = group["Name"]
        if spec.scope is Scope.GROUP:
            yield (name,)
        if spec.scope is Scope.CONSTRAINT:
            yield from ((name, each["LTarget"]) for each in group.get("Constraints") or ())
        if spec.scope is Scope.PORT:
            if spec.kind is Kind.PORT_ADDED:
                yield (name, "added")
            for network in group.get("Networks") or ():
                for port in [*(network["DynamicPorts"] or ()), *(network["ReservedPorts"] or ())]:
                    yield (name, port["Label"])
        yield from _of_services(body, spec, group, (name,))
        for task in group.get("Tasks") or ():
            at = (name, task["Name"])
            if spec.scope is Scope.TASK:
                yield at
            if spec.scope is Scope.CONSTRAINT:
                yield from ((*at, each["LTarget"]) for each in task.get("Constraints") or ())
            if spec.scope is Scope.ENTRY:
                held = task.get(spec.path[0]) or {}
                yield from ((*at, key) for key in held)
                if spec.kind is not Kind.DRIVER_KEY:
                    yield (*at, "ADDED")
            if spec.scope is Scope.SECRET:
                yield from ((*at, each["Name"]) for each in task.get("Secrets") or ())
            if spec.scope is Scope.TEMPLATE:
                yield from ((*at, each["DestPath"] or "") for each in task.get("Templates") or ())
            yield from _of_services(body, spec, task, at)


def _of_services(body: Any, spec: Row, owner: Any, at: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for service in owner.get("Services") or ():
        name = service["Name"] or "-".join([body["Name"], *at])
        if spec.scope is Scope.SERVICE:
            yield (*at, name)
        if spec.scope is Scope.CHECK:
            for check in service["Checks"] or ():
                yield (*at, name, check["Name"] or f'service: "{name}" check')


__all__ = ["operations_on", "row"]
