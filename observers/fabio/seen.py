"""Everybody's claims on routes as the cluster shows them now, from Fabio and Consul together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from desired.errors import OperatorError
from desired.fabio_tag import TagProblem
from desired.route_conflicts import Claim
from observers.fabio.claims import broken_tags, claims_of_services, claims_of_table
from observers.fabio.client import Route

T = TypeVar("T")


class Table(Protocol):
    """Fabio, as far as its routes go."""

    async def routes(self) -> Sequence[Route]: ...


class Services(Protocol):
    """Consul, as far as tags go."""

    async def services(self) -> Mapping[str, Sequence[str]]: ...


@dataclass(frozen=True, slots=True)
class SeenRoutes:
    """`broken` are tags in Consul by service; `unread` says in words who could not be asked."""

    claims: tuple[Claim, ...] = ()
    broken: tuple[tuple[str, TagProblem], ...] = ()
    unread: tuple[str, ...] = ()


async def seen_routes(*, fabio: Table | None, consul: Services | None) -> SeenRoutes:
    """Two requests, beside each other; who was not given is not asked. Never raises for a service that is away."""

    async def table() -> tuple[Claim, ...]:
        return claims_of_table(await fabio.routes()) if fabio is not None else ()

    async def tags() -> Mapping[str, Sequence[str]]:
        return await consul.services() if consul is not None else {}

    routed, asked = await asyncio.gather(_answer(table()), _answer(tags()))
    unread = [found.message for found in (routed, asked) if isinstance(found, OperatorError)]
    services = {} if isinstance(asked, OperatorError) else asked
    claims = () if isinstance(routed, OperatorError) else routed
    return SeenRoutes((*claims, *claims_of_services(services)), broken_tags(services), tuple(unread))


async def _answer(question: Awaitable[T]) -> T | OperatorError:
    try:
        return await question
    except OperatorError as error:
        return error
