"""Who has which route: an examiner of what jobs ask Fabio for, between all desired apps and what the cluster shows.

Of two desired apps that ask for one route, the one that was verified with it keeps it; else the smaller key has it. So
exactly one of them is held back, whatever the order in which they are looked at, and after a restart it is the same.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from desired.app import AppKey
from desired.errors import InvalidDesired, Unavailable
from desired.fabio_tag import PREFIX
from desired.job_routes import job_claims, routed_services
from desired.objection import Objection
from desired.reasons import Reason
from desired.route_conflicts import Claim, Kind, Origin, RouteConflict, conflicts, free_hostname
from desired.route_tags import place
from desired.state import DesiredApp, DesiredState, HclSource, JobBody, JobParser
from observers.fabio.seen import SeenRoutes
from reconcilers.record import Record

# A fleet is examined at once; what everybody claims is read once for it.
_SEEN_FOR = timedelta(seconds=15)


class Desired(Protocol):
    """What the revision in force asks for; None before it was read."""

    @property
    def state(self) -> DesiredState | None: ...


class Remembered(Protocol):
    """What is known of each app; an empty record where nothing is."""

    def get(self, key: AppKey) -> Record: ...


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
        self._records = records
        self._parser = parser
        self._ask = seen
        self._now = now
        self._strict = strict
        self._seen: tuple[datetime, SeenRoutes] | None = None
        self._asking = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._of: DesiredState | None = None
        self._claims: dict[tuple[AppKey, str], tuple[Claim, ...]] = {}
        self._by_host: Mapping[str, Sequence[Claim]] = {}

    async def objections(self, key: AppKey, body: JobBody) -> Sequence[Objection]:
        """Raises Unavailable where nothing speaks against it, and somebody could not be asked."""
        mine = job_claims(body, str(key))
        if not mine:
            return ()
        desired = await self._desired_by_host()
        others = [
            claim
            for host in dict.fromkeys(claim.host for claim in mine)
            for claim in desired.get(host, ())
            if claim.owner != str(key)
        ]
        seen = await self._seen_now()
        own = {claim.service for claim in (*mine, *self._verified(key))}
        theirs = {(claim.service, claim.route.source) for claim in others}
        # A service whose name only the node knows may be any of them.
        unnamed = any("${" in service for service in own)
        shown = [
            claim for claim in (() if unnamed else seen.claims)
            if claim.service not in own and (claim.service, claim.route.source) not in theirs
        ]  # fmt: skip
        found = [one for one in conflicts(mine, (*others, *shown)) if self._loses(key, one)]
        if not found and seen.unread:
            raise Unavailable(f"routes were not compared: {'; '.join(seen.unread)}", hint="it is tried again")
        taken = {*desired, *(claim.route.host for claim in (*mine, *seen.claims))} if found else set()
        return [self._objection(key, body, one, taken) for one in found]

    def _objection(self, key: AppKey, body: JobBody, conflict: RouteConflict, taken: set[str]) -> Objection:
        # A host that both use takes nothing away from either.
        harms = conflict.kind is not Kind.HOSTNAME_COLLISION
        host = conflict.mine.route.host
        free = free_hostname(key.name, taken, suffix=host.partition(".")[2]) if host else ""
        fix = f"{free} is free" if free else "take another path"
        service = next(one for one in routed_services(body) if one.name == conflict.mine.service)
        return Objection(
            f"routes.{conflict.kind.value}",
            str(conflict),
            f"{fix}, or give it up there",
            place(service),
            warning=not (self._strict and harms),
            reason=Reason.ROUTE_CONFLICT,
        )

    def _loses(self, key: AppKey, conflict: RouteConflict) -> bool:
        """Whether it is this app that has to give way. Who is not desired does not."""
        other = self._key_of(conflict.other)
        if other is None:
            return True
        mine, theirs = self._had(key, conflict.mine), self._had(other, conflict.other)
        return theirs if mine != theirs else other < key

    def _had(self, key: AppKey, claim: Claim) -> bool:
        return any(one.route.source == claim.route.source for one in self._verified(key))

    def _verified(self, key: AppKey) -> tuple[Claim, ...]:
        good = self._records.get(key).last_good
        return job_claims(good.spec.body, str(key)) if good is not None and PREFIX in good.spec.json else ()

    def _key_of(self, claim: Claim) -> AppKey | None:
        """The app that it is of; None for what only the cluster shows."""
        return AppKey.parse(claim.owner) if claim.origin is Origin.DESIRED else None

    async def _desired_by_host(self) -> Mapping[str, Sequence[Claim]]:
        """Of every desired app, worked out once a revision. Only what speaks of Fabio at all is read, and each text
        once."""
        state = self._desired.state
        async with self._reading:
            if state is not None and state is not self._of:
                asking = {(app.key, app.source_hash): app for app in state.apps.values() if _speaks_of_routes(app)}
                kept = self._claims
                claims = {which: kept[which] for which in asking if which in kept}
                for which, app in sorted(asking.items(), key=lambda one: one[0]):
                    if which not in claims:
                        claims[which] = await self._read(app)
                found: defaultdict[str, list[Claim]] = defaultdict(list)
                for claim in (claim for which in sorted(claims) for claim in claims[which]):
                    found[claim.host].append(claim)
                self._of, self._claims, self._by_host = state, claims, dict(found)
            return self._by_host

    async def _read(self, app: DesiredApp) -> tuple[Claim, ...]:
        try:
            body = await self._parser.parse(app.source) if isinstance(app.source, HclSource) else app.source.body
        except InvalidDesired:
            # It is not registered as it is, and told at its own place.
            return ()
        return job_claims(body, str(app.key))

    async def _seen_now(self) -> SeenRoutes:
        async with self._asking:
            if self._seen is None or self._now() - self._seen[0] >= _SEEN_FOR:
                self._seen = (self._now(), await self._ask())
            return self._seen[1]


def _speaks_of_routes(app: DesiredApp) -> bool:
    variables = app.source.variables if isinstance(app.source, HclSource) else ""
    return PREFIX in app.source.text or PREFIX in variables
