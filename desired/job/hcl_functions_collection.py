"""HCL's functions on lists, maps and sets."""

from __future__ import annotations

import itertools
from decimal import Decimal
from math import prod
from typing import Any

from desired.job.hcl_function import ArgumentError, CallError, Function, Parameter
from desired.job.hcl_value import (
    ANY,
    NUMBER,
    STRING,
    STRINGS,
    ConvertError,
    Type,
    TypedMap,
    as_set,
    convert,
    decimal,
    whole,
)

_LIST = Parameter("list", ANY)
_ANY_LIST = Type("list", ANY)
_MAX_PRODUCT = 50_000
# Source: cty's function/stdlib/sequence.go.
_MAX_RANGE = 1024


def _sequence(values: list[Any], index: int = 0) -> list[Any]:
    value = values[index]
    if not isinstance(value, list):
        raise ArgumentError(index, "argument must be a list, set, or tuple")
    return value


def _mapping(values: list[Any], index: int = 0) -> dict[str, Any]:
    value = values[index]
    if not isinstance(value, dict):
        raise ArgumentError(index, "must be a map or an object")
    return value


def _whole(values: list[Any], index: int) -> int:
    value = values[index]
    if not isinstance(value, int):
        raise ArgumentError(index, "value must be a whole number")
    return value


def _chunklist(values: list[Any]) -> list[Any]:
    items, size = _sequence(values), _whole(values, 1)
    if size < 0:
        raise ArgumentError(1, "the size argument must be positive")
    if size == 0:
        return [items]
    return [items[start : start + size] for start in range(0, len(items), size)]


def _coalesce(values: list[Any]) -> Any:
    chosen = next((value for value in values if value is not None), None)
    if chosen is None:
        raise CallError("no non-null arguments")
    return convert(chosen, STRING) if any(isinstance(value, str) for value in values) else chosen


def _coalescelist(values: list[Any]) -> Any:
    chosen = next((value for value in values if value), None)
    if chosen is None:
        raise CallError("no non-null arguments")
    return chosen


def _contains(values: list[Any]) -> bool:
    return any(_same(item, values[1]) for item in _sequence(values))


def _same(left: Any, right: Any) -> bool:
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _distinct(values: list[Any]) -> list[Any]:
    unique: list[Any] = []
    for item in _sequence(values):
        if not any(_same(item, other) for other in unique):
            unique.append(item)
    return unique


def _element(values: list[Any]) -> Any:
    items, index = _sequence(values), _whole(values, 1)
    if not items:
        raise CallError("cannot use element function with an empty list")
    if index < 0:
        raise CallError("cannot use element function with a negative index")
    return items[index % len(items)]


def _flatten(items: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for item in items:
        if isinstance(item, list):
            flat += _flatten(item)
        else:
            flat.append(item)
    return flat


def _index(values: list[Any]) -> Any:
    collection, key = values
    try:
        if isinstance(collection, dict):
            return collection[convert(key, STRING)]
        if isinstance(collection, list):
            position = convert(key, NUMBER)
            if isinstance(position, int) and 0 <= position < len(collection):
                return collection[position]
    except (KeyError, ConvertError):
        pass
    raise CallError("invalid index")


def _length(values: list[Any]) -> int:
    value = values[0]
    if not isinstance(value, list | TypedMap):
        raise CallError("collection must be a list, a map or a tuple")
    return len(value)


def _lookup(values: list[Any]) -> Any:
    mapping, key, default = values
    if not isinstance(mapping, dict):
        raise ArgumentError(0, "lookup() requires a map as the first argument")
    return mapping.get(key, default)


def _merge(values: list[Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for index, value in enumerate(values):
        if value is not None:
            merged |= _mapping(values, index)
    if values and all(value is None or isinstance(value, TypedMap) for value in values):
        return TypedMap(merged)
    return merged


def _range(values: list[Any]) -> list[Any]:
    numbers = [decimal(value) for value in values]
    if not 1 <= len(numbers) <= 3:
        raise CallError("must have one, two, or three arguments")
    start = numbers[0] if len(numbers) > 1 else Decimal(0)
    end = numbers[1] if len(numbers) > 1 else numbers[0]
    step = numbers[2] if len(numbers) == 3 else Decimal(1 if end >= start else -1)
    if step == 0:
        raise ArgumentError(2, "step must not be zero")
    if (end > start and step < 0) or (end < start and step > 0):
        which = "negative" if step < 0 else "positive"
        order = "less" if step < 0 else "greater"
        raise ArgumentError(1, f"end must be {order} than start when step is {which}")
    made: list[Any] = []
    while (start < end) if step > 0 else (start > end):
        if len(made) >= _MAX_RANGE:
            raise CallError(
                "more than 1024 values were generated; either decrease the difference between start and end or use a "
                "smaller step"
            )
        made.append(whole(start))
        start += step
    return made


def _setproduct(values: list[Any]) -> Any:
    lists = [_sequence(values, index) for index in range(len(values))]
    if len(lists) < 2:
        raise CallError("at least two arguments are required")
    if prod(map(len, lists)) > _MAX_PRODUCT:
        raise CallError("the result is too large")
    return [list(combination) for combination in itertools.product(*lists)]


def _set_of(values: list[Any], keep: Any) -> Any:
    first, *others = [_sequence(values, index) for index in range(len(values))]
    kept = list(first)
    for other in others:
        kept = keep(kept, other)
    if any(isinstance(item, str) for item in kept):
        kept = [convert(item, STRING) for item in kept]
    return as_set(kept)


def _slice(values: list[Any]) -> list[Any]:
    items, start, end = _sequence(values), _whole(values, 1), _whole(values, 2)
    if start < 0:
        raise ArgumentError(1, "start index must not be less than zero")
    if end > len(items):
        raise ArgumentError(2, "end index must not be greater than the length of the list")
    if start > end:
        raise ArgumentError(1, "start index must not be greater than end index")
    return items[start:end]


def _sort(values: list[Any]) -> list[Any]:
    items = values[0]
    if any(item is None for item in items):
        raise CallError("given list element is null; a null string cannot be sorted")
    return sorted(items)


def _zipmap(values: list[Any]) -> dict[str, Any]:
    keys, items = values[0], _sequence(values, 1)
    if len(keys) != len(items):
        raise CallError(f"number of keys ({len(keys)}) does not match number of values ({len(items)})")
    return dict(zip(keys, items, strict=True))


def _keys(values: list[Any]) -> list[str]:
    return sorted(_mapping(values))


def _values(values: list[Any]) -> list[Any]:
    mapping = _mapping(values)
    return [mapping[key] for key in sorted(mapping)]


def _concat(values: list[Any]) -> list[Any]:
    lists = [_sequence(values, index) for index in range(len(values))]
    return [item for each in lists for item in each]


def collection_functions() -> dict[str, Function]:
    """Functions on collections by name."""
    any_argument = Parameter("vals", ANY, nullable=True)
    number = Parameter("size", NUMBER)
    return {
        "chunklist": Function(_chunklist, (_LIST, number)),
        "coalesce": Function(_coalesce, rest=any_argument),
        "coalescelist": Function(_coalescelist, rest=any_argument),
        "compact": Function(lambda v: [item for item in v[0] if item], (Parameter("list", STRINGS),)),
        "concat": Function(_concat, rest=Parameter("seqs", ANY)),
        "contains": Function(_contains, (_LIST, Parameter("value", ANY))),
        "distinct": Function(_distinct, (Parameter("list", _ANY_LIST),)),
        "element": Function(_element, (_LIST, Parameter("index", NUMBER))),
        "flatten": Function(lambda v: _flatten(_sequence(v)), (_LIST,)),
        "index": Function(_index, (Parameter("collection", ANY), Parameter("key", ANY))),
        "keys": Function(_keys, (Parameter("inputMap", ANY),)),
        "length": Function(_length, (Parameter("collection", ANY),)),
        "lookup": Function(
            _lookup, (Parameter("inputMap", ANY), Parameter("key", STRING), Parameter("default", ANY, nullable=True))
        ),
        "merge": Function(_merge, rest=Parameter("maps", ANY, nullable=True)),
        "range": Function(_range, rest=Parameter("params", NUMBER)),
        "setintersection": Function(
            lambda v: _set_of(v, lambda kept, other: [item for item in kept if item in other]),
            (Parameter("first_set", ANY),),
            Parameter("other_sets", ANY),
        ),
        "setproduct": Function(_setproduct, rest=Parameter("sets", ANY)),
        "setunion": Function(
            lambda v: _set_of(v, lambda kept, other: kept + other),
            (Parameter("first_set", ANY),),
            Parameter("other_sets", ANY),
        ),
        "slice": Function(_slice, (_LIST, Parameter("start_index", NUMBER), Parameter("end_index", NUMBER))),
        "sort": Function(_sort, (Parameter("list", STRINGS),)),
        "values": Function(_values, (Parameter("mapping", ANY),)),
        "zipmap": Function(_zipmap, (Parameter("keys", STRINGS), Parameter("values", ANY))),
    }
