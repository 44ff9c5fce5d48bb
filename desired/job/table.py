"""Reads the declarations of the spec back as rows: the one table behind reading, writing and checking jobs."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any

from desired.job import spec, spec_connect
from desired.job.fields import METADATA, Declaration, Kind, Shape


@dataclass(frozen=True, slots=True)
class Row:
    """One field of one block. `attribute` is its Python name; `block` the class of its blocks, None if it has none."""

    attribute: str
    json: str
    hcl: str
    shape: Shape
    kind: Kind
    unset: Any
    block: type | None
    required: bool
    limits: tuple[int, int]
    omit_unset: bool


@functools.cache
def rows(block: type) -> tuple[Row, ...]:
    """The fields of a block in the order in which people read them."""
    return tuple(_row(field.name, field.metadata[METADATA]) for field in dataclasses.fields(block))


@functools.cache
def by_json(block: type) -> dict[str, Row]:
    """The fields of a block by the API's name. Not to be changed by the caller."""
    return {row.json: row for row in rows(block)}


@functools.cache
def by_hcl(block: type) -> dict[str, Row]:
    """The attributes and blocks that HCL allows in a block, by their name there. Not to be changed by the caller."""
    return {row.hcl: row for row in rows(block) if row.shape not in (Shape.LABEL, Shape.API_ONLY)}


def rows_of(value: object) -> tuple[Row, ...]:
    """The fields of the block that a value is."""
    block: type = type(value)
    return rows(block)


@functools.cache
def label_of(block: type) -> Row | None:
    """The field that a block's label fills, None if the block has no label."""
    return next((row for row in rows(block) if row.shape is Shape.LABEL), None)


def _row(attribute: str, declared: Declaration) -> Row:
    return Row(
        attribute=attribute,
        json=declared.json,
        hcl=attribute if declared.hcl is None else declared.hcl,
        shape=declared.shape,
        kind=declared.kind,
        unset=declared.unset,
        block=_class(declared.block) if declared.block else None,
        required=declared.required,
        limits=declared.limits,
        omit_unset=declared.omit_unset,
    )


def _class(name: str) -> type:
    found = getattr(spec, name, None) or getattr(spec_connect, name)
    assert isinstance(found, type)
    return found
