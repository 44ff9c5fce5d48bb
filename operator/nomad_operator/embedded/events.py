"""The event stream: a small buffer of what happened, and those who listen to it.

One item of the buffer is one line: the events of one raft index. What a subscriber sees of it depends on the topics
and namespace it asked for. Source: nomad/stream; recorded in the scenario event-stream.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

HEARTBEAT = b"{}\n"


@dataclass(frozen=True, slots=True)
class Event:
    """`type` comes from what was written, `topic` from the table: the two are independent."""

    topic: str
    type: str
    key: str
    namespace: str
    filter_keys: list[str] | None
    index: int
    payload: Mapping[str, Any]

    def shown(self) -> dict[str, Any]:
        return {
            "Topic": self.topic,
            "Type": self.type,
            "Key": self.key,
            "Namespace": self.namespace,
            "FilterKeys": self.filter_keys,
            "Index": self.index,
            "Payload": self.payload,
        }


@dataclass(slots=True)
class Subscription:
    """One listener. `lines` are waiting to be taken; `on_line` is called when there are some where there were none.

    `existing` are the namespaces of when it began: of later ones, `*` hears nothing.
    `silent`: it was refused, which nobody tells it: it gets no line at all.
    """

    topics: Mapping[str, tuple[str, ...]]
    namespace: str
    allowed: Callable[[Event], bool]
    existing: frozenset[str]
    silent: bool = False
    lines: deque[bytes] = field(default_factory=deque)
    on_line: Callable[[], None] | None = None

    def push(self, line: bytes) -> None:
        if self.silent:
            return
        self.lines.append(line)
        if self.on_line is not None:
            self.on_line()

    def offer(self, events: Iterable[Event]) -> None:
        """Take what was asked for out of one line."""
        mine = [event.shown() for event in events for _ in range(self._matches(event))]
        if mine:
            self.push(json.dumps({"Index": mine[0]["Index"], "Events": mine}, separators=(",", ":")).encode() + b"\n")

    def _matches(self, event: Event) -> int:
        """How often it is wanted: once for each key of the topic that fits."""
        wanted = self.existing if self.namespace == "*" else (self.namespace,)
        if event.namespace and event.namespace not in wanted:
            return 0
        if not self.allowed(event):
            return 0
        named = self.topics.get(event.topic)
        if named is None:
            return int("*" in self.topics)
        keys = [key for key in named if key != "*"]
        if not keys:
            return 1
        # Asked for with a key and without, only the key counts.
        return sum(key == event.key or key in (event.filter_keys or ()) for key in keys)


class Broker:
    """The buffer, and everybody who listens."""

    def __init__(self, *, size: int) -> None:
        self._buffer: deque[list[Event]] = deque(maxlen=size)
        self._subscriptions: list[Subscription] = []

    def publish(self, events: list[Event]) -> None:
        self._buffer.append(events)
        for subscription in self._subscriptions:
            subscription.offer(events)

    def subscribe(self, subscription: Subscription, *, index: int) -> None:
        """The first heartbeat, then the backlog from `index` on; from its beginning if `index` is older than it is.

        An index that is not there yet is not waited for: the last item comes again.
        """
        subscription.push(HEARTBEAT)
        backlog = list(self._buffer)
        if backlog and index > backlog[-1][0].index:
            backlog = backlog[-1:]
        for events in backlog:
            if events[0].index >= index or events is self._buffer[-1]:
                subscription.offer(events)
        self._subscriptions.append(subscription)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Doing it twice is nothing."""
        self._subscriptions = [one for one in self._subscriptions if one is not subscription]

    def beat(self) -> None:
        """A heartbeat for everybody."""
        for subscription in self._subscriptions:
            subscription.push(HEARTBEAT)

    def forget(self) -> None:
        """As a server that has just started: nothing buffered, nobody listening."""
        self._buffer.clear()
        self._subscriptions = []
