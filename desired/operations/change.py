"""Copies of a job's JSON with one thing changed; everything beside the way to it is shared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desired.job.api_json import empty_json
from desired.job.fields import Shape
from desired.job.spec import Vault
from desired.job.table import by_json
from desired.operations.place import Block, Step, spelled
from desired.state import JobBody

# What Nomad's parser fills into a block of its own accord. Source: jobspec2/parse_job.go.
_FILLED: Mapping[type, Mapping[str, Any]] = {
    Vault: {"Env": True, "DisableFile": False, "ChangeMode": "restart"},
}


def new_block(kind: type) -> dict[str, Any]:
    """A block in which nothing is written."""
    return {**empty_json(kind), **_FILLED.get(kind, {})}


def put(block: Block | None, kind: type, path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A copy of a block with one value set; blocks on the way are made where they are missing. None takes it away."""
    made = new_block(kind) if block is None else dict(block)
    key = spelled(made, path[0])
    field = by_json(kind)[path[0]]
    if len(path) == 1:
        made[key] = field.unset if value is None else value
    elif field.shape is Shape.MAP_BLOCK:
        entries = dict(made.get(key) or {})
        if value is None:
            entries.pop(path[1], None)
        else:
            entries[path[1]] = value
        made[key] = entries
    else:
        assert field.block is not None
        inner = made.get(key)
        if field.shape is Shape.BLOCKS:
            first, *others = list(inner or []) or [None]
            made[key] = [put(first, field.block, path[1:], value), *others]
        else:
            made[key] = put(inner, field.block, path[1:], value)
    return made


def with_block(body: JobBody, steps: tuple[Step, ...], block: Block) -> JobBody:
    """The job with one block exchanged."""
    made: JobBody = _exchanged(body, steps, block)
    return made


def _exchanged(body: Any, steps: tuple[Step, ...], block: Block) -> Any:
    if not steps:
        return block
    head, rest = steps[0], steps[1:]
    if isinstance(head, int):
        copied = list(body)
        copied[head] = _exchanged(copied[head], rest, block)
        return copied
    return {**body, head: _exchanged(body[head], rest, block)}


def block_at(body: JobBody, steps: tuple[Step, ...]) -> Any:
    """The block that the steps lead to."""
    found: Any = body
    for step in steps:
        found = found[step]
    return found


def without(body: JobBody, steps: tuple[Step, ...]) -> JobBody:
    """The job without one block of a list; a list without any is not set."""
    key, number = str(steps[-2]), steps[-1]
    owner = block_at(body, steps[:-2])
    left = [each for index, each in enumerate(owner[key]) if index != number]
    return with_block(body, steps[:-2], {**owner, key: left or None})
