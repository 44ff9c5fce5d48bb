"""The values of a job's arguments, as Nomad's decoder takes them: converted, in range, or refused in its words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from desired.job.duration import DurationError, parse_duration
from desired.job.fields import Kind
from desired.job.hcl_body import Argument
from desired.job.hcl_source import Range
from desired.job.hcl_value import (
    BOOL,
    NUMBER,
    NUMBERS,
    STRING,
    STRING_MAP,
    STRINGS,
    STRINGS_MAP,
    UNKNOWN,
    ConvertError,
    Type,
    convert,
    is_number,
    type_name,
)

TYPES: dict[Kind, Type] = {
    Kind.TEXT: STRING,
    Kind.INTEGER: NUMBER,
    Kind.FLAG: BOOL,
    Kind.TEXTS: STRINGS,
    Kind.INTEGERS: NUMBERS,
    Kind.TEXT_MAP: STRING_MAP,
    Kind.TEXTS_MAP: STRINGS_MAP,
}


class Failed(Exception):
    """An expression has no usable value, and that was told."""


def refuse(argument: Argument, why: str, place: Range | None = None) -> None:
    """Tell why the value cannot be used; raises Failed."""
    argument.scope.error("Unsuitable value type", f"Unsuitable value: {why}", place or argument.node.head)
    raise Failed


def converted(argument: Argument, wanted: Type) -> Any:
    """The value as `wanted`, or None where it is null; raises Failed, which was told."""
    value = argument.value()
    try:
        value = convert(value, wanted)
    except ConvertError as error:
        refuse(argument, str(error))
    if value is UNKNOWN:
        refuse(argument, "value must be known")
    return value


def all_given(argument: Argument, items: Any) -> None:
    """Raises Failed, which was told, where one of the items is null or not known."""
    for item in items:
        if item is None:
            refuse(argument, "null value is not allowed")
        if item is UNKNOWN:
            refuse(argument, "value must be known")


def whole_number(argument: Argument, value: Any, limits: tuple[int, int]) -> int:
    """A number without a fraction between the limits; raises Failed, which was told."""
    low, high = limits
    if not isinstance(value, int) or not low <= value <= high:
        bounds = f"between 0 and {high} inclusive" if low == 0 else f"between {low} and {high}"
        refuse(argument, f"value must be a whole number, {bounds}")
    number: int = value
    return number


def duration(argument: Argument) -> int:
    """Nanoseconds; raises Failed, which was told."""
    value = argument.value()
    scope, head = argument.scope, argument.node.head
    if value is None:
        scope.error("Unsuitable value", "Unsuitable duration value: nil", head)
        raise Failed
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except DurationError as error:
            scope.error("Unsuitable value type", f"Unsuitable duration value: {error}", head)
            raise Failed from error
    if value is UNKNOWN:
        refuse(argument, "value must be known")
    if not is_number(value):
        refuse(argument, f"expected a string but found {_GO_TYPES.get(type_name(value), type_name(value))}")
    return whole_number(argument, value, (-(2**63), 2**63 - 1))


# How Go prints the type here.
_GO_TYPES = {"bool": "{{{} %!s(cty.primitiveTypeKind=66)}}"}


def free_value(value: Any) -> Any:
    """The value as JSON has it; ConvertError where it has no such thing."""
    if value is UNKNOWN:
        raise ConvertError("value is not known")
    if isinstance(value, list):
        return [free_value(item) for item in value]
    if isinstance(value, dict):
        return {key: free_value(item) for key, item in value.items()}
    if is_number(value) and (isinstance(value, Decimal) or abs(value) >= 2**63):
        try:
            return float(value)
        except OverflowError as error:
            raise ConvertError("the number is too large") from error
    return value
