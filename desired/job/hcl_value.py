"""HCL's values in Python, and how one type is turned into another, with Nomad's words where it cannot.

string: str · number: int, or Decimal if it is not whole · bool · null: None · tuple and list: list · object: dict ·
`TypedMap` a map, `TypedSet` a set without duplicates in order · `UNKNOWN` what an error left behind.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, Final

from desired.job.hcl_source import quoted

# HCL counts with 512 bits. What overflows becomes infinite, and `whole` refuses that.
DECIMALS: Final = Context(prec=155, traps=[])
# Numbers beyond are refused: written out they would fill memory.
MAX_EXPONENT = 400


class Unknown:
    """The value of what could not be evaluated."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


class TypedMap(dict[str, Any]):
    """A map: all values of one type, and a missing key is another error than an object's missing attribute."""


class TypedSet(list[Any]):
    """A set: sorted, without duplicates."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type constraint: `name` is string, number, bool, any, list, set, map, object or tuple."""

    name: str
    element: Type | None = None
    attributes: tuple[tuple[str, Type], ...] = ()
    elements: tuple[Type, ...] = ()

    def __str__(self) -> str:
        if self.name == "any":
            return "any type"
        if self.element is not None:
            return f"{self.name} of {'any type' if self.element.name == 'any' else self.element}"
        return self.name


STRING, NUMBER, BOOL, ANY = Type("string"), Type("number"), Type("bool"), Type("any")
STRINGS, NUMBERS, STRING_MAP = Type("list", STRING), Type("list", NUMBER), Type("map", STRING)
STRINGS_MAP = Type("map", STRINGS)


class ConvertError(Exception):
    """Why a value is not of a type, in Nomad's words."""


_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def whole(value: Decimal) -> int | Decimal:
    """A number in its own form: an int if it is whole. ConvertError if it is too large to be written out."""
    if not value.is_finite() or abs(value.adjusted()) > MAX_EXPONENT:
        raise ConvertError("the number is too large")
    return int(value) if value == value.to_integral_value() else value


def decimal(value: int | Decimal) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(value)


def normal(text: str) -> str:
    """A text as HCL keeps it: composed (NFC)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def type_name(value: Any) -> str:
    """The type of a value as error texts call it."""
    match value:
        case None | Unknown():
            return "dynamic"
        case bool():
            return "bool"
        case str():
            return "string"
        case int() | Decimal():
            return "number"
        case TypedSet():
            return f"set of {type_name(value[0]) if value else 'dynamic'}"
        case list():
            return "tuple"
        case TypedMap():
            return f"map of {type_name(next(iter(value.values()))) if value else 'dynamic'}"
    return "object"


def number_text(value: int | Decimal) -> str:
    """A number as it stands in a string."""
    if isinstance(value, int):
        return str(value)
    return format(value.normalize(DECIMALS), "f")


def convert(value: Any, wanted: Type) -> Any:
    """The value as a type; ConvertError says why not. Null and unknown are of every type."""
    if value is None or value is UNKNOWN or wanted.name == "any":
        return value
    match wanted.name:
        case "string":
            return _string(value)
        case "number":
            return _number(value)
        case "bool":
            return _bool(value)
        case "list" | "set":
            if not isinstance(value, list):
                raise ConvertError(mismatch(value, wanted))
            items = _elements(value, list(enumerate(value)), wanted)
            return as_set(items) if wanted.name == "set" else items
        case "map":
            if not isinstance(value, dict):
                raise ConvertError(mismatch(value, wanted))
            return TypedMap(zip(value, _elements(value, list(value.items()), wanted), strict=True))
        case "object":
            return _object(value, wanted)
        case _:
            if not isinstance(value, list) or len(value) != len(wanted.elements):
                raise ConvertError(mismatch(value, wanted))
            return [convert(item, each) for item, each in zip(value, wanted.elements, strict=True)]


def mismatch(value: Any, wanted: Type) -> str:
    """What Nomad says when no conversion between two types exists."""
    got = type_name(value)
    got_primitive = isinstance(value, str | int | Decimal)
    wanted_primitive = wanted.name in ("string", "number", "bool")
    if isinstance(value, list | dict) and wanted.name in ("list", "set", "map"):
        return f"{wanted} required"
    if wanted.name == "string" or got_primitive != wanted_primitive or (got, wanted.name) in _CONFUSING:
        return f"{wanted} required, but have {got}"
    return f"{wanted} required"


_CONFUSING = {("number", "bool"), ("bool", "number")}


def as_set(items: list[Any]) -> TypedSet:
    """The items without duplicates, in the order in which Nomad walks a set of strings or numbers."""
    unique: list[Any] = []
    for item in items:
        if item not in unique:
            unique.append(item)
    if all(isinstance(item, str) for item in unique) or all(is_number(item) for item in unique):
        unique.sort()
    return TypedSet(unique)


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        return number_text(value)
    raise ConvertError(mismatch(value, STRING))


def _number(value: Any) -> int | Decimal:
    if is_number(value):
        number: int | Decimal = value
        return number
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise ConvertError("a number is required")
        return whole(DECIMALS.create_decimal(value))
    raise ConvertError(mismatch(value, NUMBER))


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        if value in ("true", "1"):
            return True
        if value in ("false", "0"):
            return False
        if value.lower() in ("true", "false"):
            raise ConvertError(f'a bool is required; to convert from string, use lowercase "{value.lower()}"')
        raise ConvertError("a bool is required")
    raise ConvertError(mismatch(value, BOOL))


def _elements(value: Any, items: list[tuple[Any, Any]], wanted: Type) -> list[Any]:
    assert wanted.element is not None
    for key, item in items:
        if not _convertible(item, wanted.element):
            name = quoted(key) if isinstance(key, str) else key
            if isinstance(value, TypedMap | TypedSet):
                kind = "map" if isinstance(value, TypedMap) else "list"
                raise ConvertError(f"incorrect {kind} element type: {mismatch(item, wanted.element)}")
            raise ConvertError(f"element {name}: {mismatch(item, wanted.element)}")
    return [convert(item, wanted.element) for _, item in items]


def _convertible(value: Any, wanted: Type) -> bool:
    """Whether the types fit; the value itself may still not."""
    if value is None or value is UNKNOWN or wanted.name == "any":
        return True
    match wanted.name:
        case "string":
            return isinstance(value, str | int | Decimal)
        case "number":
            return isinstance(value, str) or is_number(value)
        case "bool":
            return isinstance(value, str | bool)
        case "list" | "set" | "tuple":
            return isinstance(value, list)
    return isinstance(value, dict)


def _object(value: Any, wanted: Type) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConvertError(mismatch(value, wanted))
    missing = sorted(name for name, _ in wanted.attributes if name not in value)
    if len(missing) == 1:
        raise ConvertError(f"attribute {quoted(missing[0])} is required")
    if missing:
        *some, last = map(quoted, missing)
        joined = ", ".join(some) + ("," if len(some) > 1 else "")
        raise ConvertError(f"attributes {joined} and {last} are required")
    for name, each in wanted.attributes:
        if not _convertible(value[name], each):
            raise ConvertError(f"attribute {quoted(name)}: {mismatch(value[name], each)}")
    return {name: convert(value[name], each) for name, each in wanted.attributes}
