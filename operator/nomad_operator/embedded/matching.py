"""Which service or template of the old job is which one of the new: they have no identity of their own.

Source: nomad/structs/diff.go findServiceMatch, findTemplateMatch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Value = Mapping[str, Any]
Pairs = list[tuple[Value | None, Value | None]]


def match_services(old: Sequence[Value], new: Sequence[Value]) -> Pairs:
    """By name and port before place; services that agree in the place alone are not the same."""

    def best(index: int, free: Sequence[int]) -> int | None:
        found, highest = None, 2
        for candidate in free:
            score = (candidate == index) + 2 * _same("PortLabel", old[index], new[candidate])
            score += 3 * _same("Name", old[index], new[candidate])
            if score > highest:
                found, highest = candidate, score
        return found

    return _match(old, new, best)


def match_templates(old: Sequence[Value], new: Sequence[Value]) -> Pairs:
    """By where they go."""

    def best(index: int, free: Sequence[int]) -> int | None:
        return next((candidate for candidate in free if _same("DestPath", old[index], new[candidate])), None)

    return _match(old, new, best)


def _same(field: str, one: Value, other: Value) -> bool:
    return bool(one[field] == other[field])


def _match(old: Sequence[Value], new: Sequence[Value], best: Callable[[int, Sequence[int]], int | None]) -> Pairs:
    if len(old) == 1 and len(new) == 1:
        return [(old[0], new[0])]
    free = list(range(len(new)))
    pairs: Pairs = []
    for index, before in enumerate(old):
        found = best(index, free)
        if found is not None:
            free.remove(found)
        pairs.append((before, None if found is None else new[found]))
    return [*pairs, *((None, new[index]) for index in free)]
