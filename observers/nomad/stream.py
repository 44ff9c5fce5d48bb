"""Nomad's event stream as one flow of items: what wakes keys, and when everything has to be listed again.

The stream is an edge, never the truth: it begins wherever the server's small buffer begins, loses events without a
word, and repeats some. Its consumer lists at every `Connected` and `Missed`, and on a timer as well.
"""

from __future__ import annotations

import asyncio
import random as randomness
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing
from datetime import timedelta
from time import monotonic

import httpx

from observers.nomad.calls import OnRequest
from observers.nomad.connection import Connection
from observers.nomad.stream_items import StreamItem
from observers.nomad.subscription import Patience, Subscription
from observers.nomad.tls import RenewedTls
from observers.nomad.token import TokenSource

# Always named: no topic at all, or `*`, takes a management token.
TOPICS = frozenset({"Job", "Allocation", "Deployment", "Evaluation"})

_FIRST_DELAY = timedelta(seconds=0.5)
_LONGEST_DELAY = timedelta(seconds=30)
# Items that wait for the consumer. Beyond them the server waits, and hangs up after 40 s: then all is listed again.
_WAITING = 512


def doubling(random: Callable[[], float]) -> Callable[[int], timedelta]:
    """The wait after the n-th failure in a row, from 1: doubled, capped, between half of it and all of it."""

    def delay(failures: int) -> timedelta:
        doublings: int = 2 ** min(failures - 1, 16)
        return min(_LONGEST_DELAY, _FIRST_DELAY * doublings) * (0.5 + random() / 2)

    return delay


class EventStream:
    """Events of the named topics in some namespaces (or `*`), for one consumer.

    Each namespace is a connection of its own. With `*` Nomad freezes the list of namespaces at subscribing when ACLs
    are on: `resubscribe` when it has changed.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        namespaces: Collection[str] = ("*",),
        topics: Collection[str] = TOPICS,
        transport: httpx.AsyncBaseTransport | None = None,
        patience: Patience | None = None,
        delay: Callable[[int], timedelta] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = monotonic,
        on_request: OnRequest | None = None,
    ) -> None:
        """`delay` says how long to wait after the n-th failure in a row. `transport` replaces the network."""
        self._connection = connection
        self._namespaces = ("*",) if "*" in namespaces else tuple(sorted(set(namespaces)))
        self._topics = frozenset(topics)
        self._transport = transport
        self._patience = patience or Patience()
        self._delay = delay or doubling(randomness.random)
        self._sleep = sleep
        self._clock = clock
        self._on_request = on_request
        self._subscriptions: list[Subscription] = []

    def resubscribe(self) -> None:
        """Hang up and subscribe anew; the consumer sees `Connected` again. Repeating it is safe."""
        for subscription in self._subscriptions:
            subscription.renew()

    async def items(self) -> AsyncGenerator[StreamItem, None]:
        """Without end, until the consumer closes it (`aclosing`). Never raises for what Nomad or the network does."""
        queue: asyncio.Queue[StreamItem | BaseException] = asyncio.Queue(_WAITING)
        following = asyncio.create_task(self._follow_all(queue))
        try:
            while True:
                item = await queue.get()
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _follow_all(self, queue: asyncio.Queue[StreamItem | BaseException]) -> None:
        tokens = TokenSource.of(self._connection)
        try:
            async with self._client() as client, asyncio.TaskGroup() as group:
                self._subscriptions = [self._subscription(client, tokens, name) for name in self._namespaces]
                for subscription in self._subscriptions:
                    group.create_task(_follow(subscription, queue))
        except Exception as error:
            # A bug of ours, or settings that cannot work: it must end the consumer's loop, not this task alone.
            await queue.put(error)

    def _client(self) -> httpx.AsyncClient:
        connection = self._connection
        transport = self._transport
        if transport is None and connection.socket_path:
            transport = httpx.AsyncHTTPTransport(uds=connection.socket_path)
        tls = RenewedTls(connection) if connection.secure else None

        async def renewed(_request: httpx.Request) -> None:
            if tls is not None:
                tls.refresh()

        return httpx.AsyncClient(
            base_url=connection.base_url,
            transport=transport,
            verify=tls.context if tls is not None else False,
            event_hooks={"request": [renewed]},
            timeout=httpx.Timeout(connection.connect_timeout.total_seconds(), read=None),
            follow_redirects=False,
        )

    def _subscription(self, client: httpx.AsyncClient, tokens: TokenSource, namespace: str) -> Subscription:
        return Subscription(
            connection=self._connection,
            client=client,
            tokens=tokens,
            namespace=namespace,
            topics=self._topics,
            patience=self._patience,
            delay=self._delay,
            sleep=self._sleep,
            clock=self._clock,
            on_request=self._on_request,
        )


async def _follow(subscription: Subscription, queue: asyncio.Queue[StreamItem | BaseException]) -> None:
    async with aclosing(subscription.items()) as items:
        async for item in items:
            await queue.put(item)
