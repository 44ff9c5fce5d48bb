"""`for`: a list or an object made of another, item by item."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from desired.job.hcl_nodes import For
from desired.job.hcl_scope import Scope
from desired.job.hcl_source import quoted
from desired.job.hcl_value import BOOL, STRING, UNKNOWN, ConvertError, TypedSet, convert, type_name


def loop(scope: Scope, node: For, item: Any) -> Any:
    """The list or object that a `for` makes; UNKNOWN after an error."""
    collection = scope.value(node.collection, item)
    if collection is UNKNOWN:
        return UNKNOWN
    if collection is None:
        detail = "A null value cannot be used as the collection in a 'for' expression."
        return scope.error("Iteration over null value", detail, node.collection.place)
    if not isinstance(collection, list | dict):
        detail = f"A value of type {type_name(collection)} cannot be used as the collection in a 'for' expression."
        return scope.error("Iteration over non-iterable value", detail, node.collection.place)
    made_list: list[Any] = []
    made_object: dict[str, Any] = {}
    known = True
    for key, value in elements(collection):
        names = {node.value_name: value} | ({node.key_name: key} if node.key_name else {})
        inner = scope.with_variables(names)
        taken = _condition(inner, node, item)
        if taken is not True:
            known = known and taken is False
            continue
        if node.key is None:
            made_list.append(inner.value(node.value, item))
        else:
            known = _entry(inner, node, item, made_object) and known
    if not known:
        return UNKNOWN
    made = made_list if node.key is None else made_object
    scope.budget.spend(made, node.place)
    return made


def _condition(scope: Scope, node: For, item: Any) -> Any:
    if node.condition is None:
        return True
    value = scope.value(node.condition, item)
    if value is None:
        detail = "The value of the 'if' clause must not be null."
        return scope.error("Invalid 'for' condition", detail, node.condition.place)
    try:
        return convert(value, BOOL)
    except ConvertError as error:
        detail = f"The 'if' clause value is invalid: {error}."
        return scope.error("Invalid 'for' condition", detail, node.condition.place)


def _entry(scope: Scope, node: For, item: Any, made: dict[str, Any]) -> bool:
    assert node.key is not None
    key = scope.value(node.key, item)
    if key is None:
        detail = "Key expression in 'for' expression must not produce a null value."
        scope.error("Invalid object key", detail, node.key.place)
        return False
    try:
        key = convert(key, STRING)
    except ConvertError as error:
        detail = f"The key expression produced an invalid result: {error}."
        scope.error("Invalid object key", detail, node.key.place)
        return False
    if key is UNKNOWN:
        return False
    value = scope.value(node.value, item)
    if node.group:
        made.setdefault(key, []).append(value)
    elif key in made:
        detail = (
            f"Two different items produced the key {quoted(key)} in this 'for' expression. If duplicates are "
            "expected, use the ellipsis (...) after the value expression to enable grouping by key."
        )
        scope.error("Duplicate object key", detail, node.key.place)
    else:
        made[key] = value
    return True


def elements(collection: list[Any] | dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Keys and values as HCL walks them: maps by key, a set's elements being their own keys."""
    if isinstance(collection, dict):
        for key in sorted(collection):
            yield key, collection[key]
    else:
        for index, value in enumerate(collection):
            yield (value if isinstance(collection, TypedSet) else index), value
