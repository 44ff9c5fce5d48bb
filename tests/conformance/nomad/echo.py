"""The recording itself as the target: what the suite is tested with.

It answers every request as it was recorded, at the recorded times. A replay against it finds nothing, or the suite is
wrong; `changed` plants differences that it has to find.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.conformance.nomad.target import Answer
from tests.recordings_reader import Exchange, Recording

Change = Callable[[Exchange], Exchange]


class Echo:
    """Time passes only by waiting."""

    name = "echo"

    def __init__(self, recording: Recording, *, changed: Change = lambda exchange: exchange) -> None:
        self._exchanges = [changed(exchange) for exchange in recording.exchanges]
        self._events = [event for _, line in recording.events for event in line.get("Events") or ()]
        self._now = 0.0

    def now(self) -> float:
        return self._now

    async def wait_until(self, time: float) -> None:
        self._now = max(self._now, time)

    async def send(self, method: str, path: str, query: Mapping[str, Any], body: Any) -> Answer:
        exchange = self._current(method, path, query, body)
        return Answer(status=exchange.status, headers=exchange.headers, body=exchange.body)

    async def read_stream(self, query: Mapping[str, Any], seconds: float) -> Answer:
        exchange = self._current("GET", "/v1/event/stream", query, None)
        stream: Mapping[str, Any] = exchange.stream or {}
        self._now += seconds
        lines: Sequence[str] = stream["first"]
        return Answer(status=exchange.status, lines=tuple(lines), ended=stream["end"] == "closed by the server")

    def events(self) -> list[Mapping[str, Any]]:
        return self._events

    def _current(self, method: str, path: str, query: Mapping[str, Any], body: Any) -> Exchange:
        """The latest one of these whose time has come; else the next."""
        asked = json.dumps([method, path, dict(query), body], sort_keys=True)
        same = [
            exchange
            for exchange in self._exchanges
            if json.dumps([exchange.method, exchange.path, dict(exchange.query), exchange.request], sort_keys=True)
            == asked
        ]
        begun = [exchange for exchange in same if exchange.t <= self._now + 0.0005]
        return begun[-1] if begun else same[0]
