"""Transitions as they happen, to any number of listeners. One that does not keep up is dropped, never waited for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

# A resync of a thousand apps may move them all at once.
_KEPT = 2000
_CLOSED = None


class Subscription:
    """One listener's queue."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Mapping[str, Any] | None] = asyncio.Queue(_KEPT + 1)
        self._closed = False

    async def next(self) -> Mapping[str, Any] | None:
        """The next event; None when there will be no more: the daemon stops, or this listener fell behind."""
        return await self._queue.get()

    def _offer(self, event: Mapping[str, Any]) -> None:
        if self._closed:
            return
        if self._queue.qsize() >= _KEPT:
            self._close()
        else:
            self._queue.put_nowait(event)

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            self._queue.put_nowait(_CLOSED)


class Broadcast:
    """Gives every event to every listener of the moment."""

    def __init__(self) -> None:
        self._listeners: set[Subscription] = set()

    def publish(self, event: Mapping[str, Any]) -> None:
        """Never blocks."""
        for listener in self._listeners:
            listener._offer(event)

    @contextmanager
    def subscribe(self) -> Iterator[Subscription]:
        listener = Subscription()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """Ends every stream, so that the server can stop."""
        for listener in self._listeners:
            listener._close()


class Listening(Protocol):
    """What a stream is made of: one subscription."""

    async def next(self) -> Mapping[str, Any] | None: ...


async def server_sent(listener: Listening, *, heartbeat_seconds: float) -> AsyncIterator[str]:
    """The stream as text: one `transition` an event, a comment as heartbeat, and `end` when it is over.

    Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
    """
    # Something at once: a proxy, and a client that waits for headers, then know that the stream stands.
    yield ": connected\n\n"
    while True:
        try:
            event = await asyncio.wait_for(listener.next(), heartbeat_seconds)
        except TimeoutError:
            yield ": heartbeat\n\n"
            continue
        if event is None:
            yield "event: end\ndata: {}\n\n"
            return
        yield f"event: transition\ndata: {json.dumps(event, separators=(',', ':'))}\n\n"
