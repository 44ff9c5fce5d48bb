"""The embedded Nomad as the target, in virtual time, in the world that the recorded one had around it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import yaml

from nomad_operator.embedded.engine import EmbeddedNomad
from nomad_operator.embedded.messages import Request, Streaming, Waiting
from nomad_operator.embedded.transport import HttpxTransport
from nomad_operator.embedded.world import World
from tests import recordings_reader
from tests.conformance.nomad.pace import Recorded
from tests.conformance.nomad.real import read
from tests.conformance.nomad.target import Answer

_WORLDS = Path(__file__).parent / "worlds.yaml"
_START = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Embedded:
    """Time passes by waiting, while a request blocks, and while the stream is read."""

    name = "embedded"

    def __init__(self, *, nomad: EmbeddedNomad, http: httpx.AsyncClient, paced: bool) -> None:
        self.paced = paced
        self._nomad = nomad
        self._start = nomad.now
        self._http = http
        followed = self._stream({"topic": ["*"], "namespace": ["*"]})
        assert isinstance(followed, Streaming), followed
        self._lines = followed.subscription.lines
        self._events: list[Mapping[str, Any]] = []

    def now(self) -> float:
        return (self._nomad.now - self._start).total_seconds()

    async def wait_until(self, time: float) -> None:
        self._nomad.advance(self._start + timedelta(seconds=time))

    async def send(self, method: str, path: str, query: Mapping[str, Any], body: Any) -> Answer:
        content = body if isinstance(body, str) else None
        answer = await self._http.request(
            method, path, params=dict(query), json=None if content is not None else body, content=content
        )
        return Answer(status=answer.status_code, headers=dict(answer.headers), body=read(answer))

    async def read_stream(self, query: Mapping[str, Any], seconds: float) -> Answer:
        asked = {name: value if isinstance(value, list) else [value] for name, value in query.items()}
        found = self._stream(asked)
        await self.wait_until(self.now() + seconds)
        if isinstance(found, Streaming):
            lines = b"".join(found.subscription.lines).decode().splitlines()
            found.close()
            return Answer(status=200, lines=tuple(lines))
        assert not isinstance(found, Waiting)
        return Answer(status=found.status, lines=tuple(found.body.decode().splitlines()), ended=True)

    def events(self) -> list[Mapping[str, Any]]:
        while self._lines:
            self._events += json.loads(self._lines.popleft()).get("Events") or ()
        return self._events

    def _stream(self, query: Mapping[str, list[str]]) -> Any:
        return self._nomad.handle(Request(method="GET", path="/v1/event/stream", query=query))


@asynccontextmanager
async def embedded(scenario: str) -> AsyncIterator[Embedded]:
    """A fresh one in the scenario's world; where there were several nodes, at the recorded pace."""
    pace = None
    if scenario in recordings_reader.names(recordings_reader.MORE):
        pace = Recorded(recordings_reader.read(scenario, recordings_reader.MORE))
    start = pace.start if pace else _START
    nomad = EmbeddedNomad(world=world(scenario), start=start, first_index=1000, pace=pace)
    async with httpx.AsyncClient(transport=HttpxTransport(nomad), base_url="http://nomad") as http:
        yield Embedded(nomad=nomad, http=http, paced=pace is not None)


@cache
def world(scenario: str) -> World:
    """What the recording's Nomad had around it."""
    file: Any = yaml.safe_load(_WORLDS.read_text(encoding="utf-8"))
    more = file["more"] if scenario in recordings_reader.names(recordings_reader.MORE) else {}
    made: dict[str, Any] = {**file["base"], **more}
    for key, value in (file["scenarios"].get(scenario) or {}).items():
        made[key] = [*value, *made.get(key, ())] if isinstance(value, list) else value
    return World.model_validate(made)
