"""The work queue: which key is to be looked at next, and which not yet.

Three sets make its promise (as in client-go's workqueue): *dirty* keys have to be looked at, *processing* keys are
being looked at, and the *order* holds the keys that are dirty and not processing. So one pass a key runs at a time, and
any number of wake-ups during a pass cause exactly one more.

The queue is a plain data structure: times come in as seconds of a monotonic clock, nothing waits. `reconcilers.workers`
drives it. Order is first in, first out: a key that is woken all the time takes one place like every other.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Hashable
from itertools import count
from typing import Generic, TypeVar

from reconcilers.backoff import Backoff

K = TypeVar("K", bound=Hashable)


class WorkQueue(Generic[K]):
    """Keys that are due now, and keys that are due later."""

    def __init__(self, *, backoff: Backoff) -> None:
        self._backoff = backoff
        self._order: deque[K] = deque()
        self._dirty: dict[K, float] = {}
        self._processing: set[K] = set()
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._sequence = count()
        self._failures: dict[K, int] = {}
        self._not_before: dict[K, float] = {}

    def __len__(self) -> int:
        """Keys that wait for a pass; those that are due later are not counted."""
        return len(self._order)

    @property
    def busy(self) -> int:
        """Passes under way."""
        return len(self._processing)

    def add(self, key: K, now: float) -> None:
        """Wake a key: it is looked at once more, soon. A key that backs off after failures is not hurried by it."""
        not_before = self._not_before.get(key, now)
        if not_before > now:
            self.add_at(key, not_before)
        elif key not in self._dirty:
            self._dirty[key] = now
            if key not in self._processing:
                self._order.append(key)

    def add_at(self, key: K, due: float) -> None:
        """Wake a key later. Of several times the earliest counts."""
        known = self._due.get(key)
        if known is None or due < known:
            self._due[key] = due
            heapq.heappush(self._heap, (due, next(self._sequence), key))

    def take(self, now: float) -> tuple[K, float] | None:
        """The key to look at now and the seconds it waited; None if there is none. `done` must follow."""
        self._release_due(now)
        if not self._order:
            return None
        key = self._order.popleft()
        self._processing.add(key)
        # The pass computes anew when the key is to be looked at again.
        self._due.pop(key, None)
        return key, now - self._dirty.pop(key)

    def done(self, key: K) -> None:
        """The pass is over, however it ended."""
        self._processing.discard(key)
        if key in self._dirty:
            self._order.append(key)

    def fail(self, key: K, now: float, *, at_least: float = 0.0) -> float:
        """The pass failed: look again after a delay that grows, of `at_least` so many seconds; the delay."""
        self._failures[key] = self._failures.get(key, 0) + 1
        delay = max(self._backoff.delay(self._failures[key]).total_seconds(), at_least)
        self._not_before[key] = now + delay
        if key in self._dirty:
            # Woken during the pass that failed: that wake-up waits with the retry.
            del self._dirty[key]
        self.add_at(key, now + delay)
        return delay

    def forget(self, key: K) -> None:
        """The pass did not fail, or a person asked: the next failure starts from the shortest delay."""
        self._failures.pop(key, None)
        self._not_before.pop(key, None)

    def next_due(self) -> float | None:
        """When the next delayed key is due; None if none is."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _release_due(self, now: float) -> None:
        while (due := self.next_due()) is not None and due <= now:
            key = heapq.heappop(self._heap)[2]
            del self._due[key]
            if self._not_before.get(key, now) <= now:
                self._not_before.pop(key, None)
            self.add(key, now)
