"""What stands at an address now, with what Nomad takes where nothing is set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from desired.job.spec import Job
from desired.operations import shown
from desired.operations.operation import Kind, Operation, Value
from desired.operations.place import Block, Missing, Place, effective_port, every, find, get, listed
from desired.operations.precondition import PreconditionGone
from desired.operations.table import How, Row, Scope, row
from desired.state import JobBody


def current(body: JobBody, kind: Kind, at: tuple[str, ...]) -> Value:
    """What stands at the address now, or what Nomad does where nothing is set; None where that is nothing.

    For a kind that replaces pieces of a template, its whole text; for one that renames, the name. Raises
    PreconditionGone where the address names nothing in this job, or holds what no operation can say.
    """
    spec = row(kind)
    if spec.how is How.RENAME:
        return at[-1] if is_there(body, spec, at) else None
    place = found(body, spec, at, Operation(kind, at, None, None))
    return place if place is None or isinstance(place, bool | int | str | tuple) else _effective(body, spec, at, place)


def same(spec: Row, left: Value, right: Value) -> bool:
    """Whether two values mean the same to Nomad: for a port, 0 is none."""
    left, right = (None if value in spec.blank else value for value in (left, right))
    return type(left) is type(right) and left == right


def written(spec: Row, place: Place) -> Any:
    """The raw value at a place, without defaults; raises KeyError nowhere: a block that is not there holds nothing."""
    block: Any = place.block
    for key in spec.path[:-1]:
        block = get(block, key)
        if isinstance(block, list | tuple):
            block = block[0] if block else None
        if not isinstance(block, Mapping):
            return None
    return get(block, spec.path[-1])


def owner_of(body: JobBody, spec: Row, at: tuple[str, ...], place: Place) -> tuple[Place, tuple[str, ...]]:
    """Where the value is to be written: the block and the path in it.

    A group without a value of its own takes it from the job; where it is the job's only group, the value is changed
    where it stands. Any other group gets a value of its own.
    """
    if spec.inherited and written(spec, place) is None and len(listed(body, "TaskGroups")) == 1:
        job = Place((), Job, body)
        above = replace(spec, path=spec.inherited)
        if written(above, job) is not None:
            return job, spec.inherited
    return place, _path(spec, at)


def _path(spec: Row, at: tuple[str, ...]) -> tuple[str, ...]:
    return (*spec.path, at[-1]) if spec.scope is Scope.ENTRY else spec.path


def found(body: JobBody, spec: Row, at: tuple[str, ...], operation: Operation) -> Place | Value:
    """The place of the value, or the answer itself where the place is not what counts."""
    place = find(body, spec, at)
    if spec.kind is Kind.PORT_ADDED:
        if isinstance(place, Place):
            to = get(place.block, "To")
            return to if isinstance(to, int) else 0
        place = find(body, row(Kind.NETWORK_MODE), at[:1])
        if isinstance(place, Place):
            return None
    if isinstance(place, Missing):
        raise PreconditionGone(operation, place.words)
    if spec.kind is Kind.VAULT_ADDED:
        return None if get(place.block, "Vault") is None else ""
    if spec.kind is Kind.CONSTRAINT_REMOVAL:
        return constraint_words(place.block)
    return place


def _effective(body: JobBody, spec: Row, at: tuple[str, ...], place: Place) -> Value:
    if spec.how is How.DELIMITERS:
        left, right = get(place.block, "LeftDelim") or "{{", get(place.block, "RightDelim") or "}}"
        return f"{left} {right}"
    if spec.kind is Kind.VAULT_ROLE and get(place.block, "Vault") is None:
        raise PreconditionGone(Operation(spec.kind, at, None, None), "no vault block")
    if spec.scope is Scope.ENTRY:
        raw = get_entry(place.block, spec.path[0], at[-1])
    else:
        raw = written(spec, place)
    if raw is None and spec.inherited:
        raw = written(replace(spec, path=spec.inherited), Place((), Job, body))
    if (raw is None or raw in spec.blank) and spec.scope is Scope.CHECK:
        raw = _from_service(body, spec, at, place)
    value = plain(raw, spec, at)
    if value is None and spec.kind is Kind.CPU and get(get(place.block, "Resources") or {}, "Cores"):
        # Whoever asks for cores asks for no share. Source: api/resources.go Canonicalize.
        return 0
    if value is None or value in spec.blank:
        return spec.default_for(str(get(body, "Type") or "service"))
    return value


def _from_service(body: JobBody, spec: Row, at: tuple[str, ...], place: Place) -> Any:
    """What a check takes from its service."""
    if spec.kind is not Kind.CHECK_PORT and spec.kind is not Kind.CHECK_GRACE:
        return None
    service = find(body, row(Kind.SERVICE_PORT), at[:-1])
    if not isinstance(service, Place):
        return None
    if spec.kind is Kind.CHECK_PORT:
        return effective_port(service.block, place.block)
    own, above = get(place.block, "CheckRestart"), get(service.block, "CheckRestart")
    if own is None and above is None:
        raise PreconditionGone(Operation(spec.kind, at, None, None), "no check_restart block")
    return get(above, "Grace") if isinstance(above, Mapping) else None


def plain(raw: Any, spec: Row, at: tuple[str, ...]) -> Value:
    """A value of the JSON as operations say it; raises PreconditionGone for one that they cannot."""
    if raw is None or isinstance(raw, bool | int | str):
        return raw
    if isinstance(raw, list | tuple) and all(isinstance(each, str) for each in raw):
        return tuple(raw)
    raise PreconditionGone(Operation(spec.kind, at, None, None), f"{_KINDS.get(type(raw), 'a number')} there")


_KINDS: Mapping[type, str] = {dict: "a mapping", list: "a list of other things than texts", tuple: "a list"}


def get_entry(task: Block, key: str, name: str) -> Any:
    """An entry of a task's environment or driver config; its name is exact."""
    held = get(task, key)
    return held.get(name) if isinstance(held, Mapping) else None


def is_there(body: JobBody, spec: Row, at: tuple[str, ...]) -> bool:
    places = list(every(body, spec, at))
    if spec.scope is Scope.ENTRY:
        return any(at[-1] in (get(place.block, spec.path[0]) or {}) for place in places)
    return bool(places)


def text_of(body: JobBody, spec: Row, at: tuple[str, ...]) -> str | None:
    place = find(body, spec, at)
    text = get(place.block, spec.path[0]) if isinstance(place, Place) else None
    return text if isinstance(text, str) else None


def constraint_words(block: Block) -> str:
    return f"{get(block, 'Operand') or '='} {get(block, 'RTarget') or ''}".strip()


def expect(body: JobBody, spec: Row, operation: Operation, place: Place) -> None:
    """What Nomad does now is what the operation expects; where nothing is set, an operation may expect just that."""
    try:
        found = _effective(body, spec, operation.at, place)
    except PreconditionGone as error:
        raise PreconditionGone(operation, error.found) from error
    if same(spec, found, operation.old):
        return
    raw = get_entry(place.block, spec.path[0], operation.at[-1]) if spec.scope is Scope.ENTRY else written(spec, place)
    if operation.old is None and (raw is None or raw in spec.blank):
        return
    raise PreconditionGone(operation, shown.shown_value(spec, operation.at, found))
