"""Whether a file says what a model says it does. A value whose line does not hold it is dropped. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from desired.facts.amounts import megabytes
from desired.facts.fact import Place

# Models count lines badly; the value itself must stand there all the same.
_NEAR = 3
_AMOUNT = re.compile(r"\d+(?:\.\d+)?\s?(?:[kmgt]i?b?)\b", re.IGNORECASE)


def cited(lines: Mapping[str, tuple[str, ...]], path: str, line: int, value: str) -> Place | None:
    """Where the value stands as a word of its own, at the line named or the nearest one to it."""
    return _nearest(lines, path, line, _word(value))


def stands(text: str, value: str) -> bool:
    """Whether the value stands anywhere in the text as a word of its own."""
    return _word(value).search(text) is not None


def cited_size(lines: Mapping[str, tuple[str, ...]], path: str, line: int, size: int) -> Place | None:
    """The same of an amount of memory in MB, in whatever unit it is written."""
    shown = lines.get(path, ())
    for number in _around(line, len(shown)):
        if any(megabytes(amount.replace(" ", "")) == size for amount in _AMOUNT.findall(shown[number - 1])):
            return Place(path, number)
    return None


def _word(value: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.-]){re.escape(value)}(?![\w-])", re.IGNORECASE)


def _nearest(lines: Mapping[str, tuple[str, ...]], path: str, line: int, word: re.Pattern[str]) -> Place | None:
    shown = lines.get(path, ())
    return next((Place(path, number) for number in _around(line, len(shown)) if word.search(shown[number - 1])), None)


def _around(line: int, last: int) -> list[int]:
    near = [number for number in range(line - _NEAR, line + _NEAR + 1) if 1 <= number <= last]
    return sorted(near, key=lambda number: (abs(number - line), number))
