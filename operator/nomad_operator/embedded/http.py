"""The embedded Nomad behind HTTP, in real time: a starlette application and the clock that drives it.

Everything happens in the event loop that serves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.responses import StreamingResponse
from starlette.routing import Route

from nomad_operator.embedded.engine import EmbeddedNomad
from nomad_operator.embedded.instant import to_datetime
from nomad_operator.embedded.messages import Response, Streaming, Waiting
from nomad_operator.embedded.transport import request_of, stream_lines

_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]
_LONGEST_NAP = timedelta(seconds=60)


def _real_now() -> datetime:
    return datetime.now(UTC)


class RealTime:
    """Lets the embedded Nomad's time pass with the real one. `run` until cancelled."""

    def __init__(self, *, nomad: EmbeddedNomad, clock: Callable[[], datetime] = _real_now) -> None:
        self._nomad = nomad
        self._clock = clock
        self._changed = asyncio.Event()

    def catch_up(self) -> None:
        """Bring it to the present."""
        self._nomad.advance(self._clock())

    def changed(self) -> None:
        """Somebody has written: what is due next may be something else, and who waits looks again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Advance whenever something is due."""
        while True:
            before = self._nomad.raft_index
            self.catch_up()
            if self._nomad.raft_index != before:
                self.changed()
            due = self._nomad.next_due()
            now = self._clock()
            nap = _LONGEST_NAP if due is None else min(max(due - now, timedelta()), _LONGEST_NAP)
            await self._changes_within(nap)

    async def wait(self, waiting: Waiting) -> Response:
        """The answer to a blocking query."""
        while True:
            self.catch_up()
            response = waiting.again()
            if response is not None:
                return response
            await self._changes_within(to_datetime(waiting.deadline) - self._clock())

    async def _changes_within(self, span: timedelta) -> None:
        try:
            async with asyncio.timeout(max(span.total_seconds(), 0.001)):
                await self._changed.wait()
        except TimeoutError:
            pass


def application(nomad: EmbeddedNomad, time: RealTime) -> Starlette:
    """Every path goes to the embedded Nomad."""

    async def answer(http: HttpRequest) -> HttpResponse:
        headers = {name.lower(): value for name, value in http.headers.items()}
        request = request_of(http.method, _target(http), await http.body(), headers)
        time.catch_up()
        before = nomad.raft_index
        found = nomad.handle(request)
        if nomad.raft_index != before:
            time.changed()
        if isinstance(found, Streaming):
            # As Nomad does it: no length, and the connection is not used again.
            return StreamingResponse(_read(found), 200, {"Connection": "close"}, "application/json")
        if isinstance(found, Waiting):
            found = await time.wait(found)
        made = HttpResponse(found.body, found.status, dict(found.headers))
        if found.content_type:
            # Set as it is: starlette would add a character set.
            made.headers["Content-Type"] = found.content_type
        return made

    return Starlette(routes=[Route("/{path:path}", answer, methods=_METHODS)])


def _target(http: HttpRequest) -> str:
    """Path and query as they were sent: a URL made of the decoded path would be decoded once more."""
    return f"{http.scope['raw_path'].decode('ascii')}?{http.scope['query_string'].decode('ascii')}"


async def _read(streaming: Streaming) -> AsyncIterator[bytes]:
    async for line in stream_lines(streaming):
        yield line
