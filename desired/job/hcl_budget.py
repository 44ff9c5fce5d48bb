"""How much one file may make of itself when it is evaluated."""

from __future__ import annotations

from typing import Any

from desired.job.hcl_source import Range

# What one file may make of itself, in expressions evaluated, items and pieces of text produced. A job of 5000 lines
# takes some 50,000. Values that share parts count every time, so that none is large when it is written out.
MAX_STEPS = 500_000
TEXT_PIECE = 32
MAX_VALUE_DEPTH = 100


class TooLarge(Exception):
    """The text expands to more than we follow; `place` is where."""

    def __init__(self, place: Range) -> None:
        super().__init__("too large")
        self.place = place


class Budget:
    """What is left of the work that one file may cause."""

    def __init__(self) -> None:
        self._steps = MAX_STEPS

    def step(self, place: Range, count: int = 1) -> None:
        self._steps -= count
        if self._steps < 0:
            raise TooLarge(place)

    def spend(self, value: Any, place: Range) -> None:
        """Count what a value holds, all the way down."""
        pending = [(value, 0)]
        while pending:
            current, depth = pending.pop()
            if isinstance(current, str):
                self.step(place, len(current) // TEXT_PIECE)
            elif isinstance(current, list | dict):
                if depth > MAX_VALUE_DEPTH:
                    raise TooLarge(place)
                self.step(place, len(current))
                items = current.values() if isinstance(current, dict) else current
                pending += [(item, depth + 1) for item in items if isinstance(item, str | list | dict)]
