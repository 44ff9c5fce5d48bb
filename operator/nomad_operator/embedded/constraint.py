"""Whether a node satisfies a constraint. Source: scheduler/feasible checkConstraint."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Node = Mapping[str, Any]

_NODE_FIELDS = {
    "node.unique.id": "ID",
    "node.datacenter": "Datacenter",
    "node.unique.name": "Name",
    "node.class": "NodeClass",
    "node.pool": "NodePool",
}
_UNIQUE = ("${unique.", "${node.unique.", "${attr.unique.", "${meta.unique.")
_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?")
_BOUND = re.compile(r"\s*(=|!=|>=|<=|>|<|~>)?\s*(\S+)\s*")


def satisfied(constraint: Mapping[str, str], node: Node) -> bool:
    """`distinct_hosts` and `distinct_property` are about other allocations: they hold here."""
    operand = constraint["Operand"] or "="
    left, right = resolve(constraint["LTarget"], node), resolve(constraint["RTarget"], node)
    if operand == "is_set":
        return left is not None
    if operand == "is_not_set":
        return left is None
    if operand in ("!=", "not"):
        return left != right
    if operand in ("distinct_hosts", "distinct_property"):
        return True
    test = _TESTS.get(operand)
    return test is not None and left is not None and right is not None and test(left, right)


def escapes(constraint: Mapping[str, str]) -> bool:
    """About one node, not about nodes that are alike. Source: nomad/structs/node_class.go EscapedConstraints."""
    return any((constraint[side] or "").startswith(_UNIQUE) for side in ("LTarget", "RTarget"))


def told(constraint: Mapping[str, str]) -> str:
    """As ConstraintFiltered names it."""
    return f"{constraint['LTarget']} {constraint['Operand']} {constraint['RTarget']}"


def resolve(target: str, node: Node) -> str | None:
    """The value of `${attr.x}`, `${meta.x}`, `${node.x}` on the node, or the text itself; None if it is not set."""
    if not target.startswith("${"):
        return target
    name = target.removeprefix("${").removesuffix("}")
    if name in _NODE_FIELDS:
        return str(node[_NODE_FIELDS[name]])
    kind, _, key = name.partition(".")
    table = {"attr": "Attributes", "meta": "Meta"}.get(kind)
    value = node[table].get(key) if table else None
    return None if value is None else str(value)


def _ordered(left: str, right: str) -> int:
    """As Go compares them: integers and floats by value, anything else as text."""
    for kind in (int, float):
        try:
            one, other = kind(left), kind(right)
        except ValueError:
            continue
        return (one > other) - (one < other)
    return (left > right) - (left < right)


def _version(text: str) -> tuple[tuple[int, ...], tuple[int, list[Any]]] | None:
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        return None
    numbers = tuple(int(part) for part in match[1].split("."))
    numbers += (0,) * (3 - len(numbers))
    # A prerelease comes before its release; its parts compare as numbers where they are numbers.
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in (match[2] or "").split(".")]
    return numbers, (0 if match[2] else 1, parts if match[2] else [])


def _versions(left: str, right: str, *, semver: bool) -> bool:
    actual = _version(left)
    if actual is None:
        return False
    for bound in right.split(","):
        match = _BOUND.fullmatch(bound)
        wanted = _version(match[2]) if match else None
        if match is None or wanted is None:
            return False
        # Without semver rules a prerelease only fits a bound that names one of the same version.
        if not semver and actual[1][0] == 0 and (wanted[1][0] == 1 or wanted[0] != actual[0]):
            return False
        if not _BOUNDS[match[1] or "="](actual, wanted):
            return False
    return True


def _pessimistic(actual: Any, wanted: Any) -> bool:
    kept = max(len([part for part in wanted[0] if part]) - 1, 1)
    return bool(actual >= wanted and actual[0][:kept] == wanted[0][:kept])


_BOUNDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    ">": lambda one, other: one > other,
    "<": lambda one, other: one < other,
    ">=": lambda one, other: one >= other,
    "<=": lambda one, other: one <= other,
    "~>": _pessimistic,
}


def _parts(text: str) -> set[str]:
    return {part.strip() for part in text.split(",")}


def _equal(left: str, right: str) -> bool:
    return left == right


def _contains_all(left: str, right: str) -> bool:
    return _parts(right) <= _parts(left)


_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "=": _equal,
    "==": _equal,
    "is": _equal,
    "<": lambda left, right: _ordered(left, right) < 0,
    "<=": lambda left, right: _ordered(left, right) <= 0,
    ">": lambda left, right: _ordered(left, right) > 0,
    ">=": lambda left, right: _ordered(left, right) >= 0,
    "version": lambda left, right: _versions(left, right, semver=False),
    "semver": lambda left, right: _versions(left, right, semver=True),
    "regexp": lambda left, right: re.search(right, left) is not None,
    "set_contains": _contains_all,
    "set_contains_all": _contains_all,
    "set_contains_any": lambda left, right: bool(_parts(left) & _parts(right)),
}
