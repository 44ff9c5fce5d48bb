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
    return _one_process(Facts(**made), ordered)


def _one_process(facts: Facts, ordered: list[Facts]) -> Facts:
    """What runs is one thing: a new entrypoint forgets the command of what weighs less, as Docker does.

    A command of its own keeps the entrypoint of the image.
    """
    first = next((one for one in ordered if one.entrypoint is not None), None)
    if first is None or facts.entrypoint is None or facts.command is None:
        return facts
    at = ordered.index(first)
    above = any(one.command is not None for one in ordered[: at + 1])
    return facts if above else replace(facts, command=None)


_NOTHING = Facts()


def _one(values: list[Fact[Any]]) -> Fact[Any] | None:
    if not values:
        return None
    first, *others = values
    below = [*first.overruled]
    for other in others:
        below += [replace(other, overruled=()), *other.overruled]
    # A value of the same source that says the same is no other value.
    return replace(first, overruled=tuple(dict.fromkeys(one for one in below if one.value != first.value)))
