"""Pieces of a text, and what is to stand there instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Splice:
    """What stands between two offsets, exchanged for a text; nothing stands between equal ones."""

    start: int
    end: int
    text: str


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """All at once: the offsets are those of the text as it is. They do not overlap; of two at one place, in order."""
    for splice in sorted(splices, key=lambda each: each.start)[::-1]:
        text = text[: splice.start] + splice.text + text[splice.end :]
    return text
