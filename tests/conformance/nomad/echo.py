"""The recording itself as the target: what the suite is tested with.

It answers every request as it was recorded, at the recorded times. A replay against it finds nothing, or the suite is
wrong; `changed` plants differences that it has to find.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.conformance.nomad.replay import own_evaluations
from tests.conformance.nomad.target import Answer
from tests.recordings_reader import Exchange, Recording

Change = Callable[[Exchange], Exchange]


class Echo:
    """Time passes only by waiting."""

    name = "echo"
    paced = False

    def __init__(self, recording: Recording, *, changed: Change = lambda exchange: exchange) -> None:
        exchanges = (replace(one, body=own_evaluations(recording, one)) for one in recording.exchanges)
        self._exchanges = [changed(exchange) for exchange in exchanges]
        self._events = [event for _, line in recording.events for event in line.get("Events") or ()]
        self._now = 0.0
        self._written = 0

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
        """The latest one of these whose time has come, of those between the last write and the next; else the next."""
        same = [exchange for exchange in self._exchanges if _asks(exchange) == _asked(method, path, query, body)]
        ahead = [exchange for exchange in same if exchange.number > self._written] or same[-1:]
        end = next((e.number for e in self._exchanges if e.number > self._written and e.method != "GET"), math.inf)
        if method != "GET":
            self._written = ahead[0].number
            return ahead[0]
        begun = [e for e in ahead if e.t <= self._now + 0.0005 and e.number < end]
        return begun[-1] if begun else ahead[0]


def _asks(exchange: Exchange) -> str:
    return _asked(exchange.method, exchange.path, exchange.query, exchange.request)


def _asked(method: str, path: str, query: Mapping[str, Any], body: Any) -> str:
    return json.dumps([method, path, dict(query), body], sort_keys=True)
