"""What is due when: one heap for everything that happens by itself."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True, order=True)
class Timer:
    """Something due at an instant. Cancelling it twice, or after it ran, does nothing."""

    due: int
    _place: int
    _action: Callable[[], None] | None = field(compare=False)

    def cancel(self) -> None:
        self._action = None

    @property
    def live(self) -> bool:
        return self._action is not None

    def fire(self) -> None:
        """Run it, once."""
        action, self._action = self._action, None
        if action is not None:
            action()


class Timers:
    """Timers in the order in which they are due; those of one instant in the order in which they were set."""

    def __init__(self, *, now: int) -> None:
        self.now = now
        self._began = now
        self._heap: list[Timer] = []
        self._places = itertools.count()

    @property
    def age(self) -> int:
        """The time that has passed since the beginning."""
        return self.now - self._began

    def at(self, due: int, action: Callable[[], None]) -> Timer:
        """Run `action` at `due`, or at once in the next `advance` if that has passed."""
        timer = Timer(max(due, self.now), next(self._places), action)
        heapq.heappush(self._heap, timer)
        return timer

    def after(self, delay: int, action: Callable[[], None]) -> Timer:
        return self.at(self.now + delay, action)

    def next_due(self) -> int | None:
        """The earliest instant at which something happens."""
        while self._heap and not self._heap[0].live:
            heapq.heappop(self._heap)
        return self._heap[0].due if self._heap else None

    def advance(self, to: int) -> None:
        """Run everything due until then, each at its own instant, also what is only set on the way."""
        while (due := self.next_due()) is not None and due <= to:
            self.now = max(self.now, due)
            heapq.heappop(self._heap).fire()
        self.now = max(self.now, to)
