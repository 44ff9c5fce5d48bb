"""Whether Fabio answers and follows: a single malformed tag in Consul keeps its table as it was, without a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from nomad_operator.doctor import Finding
from nomad_operator.probes.attempt import Attempt, Told
from observers.fabio.client import Route


class Fabio(Protocol):
    """As much of the client as is tried."""

    async def version(self) -> str: ...

    async def routes(self) -> Sequence[Route]: ...


class Consul(Protocol):
    """Where Fabio gets its routes from."""

    async def services(self) -> Mapping[str, Sequence[str]]: ...


async def probe_fabio(fabio: Fabio, attempt: Attempt) -> list[Finding]:
    """Its version and its table."""

    async def version() -> Told:
        told = await fabio.version()
        return Told(f"Fabio {told}", version=told)

    async def routes() -> Told:
        told = await fabio.routes()
        return Told(f"{len(told)} routes of {len({one.service for one in told})} services")

    return await attempt.first(version, ("routes", routes))
