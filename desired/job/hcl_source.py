"""A text with positions, and what is wrong with it in the words of Nomad's HCL reader."""

from __future__ import annotations

import bisect
import re
import unicodedata
from dataclasses import dataclass

# Half-open, in characters of the text without its byte order mark.
Range = tuple[int, int]


class Source:
    """A text without its byte order mark; positions count from 1, columns in characters as a person sees them."""

    def __init__(self, text: str, *, name: str = "input.hcl") -> None:
        self.name = name
        self.shift = 1 if text.startswith("\ufeff") else 0
        self.text = text[self.shift :]
        self._starts = [0, *(match.end() for match in re.finditer("\n", self.text))]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character."""
        line = bisect.bisect_right(self._starts, offset) - 1
        before = self.text[self._starts[line] : offset]
        marks = 0 if before.isascii() else sum(1 for character in before if unicodedata.combining(character))
        return line + 1, len(before) - marks + 1

    def show(self, place: Range) -> str:
        """`input.hcl:3,14-17`, or `input.hcl:9,22-10,1` over several lines."""
        line, column = self.position(place[0])
        last_line, last_column = self.position(place[1])
        end = f"{last_column}" if last_line == line else f"{last_line},{last_column}"
        return f"{self.name}:{line},{column}-{end}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `place` is None where Nomad names none and writes `<nil>`; a warning alone fails nothing."""

    summary: str
    detail: str
    place: Range | None
    source: Source | None = None
    warning: bool = False

    def tell(self) -> str:
        """The finding as Nomad words it."""
        where = "<nil>" if self.place is None or self.source is None else self.source.show(self.place)
        return f"{where}: {self.summary}; {self.detail}"


def quoted(text: str) -> str:
    """A name as Go's `%q` writes it, for names that people write."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'


def suggestion(given: str, names: list[str]) -> str:
    """The first name that is at most two edits away, empty if there is none.

    Source: hclsyntax/didyoumean.go: the first one below three, not the nearest.
    """
    return next((name for name in names if _distance(given, name) < 3), "")


def _distance(left: str, right: str) -> int:
    if abs(len(left) - len(right)) > 2:
        return 3
    previous = list(range(len(right) + 1))
    for row, a in enumerate(left, 1):
        current = [row]
        for column, b in enumerate(right, 1):
            current.append(min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (a != b)))
        previous = current
    return previous[-1]
