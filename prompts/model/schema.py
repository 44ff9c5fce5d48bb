"""Whether a value satisfies a JSON schema, for that part of JSON schema which questions are written in.

What is not known here is refused with the schema, not passed over with the value: a rule that nobody checks must not
look as if it were checked. Violations name places and rules, never what an answer holds: that is somebody else's text.

Source: JSON Schema 2020-12, validation vocabulary. Numbers follow it: true is no number, 1.0 is an integer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

# They tell people something, and no value can break them.
_ANNOTATIONS = frozenset({"title", "description", "default", "examples", "$schema", "$comment", "$defs"})
_MOST_TOLD = 8

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: _is_number(value),
    "integer": lambda value: _is_number(value) and float(value).is_integer(),
}
# Keyword: for which values it is a rule, whether it holds, what is told of one that does not.
_BOUNDS: Mapping[str, tuple[Callable[[Any], bool], Callable[[Any, Any], bool], str]] = {
    "minimum": (lambda v: _is_number(v), lambda v, bound: v >= bound, "is less than {bound}"),
    "maximum": (lambda v: _is_number(v), lambda v, bound: v <= bound, "is more than {bound}"),
    "exclusiveMinimum": (lambda v: _is_number(v), lambda v, bound: v > bound, "is not more than {bound}"),
    "exclusiveMaximum": (lambda v: _is_number(v), lambda v, bound: v < bound, "is not less than {bound}"),
    "minLength": (_TYPES["string"], lambda v, bound: len(v) >= bound, "has less than {bound} characters"),
    "maxLength": (_TYPES["string"], lambda v, bound: len(v) <= bound, "has more than {bound} characters"),
    "pattern": (_TYPES["string"], lambda v, bound: bool(re.search(bound, v)), "does not match {bound}"),
    "minItems": (_TYPES["array"], lambda v, bound: len(v) >= bound, "has less than {bound} items"),
    "maxItems": (_TYPES["array"], lambda v, bound: len(v) <= bound, "has more than {bound} items"),
    "uniqueItems": (_TYPES["array"], lambda v, bound: not bound or _unique(v), "has an item twice"),
    "minProperties": (_TYPES["object"], lambda v, bound: len(v) >= bound, "has less than {bound} properties"),
    "maxProperties": (_TYPES["object"], lambda v, bound: len(v) <= bound, "has more than {bound} properties"),
}
_OTHERS = frozenset(
    {"type", "enum", "const", "properties", "required", "additionalProperties", "items", "anyOf", "oneOf", "$ref"}
)  # fmt: skip


def has_form(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether all is satisfied but bounds: types, names and the values of enums are what every grammar enforces."""
    return next(_broken(value, _without_bounds(schema), _without_bounds(schema), ""), None) is None


def violations(value: Any, schema: Mapping[str, Any]) -> tuple[str, ...]:
    """What of the schema the value breaks, in words, the first few; empty where it satisfies it.

    ValueError where the schema itself holds something that is not known here.
    """
    check_schema(schema)
    told: list[str] = []
    for one in _broken(value, schema, schema, ""):
        if len(told) == _MOST_TOLD:
            return (*told, "and more")
        told.append(one)
    return tuple(told)


def check_schema(schema: Mapping[str, Any]) -> None:
    """ValueError names the first keyword, type or reference that is not known here."""
    for part in _parts(schema):
        unknown = sorted(part.keys() - _ANNOTATIONS - _OTHERS - _BOUNDS.keys())
        if unknown:
            raise ValueError(f"schemas of questions do not have {unknown[0]!r}")
        wrong = sorted(set(_types(part)) - _TYPES.keys())
        if wrong:
            raise ValueError(f"no schema has the type {wrong[0]!r}")
        _resolved(part, schema)


def closed(schema: Mapping[str, Any]) -> bool:
    """Every object in it has all its properties required and no others: what some endpoints call strict."""
    return all(
        part.get("additionalProperties") is False and set(part.get("required", ())) == set(part.get("properties", {}))
        for part in _parts(schema)
        if "object" in _types(part) or "properties" in part
    )


def _parts(schema: Any) -> Iterator[Mapping[str, Any]]:
    """The schema and all schemas in it."""
    if not isinstance(schema, Mapping):
        if isinstance(schema, bool):
            return
        raise ValueError("a schema is an object")
    yield schema
    for name in ("properties", "$defs"):
        for one in schema.get(name, {}).values():
            yield from _parts(one)
    for name in ("anyOf", "oneOf"):
        for one in schema.get(name, ()):
            yield from _parts(one)
    for name in ("items", "additionalProperties"):
        if name in schema:
            yield from _parts(schema[name])


def _broken(value: Any, schema: Any, root: Mapping[str, Any], place: str) -> Iterator[str]:
    if isinstance(schema, bool):
        if not schema:
            yield f"{place or 'the answer'} may not be there"
        return
    schema = _resolved(schema, root)
    here = place or "the answer"
    types = _types(schema)
    if types and not any(_TYPES[name](value) for name in types):
        yield f"{here} is not of type {' or '.join(types)}"
        return
    if "const" in schema and not _same(value, schema["const"]):
        yield f"{here} is not the one value that it may be"
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        yield f"{here} is none of the {len(schema['enum'])} values that it may be"
    for name, (concerns, holds, words) in _BOUNDS.items():
        if name in schema and concerns(value) and not holds(value, schema[name]):
            yield f"{here} {words.format(bound=schema[name])}"
    yield from _chosen(value, schema, root, place)
    if isinstance(value, Mapping):
        yield from _of_object(value, schema, root, place)
    elif isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from _broken(item, schema["items"], root, f"{place}[{number}]")


def _chosen(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], place: str) -> Iterator[str]:
    for name, most in (("anyOf", len(schema.get("anyOf", ()))), ("oneOf", 1)):
        if name in schema:
            fitting = sum(next(_broken(value, one, root, place), None) is None for one in schema[name])
            if not 1 <= fitting <= most:
                yield f"{place or 'the answer'} fits {fitting} of the {len(schema[name])} forms that it may have"


def _of_object(
    value: Mapping[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], place: str
) -> Iterator[str]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{_under(place, name)} is missing"
    for name, one in known.items():
        if name in value:
            yield from _broken(value[name], one, root, _under(place, name))
    others = schema.get("additionalProperties", True)
    more = [name for name in value if name not in known]
    if others is False and more:
        yield f"{place or 'the answer'} has {len(more)} properties that it may not have"
    elif others is not True:
        for name in more:
            yield from _broken(value[name], others, root, f"{place or 'the answer'}, in a property,")


def _under(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference leads to; beside one, only annotations may stand."""
    seen: set[str] = set()
    while "$ref" in schema:
        where = schema["$ref"]
        if schema.keys() - _ANNOTATIONS != {"$ref"}:
            raise ValueError("beside a $ref nothing else is read")
        name = str(where).removeprefix("#/$defs/")
        if where in seen or name not in root.get("$defs", {}):
            raise ValueError(f"the reference {where!r} leads nowhere")
        seen.add(where)
        schema = root["$defs"][name]
    return schema


def _without_bounds(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    kept = {name: value for name, value in schema.items() if name not in _BOUNDS}
    for name in ("properties", "$defs"):
        if name in kept:
            kept[name] = {each: _without_bounds(one) for each, one in kept[name].items()}
    for name in ("anyOf", "oneOf"):
        if name in kept:
            kept[name] = [_without_bounds(one) for one in kept[name]]
    for name in ("items", "additionalProperties"):
        if name in kept:
            kept[name] = _without_bounds(kept[name])
    return kept


def _types(schema: Mapping[str, Any]) -> Sequence[str]:
    told = schema.get("type", ())
    return (told,) if isinstance(told, str) else tuple(told)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(one: Any, other: Any) -> bool:
    """As JSON has it: true is not 1, 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _unique(items: list[Any]) -> bool:
    return len({_hashed(item) for item in items}) == len(items)


def _hashed(value: Any) -> Hashable:
    """Equal where `_same` is true."""
    if isinstance(value, Mapping):
        return frozenset((name, _hashed(one)) for name, one in value.items())
    if isinstance(value, list):
        return tuple(map(_hashed, value))
    return (type(value), value) if isinstance(value, bool) else value
