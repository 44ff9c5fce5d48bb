"""How one field of a block is declared: the words of the table that reads, writes and checks jobs.

A block is a frozen dataclass whose fields are made here. Each says once how the API's JSON calls it, how HCL calls it,
which shape it has there, and what the API says when it is not set (None for Go's pointers, a zero value otherwise).
`desired.job.table` reads the declarations back; nobody else looks at the metadata.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

METADATA = "nomad"


class Shape(StrEnum):
    """How HCL writes a field."""

    ATTRIBUTE = "attribute"
    LABEL = "label"
    BLOCK = "block"
    BLOCKS = "blocks"
    # Labelled blocks that the API holds in a map by their label.
    BLOCK_MAP = "block map"
    # A block whose attributes are free: `meta { … }`.
    MAP_BLOCK = "map block"
    # Not in HCL at all: the API's alone.
    API_ONLY = "api only"


class Kind(StrEnum):
    """What a value is."""

    TEXT = "string"
    INTEGER = "number"
    FLAG = "bool"
    DURATION = "duration"
    TEXTS = "list of string"
    INTEGERS = "list of number"
    TEXT_MAP = "map of string"
    TEXTS_MAP = "map of list of string"
    FREE = "anything"
    BLOCK = "block"


INT64 = (-(2**63), 2**63 - 1)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a field's constructor was told. `hcl` is None where HCL's name is the attribute's own.

    `limits` are the lowest and highest integer that the API's type holds. `omit_unset`: the API leaves the key out
    when the field is not set, instead of writing null.
    """

    json: str
    shape: Shape
    kind: Kind
    unset: Any
    hcl: str | None = None
    block: str = ""
    required: bool = False
    limits: tuple[int, int] = INT64
    omit_unset: bool = False


def _declared(declaration: Declaration, default: Any) -> Any:
    return field(default=default, metadata={METADATA: declaration})


def text(json: str, unset: str | None = None, *, hcl: str | None = None, required: bool = False) -> Any:
    """A string attribute."""
    return _declared(Declaration(json, Shape.ATTRIBUTE, Kind.TEXT, unset, hcl, required=required), unset)


def integer(json: str, unset: int | None = None, *, hcl: str | None = None, limits: tuple[int, int] = INT64) -> Any:
    """A whole number."""
    return _declared(Declaration(json, Shape.ATTRIBUTE, Kind.INTEGER, unset, hcl, limits=limits), unset)


def flag(json: str, unset: bool | None = None, *, hcl: str | None = None, required: bool = False) -> Any:
    """A boolean."""
    return _declared(Declaration(json, Shape.ATTRIBUTE, Kind.FLAG, unset, hcl, required=required), unset)


def duration(json: str, unset: int | None = None, *, hcl: str | None = None, required: bool = False) -> Any:
    """A duration: nanoseconds in JSON, `"90s"` in HCL, None in Python where it is not set."""
    return _declared(Declaration(json, Shape.ATTRIBUTE, Kind.DURATION, unset, hcl, required=required), None)


def texts(json: str, *, hcl: str | None = None) -> Any:
    """A list of strings; not set and empty are the same in Python, null in JSON."""
    return _declared(Declaration(json, Shape.ATTRIBUTE, Kind.TEXTS, None, hcl), ())


def integers(json: str, *, hcl: str | None = None, limits: tuple[int, int] = INT64) -> Any:
    """A list of whole numbers."""
    return _declared(Declaration(json, Shape.ATTRIBUTE, Kind.INTEGERS, None, hcl, limits=limits), ())


def text_map(json: str, *, hcl: str | None = None) -> Any:
    """An attribute that is a map of strings; None where it is not set."""
    return _declared(Declaration(json, Shape.ATTRIBUTE, Kind.TEXT_MAP, None, hcl), None)


def map_block(json: str, kind: Kind = Kind.TEXT_MAP, *, hcl: str | None = None) -> Any:
    """A block with free attributes: strings (`meta`), lists of strings (`header`) or anything (`config`)."""
    return _declared(Declaration(json, Shape.MAP_BLOCK, kind, None, hcl), None)


def label(json: str, *, hcl: str = "", unset: str | None = "") -> Any:
    """The label of a block; a typed block cannot be made without it. `hcl` is what error texts call it."""
    return field(metadata={METADATA: Declaration(json, Shape.LABEL, Kind.TEXT, unset, hcl)})


def block(json: str, name: str, *, hcl: str | None = None, omit_unset: bool = False) -> Any:
    """At most one block of the class `name`."""
    declaration = Declaration(json, Shape.BLOCK, Kind.BLOCK, None, hcl, block=name, omit_unset=omit_unset)
    return _declared(declaration, None)


def blocks(json: str, name: str, *, hcl: str) -> Any:
    """Any number of blocks of the class `name`, in order."""
    return _declared(Declaration(json, Shape.BLOCKS, Kind.BLOCK, None, hcl, block=name), ())


def block_map(json: str, name: str, *, hcl: str) -> Any:
    """Any number of labelled blocks of the class `name`; the API holds them by label."""
    return _declared(Declaration(json, Shape.BLOCK_MAP, Kind.BLOCK, None, hcl, block=name), ())


def api_only(json: str, unset: Any = None) -> Any:
    """A key that only the API knows: the server sets it, or it is older than the block that replaced it."""
    return _declared(Declaration(json, Shape.API_ONLY, Kind.FREE, unset), unset)


def api_block(json: str, name: str) -> Any:
    """A block that the API holds under a key of its own, and that HCL writes in another place."""
    return _declared(Declaration(json, Shape.API_ONLY, Kind.BLOCK, None, block=name), None)
