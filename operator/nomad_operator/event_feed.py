"""What Nomad's event stream says: it wakes apps and is kept as evidence. It is never believed: lists are the truth."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Protocol

from nomad_operator.bursts import Bursts
from nomad_operator.metrics import Metrics
from nomad_operator.nomad_watch import NomadWatch
from observers.nomad.chronicle import Chronicle
from observers.nomad.namespaces import watch_namespaces
from observers.nomad.stream_items import Connected, Disconnected, Event, Missed, StreamItem
from reconcilers.reports import Reports


class Stream(Protocol):
    """The event stream."""

    def items(self) -> AsyncGenerator[StreamItem, None]: ...

    def resubscribe(self) -> None:
        """Subscribe anew: a subscription to all namespaces knows those that were there when it began."""
        ...


class EventFeed:
    """`look` asks for a read of the lists, soon. `namespaces` lists them where all are watched, else it is None."""

    def __init__(
        self,
        *,
        stream: Stream,
        namespaces: Callable[[], Awaitable[tuple[str, ...]]] | None,
        chronicle: Chronicle,
        bursts: Bursts,
        reports: Reports,
        metrics: Metrics,
        nomad: NomadWatch,
        look: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        self._stream = stream
        self._namespaces = namespaces
        self._chronicle = chronicle
        self._bursts = bursts
        self._reports = reports
        self._metrics = metrics
        self._nomad = nomad
        self._look = look
        self._now = now
        self._connected_at = now()

    async def run(self) -> None:
        """Without end."""
        loops: list[Awaitable[None]] = [self._listen()]
        if self._namespaces is not None:
            resubscribe = self._stream.resubscribe
            loops.append(watch_namespaces(names=self._namespaces, changed=resubscribe, sleep=asyncio.sleep))
        await asyncio.gather(*loops)

    async def _listen(self) -> None:
        async with aclosing(self._stream.items()) as items:
            async for item in items:
                self.heard(item)

    def heard(self, item: StreamItem) -> None:
        match item:
            case Missed():
                self._look()
            case Connected():
                self._connected_at = self._now()
                self._nomad.stream(None)
                # The stream tells nothing of what happened before it: only lists do.
                self._look()
            case Disconnected():
                self._nomad.stream(item.error)
            case Event():
                self._happened(item)

    def _happened(self, event: Event) -> None:
        # What the server still holds from before is told again at every connect; it is not late.
        if (happened := event.happened_at) is not None and self._connected_at <= happened:
            self._metrics.event_lag((self._now() - happened).total_seconds())
        # Of apps of ours alone: a cluster may hold many more.
        ours = [key for key in event.keys if self._reports.get(key) is not None]
        if ours:
            self._chronicle.heard(event)
        for key in ours:
            self._bursts.heard(key, event)
