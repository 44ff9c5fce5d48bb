"""Takes a part out of a value: by name, by key, by number; and what a path stays as that only the client knows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from desired.job.hcl_nodes import Step
from desired.job.hcl_scope import Scope
from desired.job.hcl_source import Range, quoted
from desired.job.hcl_value import NUMBER, STRING, UNKNOWN, ConvertError, TypedMap, TypedSet, convert, type_name


def attribute(scope: Scope, value: Any, step: Step) -> Any:
    """`value.name`."""
    if value is UNKNOWN:
        return UNKNOWN
    if value is None:
        detail = "This value is null, so it does not have any attributes."
        return scope.error("Attempt to get attribute from null value", detail, step.place)
    if isinstance(value, dict):
        if step.key in value:
            return value[step.key]
        if isinstance(value, TypedMap):
            detail = f"This map does not have an element with the key {quoted(step.key)}."
            return scope.error("Missing map element", detail, step.place)
        detail = f"This object does not have an attribute named {quoted(step.key)}."
    elif isinstance(value, list):
        detail = "This value does not have any attributes."
    else:
        detail = f"Can't access attributes on a primitive-typed value ({type_name(value)})."
    return scope.error("Unsupported attribute", detail, step.place)


def index(scope: Scope, value: Any, key: Any, place: Range) -> Any:
    """`value[key]`; `place` is that of the brackets."""
    summary = "Invalid index"
    missing = "The given key does not identify an element in this collection value"
    if value is UNKNOWN or key is UNKNOWN:
        return UNKNOWN
    if value is None:
        detail = "This value is null, so it does not have any indices."
        return scope.error("Attempt to index null value", detail, place)
    if key is None:
        return scope.error(summary, "Can't use a null value as an indexing key.", place)
    if isinstance(value, TypedSet):
        detail = (
            "Elements of a set are identified only by their value and don't have any separate index or key to "
            "select with, so it's only possible to perform operations across all elements of the set."
        )
        return scope.error(summary, detail, place)
    try:
        if isinstance(value, list):
            return _element(scope, value, convert(key, NUMBER), place)
        if isinstance(value, dict):
            name = convert(key, STRING)
            if name in value:
                return value[name]
            return scope.error(summary, f"{missing}.", place)
    except ConvertError as error:
        return scope.error(summary, f"{missing}: {error}.", place)
    return scope.error(summary, "This value does not have any indices.", place)


def _element(scope: Scope, value: list[Any], index: int | Decimal, place: Range) -> Any:
    if not isinstance(index, int):
        why = "indexing a sequence requires a whole number, but the given index has a fractional part"
    elif index < 0:
        why = "a negative number is not a valid index for a sequence"
    elif not value:
        why = "the collection has no elements"
    elif index >= len(value):
        why = "the given index is greater than or equal to the length of the collection"
    else:
        return value[index]
    detail = f"The given key does not identify an element in this collection value: {why}."
    return scope.error("Invalid index", detail, place)


def runtime_text(text: str, place: Range) -> str:
    """A path that only the client knows, as it stays in the job: `${…}` with the spaces it was written with.

    Source: jobspec2/types.config.go EvalContext: it looks for the braces in the text itself, and every `}` that
    follows with only spaces between is taken along (so `"${a}}"` gains a brace).
    """
    start, end = place
    before = start
    while before > 0 and text[before - 1] == " ":
        before -= 1
    if text[before - 2 : before] != "${" or before < 2:
        return "${" + text[start:end] + "}"
    result = text[before - 2 : end]
    index = end + 1
    while index < len(text):
        if text[index] == "}":
            result += text[end:index]
        elif text[index] != " ":
            return result + "}"
        index += 1
    return result
