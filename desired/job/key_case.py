"""A job in JSON with its keys as Nomad writes them: Nomad reads them without regard to case, and we judge jobs by them.

Source: observed on Nomad 2.0.5: `"driver": "raw_exec"` is the driver, also beside a `"Driver"` that stands before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desired.job.fields import Shape
from desired.job.spec import Job
from desired.job.table import Row, by_json
from desired.state import JobBody


def with_nomads_keys(body: JobBody) -> JobBody:
    """The same job. What Nomad does not know, and whatever is free (a driver's config, meta), stays as it is."""
    return _block(Job, body)


def _block(block: type, body: Mapping[str, Any]) -> dict[str, Any]:
    folded = {name.lower(): row for name, row in by_json(block).items()}
    made: dict[str, Any] = {}
    for key, item in body.items():
        row = folded.get(str(key).lower())
        made[row.json if row is not None else key] = item if row is None else _value(row, item)
    return made


def _value(row: Row, item: Any) -> Any:
    if row.block is None:
        return item
    if row.shape is Shape.BLOCK_MAP:
        return {name: _inner(row.block, each) for name, each in item.items()} if isinstance(item, Mapping) else item
    if isinstance(item, list | tuple):
        return [_inner(row.block, each) for each in item]
    return _inner(row.block, item)


def _inner(block: type, item: Any) -> Any:
    return _block(block, item) if isinstance(item, Mapping) else item
