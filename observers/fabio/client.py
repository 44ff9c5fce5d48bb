"""Reads Fabio's routing table, by httpx, from its own page (port 9998 where nothing else is set)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpx

from desired.errors import Forbidden, OperatorError, Unavailable, Unsupported
from observers.reach.address import Reach
from observers.reach.blocking import Blocking
from observers.reach.breaks import broken, not_the_service
from observers.reach.session import LARGEST_ANSWER


@dataclass(frozen=True, slots=True)
class Route:
    """One entry of the table: a target of a route. `host` is empty for every host, `:3333` for a port of its own.

    Two services that claim the same host and path are two entries that share it.
    """

    service: str
    host: str
    path: str
    target: str
    weight: float = 1.0
    options: Mapping[str, str] = field(default_factory=dict)


class FabioClient:
    """Every call raises errors of `desired.errors` only. `transport` takes the place of the network."""

    def __init__(self, *, reach: Reach, transport: httpx.BaseTransport | None = None) -> None:
        deadline = reach.deadline.total_seconds()
        self._reach = reach
        self._client = httpx.Client(
            base_url=reach.base_url,
            transport=transport,
            verify=reach.ssl_context() if reach.secure else True,
            timeout=httpx.Timeout(deadline, connect=min(deadline, reach.connect_timeout.total_seconds())),
            follow_redirects=False,
        )
        self._run = Blocking(reach=reach)

    async def aclose(self) -> None:
        self._client.close()

    async def version(self) -> str:
        """Raises where what answers is no Fabio."""
        text = (await self._get("ask for its version", "api/version")).text.strip()
        if not text or len(text) > 100 or "<" in text:
            raise not_the_service(self._reach, "ask for its version", f"{len(text)} characters that name none")
        return text

    async def routes(self) -> tuple[Route, ...]:
        """The whole table, as Fabio orders it. Without any route Fabio answers `null`."""
        what = "read its routes"
        response = await self._get(what, "api/routes")
        try:
            told = response.json()
        except (ValueError, RecursionError) as error:
            raise not_the_service(self._reach, what, "an answer that is not JSON") from error
        if told is None:
            return ()
        if not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
            raise not_the_service(self._reach, what, "JSON that is no table of routes")
        return tuple(_route(one) for one in told if one.get("cmd", "route add") == "route add")

    async def _get(self, what: str, path: str) -> httpx.Response:
        def call() -> httpx.Response:
            until = monotonic() + self._reach.deadline.total_seconds()
            try:
                with self._client.stream("GET", path) as response:
                    return _whole(response, until)
            except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
                raise broken(self._reach, what, error) from error

        response = await self._run(what, call)
        if response.status_code != 200:
            raise self._refusal(what, response.status_code)
        return response

    def _refusal(self, what: str, status: int) -> OperatorError:
        message = f"{self._reach.service} at {self._reach.shown}, to {what}: answered {status}"
        if status in (401, 403):
            return Forbidden(message, hint="Fabio's own page may want a user; give the address of one that does not")
        hint = f"{self._reach.setting} is the address of Fabio's own page (9998), not of its proxy (9999)"
        return Unavailable(message, hint=hint) if status >= 500 else Unsupported(message, hint=hint)


def _whole(response: httpx.Response, until: float) -> httpx.Response:
    """The answer, read piece by piece: a server that drips would hold a plain read for ever."""
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if monotonic() > until:
            raise TimeoutError(f"{len(body)} bytes came in time")
        if len(body) > LARGEST_ANSWER:
            raise OSError(f"an answer of more than {LARGEST_ANSWER} bytes")
    return httpx.Response(response.status_code, content=bytes(body))


def _route(told: Mapping[str, Any]) -> Route:
    weight = told.get("weight")
    return Route(
        service=str(told.get("service") or ""),
        host=str(told.get("host") or "").lower(),
        path=str(told.get("path") or ""),
        target=str(told.get("dst") or ""),
        weight=float(weight) if isinstance(weight, int | float) else 1.0,
        options=dict(_options(str(told.get("opts") or ""))),
    )


def _options(text: str) -> list[tuple[str, str]]:
    pairs = (one.partition("=") for one in text.split())
    return [(name, value) for name, _, value in pairs]
