"""Calls the embedded Nomad without a socket: for `requests` (python-nomad) and for httpx, the event stream included.

Time is the caller's: it lets it pass with `EmbeddedNomad.advance`. Only a blocking query lets time pass by itself, up
to its answer: it has nobody else to wait for.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import requests
import urllib3
from requests.adapters import HTTPAdapter

from nomad_operator.embedded.engine import EmbeddedNomad
from nomad_operator.embedded.instant import to_datetime
from nomad_operator.embedded.messages import Request, Response, Streaming, Waiting, text


def request_of(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Request:
    """What the engine takes; `headers` in lower case."""
    parts = urlsplit(url)
    token = headers.get("x-nomad-token") or headers.get("authorization", "").removeprefix("Bearer ")
    return Request(
        method=method.upper(),
        path=unquote(parts.path),
        query=parse_qs(parts.query, keep_blank_values=True),
        body=body,
        token=token,
    )


def _at_last(nomad: EmbeddedNomad, found: Response | Waiting | Streaming) -> Response | Streaming:
    """The answer; a blocking query lets time pass until it has one."""
    if not isinstance(found, Waiting):
        return found
    end = to_datetime(found.deadline)
    while (response := found.again()) is None:
        due = nomad.next_due()
        nomad.advance(end if due is None else min(due, end))
    return response


class RequestsAdapter(HTTPAdapter):
    """Mounted on a session, it answers every request in the caller's thread. No event stream."""

    def __init__(self, nomad: EmbeddedNomad) -> None:
        super().__init__()
        self._nomad = nomad

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """See the class; what is said of time-outs and TLS does not matter here."""
        body = request.body or b""
        headers = {name.lower(): value for name, value in request.headers.items()}
        encoded = body.encode() if isinstance(body, str) else bytes(body)
        asked = request_of(request.method or "GET", request.url or "", encoded, headers)
        found = _at_last(self._nomad, self._nomad.handle(asked))
        if isinstance(found, Streaming):
            found.close()
            found = text("the event stream is for httpx alone", 501)
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(found.body), headers=_headers(found), status=found.status, preload_content=False
        )
        return self.build_response(request, raw)


def session(nomad: EmbeddedNomad) -> requests.Session:
    """A session whose every request goes to this Nomad."""
    made = requests.Session()
    made.trust_env = False
    adapter = RequestsAdapter(nomad)
    made.mount("http://", adapter)
    made.mount("https://", adapter)
    return made


class HttpxTransport(httpx.AsyncBaseTransport):
    """For httpx clients of any event loop, even while other threads advance the time."""

    def __init__(self, nomad: EmbeddedNomad) -> None:
        self._nomad = nomad

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answered at once, the event stream with a body that goes on."""
        asked = request_of(request.method, str(request.url), await request.aread(), dict(request.headers))
        found = _at_last(self._nomad, self._nomad.handle(asked))
        if isinstance(found, Streaming):
            headers = {"Content-Type": "application/json", "Connection": "close"}
            return httpx.Response(200, headers=headers, stream=_Lines(found))
        return httpx.Response(found.status, headers=_headers(found), content=found.body)


class _Lines(httpx.AsyncByteStream):
    """The lines of a subscription as they come."""

    def __init__(self, streaming: Streaming) -> None:
        self._streaming = streaming

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for line in stream_lines(self._streaming):
            yield line

    async def aclose(self) -> None:
        self._streaming.close()


async def stream_lines(streaming: Streaming) -> AsyncIterator[bytes]:
    """Every line of the stream, without end; closes the subscription when the consumer leaves."""
    loop, subscription = asyncio.get_running_loop(), streaming.subscription
    some = asyncio.Event()

    def wake() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(some.set)

    subscription.on_line = wake
    try:
        while True:
            while subscription.lines:
                yield subscription.lines.popleft()
            some.clear()
            if not subscription.lines:
                await some.wait()
    finally:
        subscription.on_line = None
        streaming.close()


def _headers(response: Response) -> dict[str, str]:
    headers = dict(response.headers)
    if response.content_type:
        headers["Content-Type"] = response.content_type
    return headers
