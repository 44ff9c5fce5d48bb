"""The typed spec as the API's JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from desired.job.fields import Kind, Shape
from desired.job.spec import Job
from desired.job.table import Row, rows, rows_of
from desired.state import JobBody

_MICROSECOND = timedelta(microseconds=1)


def to_json(job: Job) -> JobBody:
    """The job as `/v1/jobs/parse` writes it: every key is there, what is not set is null or a zero value."""
    return block_to_json(job)


def block_to_json(value: Any) -> dict[str, Any]:
    """One block, with everything inside it."""
    body: dict[str, Any] = {}
    for row in rows_of(value):
        encoded = _encode(row, getattr(value, row.attribute))
        if encoded is not None or not row.omit_unset:
            body[row.json] = encoded
    return body


def from_json(body: JobBody) -> Job:
    """The typed job. Keys that Nomad does not know are left out: `desired.job.lint` finds them first.

    Raises ValueError for a value of another type than the field's. Durations finer than a microsecond are cut.
    """
    job = block_from_json(Job, body)
    assert isinstance(job, Job)
    return job


def block_from_json(block: type, body: Any) -> Any:
    """One block of the given class. Key names are matched without regard to case, as Nomad's JSON decoder does."""
    if not isinstance(body, Mapping):
        raise ValueError(f"{block.__name__}: expected an object, found {type(body).__name__}")
    folded = {key.lower(): value for key, value in body.items() if isinstance(key, str)}
    values: dict[str, Any] = {}
    for row in rows(block):
        raw = body.get(row.json, folded.get(row.json.lower()))
        if raw is not None or row.shape is Shape.LABEL:
            values[row.attribute] = _decode(row, raw, f"{block.__name__}.{row.json}")
    return block(**values)


def empty_json(block: type) -> dict[str, Any]:
    """A block in which nothing is set."""
    return {row.json: row.unset for row in rows(block) if not row.omit_unset}


def nanoseconds(value: timedelta) -> int:
    """A duration as the API counts it."""
    return value // _MICROSECOND * 1000


def _encode(row: Row, value: Any) -> Any:
    if row.shape is Shape.BLOCK_MAP:
        return {_label(item): block_to_json(item) for item in value} or None
    if row.shape is Shape.BLOCKS:
        return [block_to_json(item) for item in value] or None
    if value is None:
        return row.unset
    match row.kind:
        case Kind.BLOCK:
            return block_to_json(value)
        case Kind.DURATION:
            return nanoseconds(value)
        case Kind.TEXTS | Kind.INTEGERS:
            return list(value) or None
        case Kind.TEXT_MAP:
            return dict(value)
        case Kind.TEXTS_MAP:
            return {key: list(items) for key, items in value.items()}
        case _:
            return value


def _label(item: Any) -> str:
    return str(next(getattr(item, row.attribute) for row in rows_of(item) if row.shape is Shape.LABEL))


def _decode(row: Row, raw: Any, where: str) -> Any:
    if row.block is not None:
        if row.shape is Shape.BLOCKS:
            return tuple(block_from_json(row.block, item) for item in _of(list, raw, where) if item is not None)
        if row.shape is Shape.BLOCK_MAP:
            named = _of(dict, raw, where).items()
            return tuple(block_from_json(row.block, {"Name": name, **(item or {})}) for name, item in named)
        return block_from_json(row.block, raw)
    match row.kind:
        case Kind.TEXT:
            return _of(str, "" if raw is None else raw, where)
        case Kind.INTEGER:
            return _integer(raw, where)
        case Kind.FLAG:
            return _of(bool, raw, where)
        case Kind.DURATION:
            return _duration(raw, where) if raw != row.unset else None
        case Kind.TEXTS:
            return tuple(_of(str, item, where) for item in _of(list, raw, where))
        case Kind.INTEGERS:
            return tuple(_integer(item, where) for item in _of(list, raw, where))
        case Kind.TEXT_MAP:
            return {key: _of(str, item, where) for key, item in _of(dict, raw, where).items()}
        case Kind.TEXTS_MAP:
            return {key: tuple(_of(list, items, where)) for key, items in _of(dict, raw, where).items()}
        case _:
            return raw


def _of(kind: type[Any], raw: Any, where: str) -> Any:
    if not isinstance(raw, kind):
        raise ValueError(f"{where}: expected {kind.__name__}, found {type(raw).__name__}")
    return raw


def _integer(raw: Any, where: str) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise ValueError(f"{where}: expected a whole number, found {type(raw).__name__}")
    return raw


def _duration(raw: Any, where: str) -> timedelta:
    return timedelta(microseconds=_integer(raw, where) // 1000)
