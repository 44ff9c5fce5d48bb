"""Applies operations to a job's JSON: pure, and only what is addressed changes.

An operation applies only to a job that says what it expects; otherwise PreconditionGone says what was found. A value
that is not set counts as Nomad's default, and a group's update and reschedule settings as the job's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from desired.job.spec import Port
from desired.operations import shown
from desired.operations.blocks import PRESENCES
from desired.operations.change import block_at, put, with_block
from desired.operations.fragment import replaced
from desired.operations.operation import Kind, Operation, Value
from desired.operations.place import Missing, Place, every, find, get, spelled
from desired.operations.precondition import PreconditionGone
from desired.operations.standing import constraint_words, current, expect, is_there, owner_of, plain, same, text_of
from desired.operations.table import How, Row, Scope, fits, row
from desired.state import JobBody

__all__ = ["PreconditionGone", "apply", "current", "done", "holds", "inverse"]


def apply(body: JobBody, operations: Iterable[Operation]) -> JobBody:
    """The job with the operations applied in order. The job itself is never changed; raises PreconditionGone."""
    for operation in operations:
        body = _applied(body, operation)
    return body


def holds(body: JobBody, operation: Operation) -> bool:
    """Whether the operation can be applied: what it expects is there."""
    try:
        _applied(body, operation)
    except PreconditionGone:
        return False
    return True


def done(body: JobBody, operation: Operation) -> bool:
    """Whether the job says already what the operation would make it say."""
    spec = row(operation.kind)
    old, new = operation.old, operation.new
    if spec.how is How.RENAME:
        renamed = isinstance(new, str) and is_there(body, spec, (*operation.at[:-1], new))
        return not is_there(body, spec, operation.at) if new is None else renamed
    if spec.how is How.FRAGMENT:
        text = text_of(body, spec, operation.at)
        if text is None or not isinstance(old, str) or not isinstance(new, str):
            return False
        return new in text and replaced(text, old, new) == text
    if operation.kind is Kind.CONSTRAINT_REMOVAL:
        told = old if new is None else new
        there = any(constraint_words(place.block) == told for place in every(body, spec, operation.at))
        return there is (new is not None)
    try:
        return same(spec, current(body, operation.kind, operation.at), new)
    except PreconditionGone:
        return new is None and operation.kind is Kind.PORT_ADDED


def inverse(operation: Operation) -> Operation | None:
    """The operation that takes this one back; None where it cannot be told from the operation alone.

    What was not set is set to Nomad's default by it. A removed driver key has lost its value.
    """
    spec = row(operation.kind)
    if spec.how is How.RENAME:
        if not isinstance(operation.new, str):
            return None
        at = (*operation.at[:-1], operation.new)
        return Operation(operation.kind, at, operation.new, operation.at[-1])
    return replace(operation, old=operation.new, new=operation.old)


def _applied(body: JobBody, operation: Operation) -> JobBody:
    spec = row(operation.kind)
    if not fits(spec, operation.old) or not fits(spec, operation.new):
        raise PreconditionGone(operation, f"a value that is no {spec.type.value}")
    match spec.how:
        case How.FRAGMENT:
            return _with_fragment(body, spec, operation)
        case How.RENAME:
            return _renamed(body, spec, operation)
        case How.PRESENCE:
            return PRESENCES[operation.kind](body, spec, operation)
    place = _place(body, spec, operation)
    if operation.kind is not Kind.CONSTRAINT_VALUE:
        expect(body, spec, operation, place)
    match spec.how:
        case How.STATIC:
            return _moved(body, operation, place)
        case How.DELIMITERS:
            return _with_delimiters(body, operation, place)
    owner, path = owner_of(body, spec, operation.at, place)
    changed = put(owner.block, owner.kind, path, _json(operation.new))
    return with_block(body, owner.steps, changed)


def _place(body: JobBody, spec: Row, operation: Operation) -> Place:
    if operation.kind is Kind.CONSTRAINT_VALUE:
        for place in every(body, spec, operation.at):
            if same(spec, plain(get(place.block, "RTarget") or None, spec, operation.at), operation.old):
                return place
    place_or_missing = find(body, spec, operation.at)
    if isinstance(place_or_missing, Missing):
        raise PreconditionGone(operation, place_or_missing.words)
    if operation.kind is Kind.CONSTRAINT_VALUE:
        raise PreconditionGone(operation, shown.shown_value(spec, operation.at, get(place_or_missing.block, "RTarget")))
    return place_or_missing


def _json(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _with_fragment(body: JobBody, spec: Row, operation: Operation) -> JobBody:
    old, new = operation.old, operation.new
    if not isinstance(old, str) or not isinstance(new, str) or not old:
        raise PreconditionGone(operation, "no text to look for")
    places = list(every(body, spec, operation.at))
    if not places:
        place = find(body, spec, operation.at)
        raise PreconditionGone(operation, place.words if isinstance(place, Missing) else "nothing")
    for place in places:
        text = get(place.block, spec.path[0])
        changed = replaced(text, old, new) if isinstance(text, str) else text
        if changed != text:
            return with_block(body, place.steps, put(place.block, place.kind, spec.path, changed))
    if get(places[0].block, spec.path[0]) is None and get(places[0].block, "SourcePath"):
        raise PreconditionGone(operation, "a template whose text is in a file of its own")
    raise PreconditionGone(operation, "a template without it")


def _renamed(body: JobBody, spec: Row, operation: Operation) -> JobBody:
    name, new = operation.at[-1] if operation.at else "", operation.new
    places = list(every(body, spec, operation.at))
    if not places:
        place = find(body, spec, operation.at)
        raise PreconditionGone(operation, place.words if isinstance(place, Missing) else "nothing")
    if spec.scope is Scope.ENTRY:
        places = [each for each in places if name in (get(each.block, spec.path[0]) or {})]
    if operation.old != name or not places:
        raise PreconditionGone(operation, f"no {name}")
    if isinstance(new, str) and is_there(body, spec, (*operation.at[:-1], new)):
        raise PreconditionGone(operation, f"another {new} there")
    # Of several of a name, the first keeps it.
    place = places[-1]
    if spec.scope is not Scope.ENTRY:
        if not isinstance(new, str) or not new:
            raise PreconditionGone(operation, "no name to give")
        return with_block(body, place.steps, put(place.block, place.kind, spec.path, new))
    key = spelled(place.block, spec.path[0])
    entries = {
        (new if each == name and isinstance(new, str) else each): value
        for each, value in place.block[key].items()
        if each != name or new is not None
    }
    return with_block(body, place.steps, {**place.block, key: entries})


def _moved(body: JobBody, operation: Operation, place: Place) -> JobBody:
    """Static ports and dynamic ones stand in lists of their own."""
    static = operation.new or 0
    network_steps, key, number = place.steps[:-2], place.steps[-2], place.steps[-1]
    assert isinstance(key, str) and isinstance(number, int)
    port = put(place.block, Port, ("Value",), static)
    network = block_at(body, network_steps)
    wanted = spelled(network, "ReservedPorts" if static else "DynamicPorts")
    if key == wanted:
        return with_block(body, place.steps, port)
    left = [each for index, each in enumerate(network[key]) if index != number]
    changed = {**network, key: left or None, wanted: [*(network.get(wanted) or []), port]}
    return with_block(body, network_steps, changed)


def _with_delimiters(body: JobBody, operation: Operation, place: Place) -> JobBody:
    left, _, right = str(operation.new or "{{ }}").partition(" ")
    if not left or not right or " " in right:
        raise PreconditionGone(operation, "no two delimiters to set")
    changed = put(place.block, place.kind, ("LeftDelim",), left)
    return with_block(body, place.steps, put(changed, place.kind, ("RightDelim",), right))
