"""The requests themselves, by the openai library: bounded in size, never led elsewhere, never repeated here.

The library's own types are not relied on: it hands on whatever an endpoint sends, as the first thing that fits. Bodies
are read here and judged by others. Version 2 of it speaks through httpx, version 3 through httpx2.
"""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import openai

from desired.errors import DeadlineExceeded, OperatorError, Unavailable, UsageError
from prompts.model.heard import Heard, Lost
from prompts.model.unusable import Fault, UnusableAnswer

LARGEST = 4 * 1024 * 1024
_LARGEST_ERROR = 64 * 1024
_CONNECT = 5.0
_LIBRARY = next(
    one.__module__.partition(".")[0] for one in openai.DefaultAsyncHttpxClient.__mro__ if one.__name__ == "AsyncClient"
)
_BROKEN: tuple[type[Exception], ...] = (
    openai.OpenAIError, sys.modules[_LIBRARY].HTTPError, sys.modules[_LIBRARY].StreamError,
)  # fmt: skip
# By name: they are other classes in each of the two libraries.
_NEVER_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError")
_TIMEOUTS = ("ConnectTimeout", "ReadTimeout", "WriteTimeout", "PoolTimeout", "TimeoutException")


class Wire:
    """For the life of a process; nothing is asked yet. UsageError where the address is none.

    `who` is what its errors begin with.
    """

    def __init__(self, *, who: str, base_url: str, api_key: str, deadline: timedelta, largest: int = LARGEST) -> None:
        self._who = who
        self._largest = largest
        # The library wants some key; without one nothing is to look like one.
        self._headers: dict[str, Any] = {} if api_key else {"Authorization": openai.Omit()}
        try:
            self._client = openai.AsyncOpenAI(
                base_url=base_url, api_key=api_key or "none", max_retries=0,
                default_headers={"User-Agent": "nomad-operator"},
                timeout=openai.Timeout(deadline.total_seconds(), connect=_CONNECT),
                http_client=openai.DefaultAsyncHttpxClient(
                    follow_redirects=False, event_hooks={"response": [_refused]},
                    # Questions are rare. One on a connection that the other side closes just then would count as asked.
                    limits=sys.modules[_LIBRARY].Limits(max_keepalive_connections=0),
                ),
            )  # fmt: skip
        except sys.modules[_LIBRARY].InvalidURL as error:
            raise UsageError(f"OPENAI_BASE_URL cannot be used: {error}", hint="http://host:port/v1") from error

    async def complete(self, request: Mapping[str, Any]) -> Heard | Lost:
        """One chat completion. Whoever calls bounds the time: a limit of the library holds for each read alone."""
        return await self._heard(
            self._client.chat.completions.with_streaming_response.create(**request, extra_headers=self._headers)
        )

    async def models(self) -> Heard | Lost:
        """The list of models."""
        return await self._heard(self._client.models.with_streaming_response.list(extra_headers=self._headers))

    async def _heard(self, asking: AbstractAsyncContextManager[Any]) -> Heard | Lost:
        try:
            async with asking as response:
                return Heard(response.status_code, await _whole(response.iter_bytes(), self._largest))
        except _Refused as refused:
            return refused.heard
        except _TooLarge:
            longer = f"{self._who}: its answer is longer than {self._largest // 1024} KiB"
            hint = "a model that does not stop: lower the prompt's `max_tokens`"
            error = UnusableAnswer(longer, fault=Fault.MALFORMED, wrong=("the answer was far too long",), hint=hint)
            return Lost(error, sent=True, again=False)
        except _BROKEN as error:
            causes = list(_causes(error))
            told = next((one.heard for one in causes if isinstance(one, _Refused)), None)
            return told or _lost(self._who, causes)

    async def aclose(self) -> None:
        await self._client.close()


class _Refused(openai.OpenAIError):
    """An answer that is no 2xx, read as far as is needed."""

    def __init__(self, heard: Heard) -> None:
        super().__init__()
        self.heard = heard


class _TooLarge(Exception):
    """More came than any answer has."""


async def _refused(response: Any) -> None:
    """Before the library reads it: it would read an error to its end, however long that is."""
    if 200 <= response.status_code < 300:
        return
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _LARGEST_ERROR:
            break
    raise _Refused(Heard(response.status_code, bytes(body[:_LARGEST_ERROR]), _retry_after(response.headers)))


async def _whole(pieces: AsyncIterator[bytes], largest: int) -> bytes:
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > largest:
            raise _TooLarge
    return bytes(body)


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Seconds, or a date: that one against the answer's own date, as clocks differ."""
    told = headers.get("retry-after", "").strip()
    try:
        return timedelta(seconds=max(0.0, min(float(told), 86_400.0)))
    except ValueError:
        pass
    try:
        between = parsedate_to_datetime(told) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return max(timedelta(0), between)


def _lost(who: str, causes: list[BaseException]) -> Lost:
    names = {type(one).__name__ for one in causes}
    sent = not names.intersection(_NEVER_SENT)
    found, hint = _why(causes)
    error: OperatorError = Unavailable(f"{who}: {found}", hint=hint)
    if names.intersection(_TIMEOUTS):
        error = DeadlineExceeded(
            f"{who}: no {'answer' if sent else 'connection'} in time",
            hint="check OPENAI_BASE_URL, and what stands between: a firewall drops silently",
        )
    error.__cause__ = causes[0]
    certain = any(isinstance(one, socket.gaierror | ssl.SSLError) for one in causes)
    return Lost(error, sent=sent, again=not certain)


def _why(causes: list[BaseException]) -> tuple[str, str]:
    for one in causes:
        if isinstance(one, ssl.SSLCertVerificationError):
            return "its certificate is not trusted", "have SSL_CERT_FILE name the CA that signed it"
        if isinstance(one, ssl.SSLError):
            return "TLS failed", "does it speak TLS? else OPENAI_BASE_URL begins with http://"
        if isinstance(one, socket.gaierror):
            return "its name cannot be resolved", "check OPENAI_BASE_URL and the name service of this machine"
        if isinstance(one, ConnectionRefusedError):
            return "the connection was refused", "is the endpoint running, and is OPENAI_BASE_URL right?"
    named = next((type(one).__name__ for one in causes if not isinstance(one, openai.OpenAIError)), "no reason told")
    return f"the connection broke ({named})", "look at the endpoint's log"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made of, outermost first."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [found for found in (one.__cause__, one.__context__) if found is not None]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
