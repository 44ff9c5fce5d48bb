"""What waits to be told to one receiver: the newest state of each topic, once, and never too much of it. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from nomad_operator.news.notice import ABOVE, BELOW, Kind, Notice, Topic

# A fleet of ten thousand, twice over.
MOST_WAITING = 20_000
MOST_TOLD = 50_000
# An app that comes and goes is told of so often in this time, and then as it is by then.
MOST_OF_ONE = 3
WINDOW_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Told:
    """What was told last of a topic, and when it was told, by the monotonic clock."""

    state: str
    at: tuple[float, ...]


class Pending:
    """Bounded. What is told and what is dropped follows from the order of calls and the times alone."""

    def __init__(self, *, kinds: Collection[Kind]) -> None:
        self._kinds = frozenset(kinds)
        self._waiting: OrderedDict[Topic, Notice] = OrderedDict()
        self._told: OrderedDict[Topic, Told] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, notice: Notice) -> bool:
        """False where there is no room any more: then this one is lost."""
        if notice.kind not in self._kinds:
            # A state that is not told ends the one that was to be.
            self.settle(notice.topic)
            return True
        if notice.topic not in self._waiting and len(self._waiting) >= MOST_WAITING:
            return False
        self._waiting[notice.topic] = notice
        self._waiting.move_to_end(notice.topic)
        return True

    def settle(self, topic: Topic) -> None:
        """It is not so any more; if it comes again it is news again."""
        self._waiting.pop(topic, None)
        told = self._told.get(topic)
        if told is not None:
            self._told[topic] = Told("", told.at)

    def forget(self, app: str) -> None:
        """What was told of an app that is gone. What waits is told still."""
        for topic in [topic for topic in self._told if topic.app == app]:
            del self._told[topic]

    def due_at(self) -> float | None:
        """When the next one may be told, by the monotonic clock; None while nothing waits."""
        return min((self._from(topic) for topic in self._waiting), default=None)

    def take(self, now: float) -> tuple[Notice, ...]:
        """All that may be told now, as it is now; it counts as told."""
        due = [topic for topic in self._waiting if self._from(topic) <= now]
        taken = [self._waiting.pop(topic) for topic in due]
        news = [one for one in taken if (told := self._told.get(one.topic)) is None or told.state != one.state]
        for one in news:
            before = self._told.get(one.topic)
            times = (*before.at, now) if before is not None else (now,)
            self._told[one.topic] = Told(one.state, times[-MOST_OF_ONE:])
            self._told.move_to_end(one.topic)
        while len(self._told) > MOST_TOLD:
            self._told.popitem(last=False)
        explained = {one.app for one in news if one.kind in ABOVE}
        order = list(Kind)
        return tuple(
            sorted(
                (one for one in news if one.kind not in BELOW or one.app not in explained),
                key=lambda one: (order.index(one.kind), one.app, one.at),
            )
        )

    def _from(self, topic: Topic) -> float:
        told = self._told.get(topic)
        often = told is not None and len(told.at) >= MOST_OF_ONE
        return told.at[0] + WINDOW_SECONDS if told is not None and often else 0.0
