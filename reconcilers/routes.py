"""Who has which route: an examiner of what jobs ask Fabio for, between all desired apps and what the cluster shows.

Exactly one app is let through for each route, in whatever order they are looked at, and after a restart it is the same
one: `desired.route_turns` says which.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from desired.app import AppKey
from desired.job_routes import job_claims, routed_services
from desired.objection import Objection, PartlyExamined
from desired.reasons import Reason
from desired.route_book import RouteBook
from desired.route_conflicts import Claim, Kind, RouteConflict, conflicts, free_hostname
from desired.route_index import RouteIndex
from desired.route_tags import place
from desired.route_turns import Party, Turns
from desired.state import DesiredState, JobBody, JobParser
from observers.fabio.seen import SeenRoutes
from reconcilers.route_parties import Remembered, RouteParties

# A fleet is examined at once; what everybody claims is read once for it.
_SEEN_FOR = timedelta(seconds=15)
_NAMED = 5
_FOLLOWS = "nothing is to be done: it follows once the other one is verified"


class Desired(Protocol):
    """What the revision in force asks for; None before it was read."""

    @property
    def state(self) -> DesiredState | None: ...


class Routes:
    """Objects where somebody else has a route. Only `strict` holds the app back; else it is told."""

    def __init__(
        self,
        *,
        desired: Desired,
        records: Remembered,
        parser: JobParser,
        seen: Callable[[], Awaitable[SeenRoutes]],
        now: Callable[[], datetime],
        strict: bool,
    ) -> None:
        self._desired = desired
        self._parties = RouteParties(records=records, parser=parser)
        self._ask = seen
        self._now = now
        self._strict = strict
        self._seen: tuple[datetime, SeenRoutes, RouteIndex] | None = None
        self._asking = asyncio.Lock()

    async def objections(self, key: AppKey, body: JobBody) -> Sequence[Objection]:
        """Raises PartlyExamined where somebody could not be asked."""
        mine = job_claims(body, str(key))
        if not mine:
            return ()
        book = await self._parties.of(self._desired.state, self._now())
        seen, shown = await self._seen_now()
        own = replace(book.get(key), wants=mine)
        found = [*_against(own, book, shown)]
        told = self._told(body, own, found, {*book.wanting.hosts, *shown.hosts} if found else set())
        if seen.unread:
            said = f"routes were not compared with all that there is: {'; '.join(seen.unread)}"
            raise PartlyExamined(said, hint="it is tried again", objections=told)
        return told

    def _told(
        self, body: JobBody, own: Party, found: Sequence[tuple[RouteConflict, bool]], taken: Collection[str]
    ) -> list[Objection]:
        """A host may be shared by a thousand, and a path overlap with as many: the first of them stand for all."""
        alike: defaultdict[tuple[Kind, Claim, bool], dict[RouteConflict, None]] = defaultdict(dict)
        for one, moves in found:
            alike[one.kind, one.mine, moves][one] = None
        told = []
        for (kind, mine, moves), same in alike.items():
            advice = _FOLLOWS if moves else _advice(own.key, mine, taken)
            named = [*same][: 1 if kind is Kind.HOSTNAME_COLLISION else _NAMED]
            for one in named:
                told.append(
                    self._objection(body, one, moves, len(same) - len(named) if one is named[-1] else 0, advice)
                )
        return told

    def _objection(self, body: JobBody, conflict: RouteConflict, moves: bool, more: int, advice: str) -> Objection:
        service = next(one for one in routed_services(body) if one.name == conflict.mine.service)
        message = str(conflict)
        if moves:
            message = f"{conflict.mine.route.source} is still with {conflict.other.said}, which moves away from it"
        if more:
            message += f", and by {more} more" if conflict.kind is Kind.HOSTNAME_COLLISION else f" (and {more} more)"
        return Objection(
            f"routes.{conflict.kind.value}",
            message,
            advice,
            place(service),
            warning=not (self._strict and conflict.harms),
            reason=Reason.ROUTE_CONFLICT,
        )

    async def _seen_now(self) -> tuple[SeenRoutes, RouteIndex]:
        async with self._asking:
            if self._seen is None or self._now() - self._seen[0] >= _SEEN_FOR:
                seen = await self._ask()
                self._seen = (self._now(), seen, RouteIndex(seen.claims))
            return self._seen[1:]


def _against(own: Party, book: RouteBook, shown: RouteIndex) -> Iterator[tuple[RouteConflict, bool]]:
    """What stands in its way, and whether that moves away by itself."""
    yield from ((one, False) for one in conflicts(own.wants, book.outside(own, shown)))
    near = book.near(own, shown)
    turn = Turns(near.parties, near.outside).of(own.key)
    yield from ((one, False) for one in turn.lost)
    yield from ((one, True) for one in turn.waits)
    beside = (one for claim in own.wants for one in book.wanting.beside(claim) if one.owner != str(own.key))
    shared = (one for one in conflicts(own.wants, beside) if not one.harms)
    yield from ((one, False) for one in shared if _was_there(own, one, book.named(one.other.owner)))


def _was_there(own: Party, conflict: RouteConflict, other: Party) -> bool:
    """Of two that share a host, the one that was there with it is not told."""
    mine, theirs = own.had(conflict.mine), other.had(conflict.other)
    return theirs if mine != theirs else other.key < own.key


def _advice(key: AppKey, mine: Claim, taken: Iterable[str]) -> str:
    if mine.of_a_port:
        return "take another port that Fabio listens at, or give it up there"
    host = mine.route.host
    free = free_hostname(key.name, taken, suffix=host.partition(".")[2]) if host else ""
    return f"{free} is free, or give it up there" if free else "take another path, or give it up there"
