"""One subscription to Nomad's event stream, kept up: subscribe, wait for the first `{}`, deliver, and begin again.

Nomad answers 200 before it has looked at the token, and hangs up on nobody that it refuses. So neither the status nor
the end of the stream says anything: the first line does, and later the heartbeats do.
Source: command/agent/event_endpoint.go, nomad/stream/event_broker.go; recorded in scenarios event-stream and acl.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

import httpx

from desired.errors import Forbidden, OperatorError, Unavailable
from observers.nomad.answers import Unintelligible, mapping, sequence
from observers.nomad.calls import OnRequest
from observers.nomad.connection import Connection
from observers.nomad.endpoints import EVENT_STREAM, JOBS
from observers.nomad.errors import Attempt, failure, refusal
from observers.nomad.history import History
from observers.nomad.lines import TooLong, lines
from observers.nomad.stream_items import Connected, Disconnected, Event, Missed, StreamItem, events, identity
from observers.nomad.token import TokenSource

_LONGEST_REFUSAL = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long silence is borne. A heartbeat comes every 30 s; the first one within milliseconds."""

    first_line: timedelta = timedelta(seconds=5)
    silence: timedelta = timedelta(seconds=65)
    # A connection that lasted this long was a good one: the next failure is the first in a row.
    good: timedelta = timedelta(seconds=10)


class Subscription:
    """Events of some topics in one namespace, or in `*`."""

    def __init__(
        self,
        *,
        connection: Connection,
        client: httpx.AsyncClient,
        tokens: TokenSource,
        namespace: str,
        topics: Collection[str],
        patience: Patience,
        delay: Callable[[int], timedelta],
        sleep: Callable[[float], Awaitable[None]],
        clock: Callable[[], float],
        on_request: OnRequest | None = None,
    ) -> None:
        self._connection = connection
        self._client = client
        self._tokens = tokens
        self._namespace = namespace
        self._topics = sorted(topics)
        self._patience = patience
        self._delay = delay
        self._sleep = sleep
        self._clock = clock
        self._on_request = on_request
        self._history = History()
        self._forbidden = False
        self._renew = False
        self._waiting: asyncio.Timeout | None = None
        scope = "every namespace" if namespace == "*" else f"namespace {namespace}"
        self._attempt = Attempt(f"follow the events of {scope}", EVENT_STREAM, connection.shown)

    def renew(self) -> None:
        """Hang up and subscribe again, at the next moment in which nothing can be lost by it."""
        self._renew = True
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(0)

    async def items(self) -> AsyncGenerator[StreamItem, None]:
        """Without end; never raises for anything that Nomad or the network does."""
        failures = 0
        while True:
            began = self._clock()
            self._renew = False
            try:
                async with aclosing(self._once()) as once:
                    async for item in once:
                        yield item
            except OperatorError as error:
                self._forbidden = isinstance(error, Forbidden)
                failures = 1 if self._clock() - began > self._patience.good.total_seconds() else failures + 1
                retry_in = self._delay(failures)
                yield Disconnected(self._namespace, error, retry_in)
                await self._sleep(retry_in.total_seconds())
            except _Renewed:
                continue

    async def _once(self) -> AsyncGenerator[StreamItem, None]:
        """One connection, until it ends: always by an error."""
        try:
            response = await self._subscribe()
            try:
                if response.status_code != 200:
                    said = self._tokens.hide(await _some_text(response))
                    raise refusal(self._attempt, response.status_code, said)
                async with (
                    aclosing(lines(response.aiter_bytes())) as arriving,
                    aclosing(self._deliver(arriving)) as delivered,
                ):
                    async for item in delivered:
                        yield item
            finally:
                await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise failure(self._attempt, error) from error

    async def _subscribe(self) -> httpx.Response:
        parameters = self._parameters() | {"topic": self._topics}
        index = self._history.resume()
        if index:
            parameters["index"] = str(index)
        request = self._client.build_request("GET", "/v1/event/stream", params=parameters, headers=self._headers())
        began, status = monotonic(), 0
        try:
            async with asyncio.timeout(self._patience.first_line.total_seconds()):
                response = await self._client.send(request, stream=True)
            status = response.status_code
            return response
        finally:
            self._count(EVENT_STREAM.template, status, began)

    async def _deliver(self, arriving: AsyncIterator[bytes | TooLong]) -> AsyncGenerator[StreamItem, None]:
        line = await self._next(arriving, self._patience.first_line)
        if line is None:
            raise await self._reason_of_refusal()
        yield Connected(self._namespace, self._history.index)
        while line is not None:
            for item in self._items_of(line):
                yield item
            line = await self._next(arriving, self._patience.silence)
        silence = self._patience.silence.total_seconds()
        raise Unavailable(
            f"{self._attempt}: no heartbeat for {silence:g} s", hint="the connection is dead, or the token has expired"
        )

    async def _next(self, arriving: AsyncIterator[bytes | TooLong], within: timedelta) -> bytes | TooLong | None:
        """The next line, None if none came in time. Raises _Renewed if we are to hang up."""
        if self._renew:
            raise _Renewed
        try:
            async with asyncio.timeout(within.total_seconds()) as self._waiting:
                return await anext(arriving)
        except TimeoutError:
            if self._renew:
                raise _Renewed from None
            return None
        except StopAsyncIteration:
            raise Unavailable(
                f"{self._attempt}: the server ended the stream", hint="it does so when it stops or we read too slowly"
            ) from None
        finally:
            self._waiting = None

    def _items_of(self, line: bytes | TooLong) -> Iterator[StreamItem]:
        if isinstance(line, TooLong):
            yield Missed(self._namespace, "a line was longer than can be held")
            return
        if not line.strip():
            return
        try:
            parsed = mapping(json.loads(line), "a line")
            told = list(events(parsed))
            identities = [identity(mapping(one, "an event")) for one in sequence(parsed.get("Events"), "Events")]
        except (Unintelligible, ValueError, RecursionError):
            yield Missed(self._namespace, "a line could not be read")
            return
        if told:
            yield from self._fresh(told, identities)

    def _fresh(self, told: list[Event], identities: list[tuple[int, str, str, str]]) -> Iterator[StreamItem]:
        gap = self._history.follows(told[0].index)
        new, back = self._history.fresh(identities)
        for reason in (gap, back):
            if reason:
                yield Missed(self._namespace, reason)
        for event, is_new in zip(told, new, strict=True):
            if is_new:
                yield event

    def _parameters(self) -> dict[str, str | list[str]]:
        region = self._connection.region
        parameters: dict[str, str | list[str]] = {"namespace": self._namespace}
        return parameters | ({"region": region} if region else {})

    def _headers(self) -> dict[str, str]:
        token = self._tokens.current(reread=self._forbidden)
        return {"User-Agent": "nomad-operator", "Accept-Encoding": "identity"} | (
            {"X-Nomad-Token": token} if token else {}
        )

    async def _reason_of_refusal(self) -> OperatorError:
        """Why the stream stays silent, learned by asking for something that is answered properly."""
        attempt = Attempt(self._attempt.what, JOBS, self._attempt.address)
        parameters = self._parameters() | {"per_page": "1"}
        began, status = monotonic(), 0
        try:
            async with asyncio.timeout(self._patience.first_line.total_seconds()):
                response = await self._client.get("/v1/jobs", params=parameters, headers=self._headers())
            status = response.status_code
        except (httpx.HTTPError, OSError) as error:
            return failure(attempt, error)
        finally:
            self._count(JOBS.template, status, began)
        if status >= 300:
            return refusal(attempt, status, self._tokens.hide(response.text))
        scope = "every namespace there is" if self._namespace == "*" else "this namespace"
        if self._tokens.current():
            return Forbidden(
                f"{self._attempt}: accepted, but nothing comes, as for a token that may not read events",
                hint=f"the token's policy needs `read-job` in {scope}; `list-jobs` is not enough",
            )
        return Unavailable(f"{self._attempt}: accepted, but nothing comes", hint="look at the Nomad agent's log")

    def _count(self, template: str, status: int, began: float) -> None:
        if self._on_request is not None:
            self._on_request(template, "GET", status, monotonic() - began)


class _Renewed(Exception):
    """We hung up, to subscribe again."""


async def _some_text(response: httpx.Response) -> str:
    held = b""
    async for piece in response.aiter_bytes():
        held += piece
        if len(held) > _LONGEST_REFUSAL:
            break
    return held[:_LONGEST_REFUSAL].decode("utf-8", "replace")
