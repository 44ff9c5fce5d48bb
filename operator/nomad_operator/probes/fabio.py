"""Whether Fabio answers and follows: a single malformed tag in Consul keeps its table as it was, without a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from desired.fabio_tag import Severity
from nomad_operator.doctor import Finding
from nomad_operator.probes.attempt import Attempt, Told
from observers.fabio.claims import broken_tags
from observers.fabio.client import Route


class Fabio(Protocol):
    """As much of the client as is tried."""

    async def version(self) -> str: ...

    async def routes(self) -> Sequence[Route]: ...


class Consul(Protocol):
    """Where Fabio gets its routes from."""

    async def services(self) -> Mapping[str, Sequence[str]]: ...


async def probe_fabio(fabio: Fabio, attempt: Attempt, *, consul: Consul | None) -> list[Finding]:
    """Its version, its table, and what stops it from following; without Consul the last is not known."""

    async def version() -> Told:
        told = await fabio.version()
        return Told(f"Fabio {told}", version=told)

    async def routes() -> Told:
        told = await fabio.routes()
        claims: dict[str, set[str]] = {}
        for one in told:
            claims.setdefault(f"{one.host}{one.path}", set()).add(one.service)
        shared = [f"{source} ({', '.join(sorted(names))})" for source, names in claims.items() if len(names) > 1]
        more = f"; shared by several: {', '.join(sorted(shared))}" if shared else ""
        return Told(f"{len(told)} routes of {len({one.service for one in told})} services{more}")

    async def followed() -> Told:
        assert consul is not None
        found = broken_tags(await consul.services())
        worst = [(name, one) for name, one in found if one.severity is Severity.ERROR] or found
        if not worst:
            return Told("every tag in Consul can be read")
        (name, first), more = worst[0], len(worst) - 1
        told = f"service {name}, tag {first.tag!r}: {first.message}" + (f" (and {more} more)" if more else "")
        return Told(told, ok=False, hint=first.hint, required=first.severity is Severity.ERROR)

    return await attempt.first(version, ("routes", routes), *([("tags", followed)] if consul is not None else []))
