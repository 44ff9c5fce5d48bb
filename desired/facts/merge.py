"""One set of facts out of those of several extractors: the surer value stands, what it overruled is kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from desired.facts.fact import Fact
from desired.facts.facts import Facts


def merged(found: Iterable[tuple[float, Facts]]) -> Facts:
    """`found` are facts with their extractor's priority. Between extractors the priority decides, not how sure each is.

    Of the same thing the higher priority wins, of equal ones the first; a gap is filled from further down. The order
    of several things is that of the surest extractor that names any.
    """
    ordered = [facts for _, facts in sorted(found, key=lambda one: -one[0])]
    made: dict[str, Any] = {}
    for field in fields(Facts):
        values = [getattr(facts, field.name) for facts in ordered]
        if isinstance(getattr(_NOTHING, field.name), Mapping):
            keys = dict.fromkeys(key for value in values for key in value)
            made[field.name] = MappingProxyType({
                key: _one([value[key] for value in values if key in value]) for key in keys
            })  # fmt: skip
        else:
            made[field.name] = _one([value for value in values if value is not None])
    return Facts(**made)


_NOTHING = Facts()


def _one(values: list[Fact[Any]]) -> Fact[Any] | None:
    if not values:
        return None
    first, *others = values
    differing = [replace(other, overruled=()) for other in others if other.value != first.value]
    below = tuple(
        dict.fromkeys((*first.overruled, *differing, *(more for other in others for more in other.overruled)))
    )
    return replace(first, overruled=below)
