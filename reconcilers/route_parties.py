"""Every app as far as routes go: what its file asks for, what it was verified and runs with, what the cluster shows.

Read without waiting but for a parser, and only what has changed since: a fleet is compared at once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from desired.app import AppKey
from desired.errors import InvalidDesired
from desired.fabio_tag import PREFIX
from desired.job_routes import job_claims
from desired.route_book import RouteBook
from desired.route_conflicts import Claim
from desired.route_turns import Party
from desired.state import DesiredApp, DesiredState, HclSource, JobParser
from reconcilers.record import Applied, Attempt, LastGood, Record
from reconcilers.spec import Spec


class Remembered(Protocol):
    """What is known of each app; an empty record where nothing is."""

    def get(self, key: AppKey) -> Record: ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a file asks for, and the hash of its spec."""

    claims: tuple[Claim, ...] = ()
    spec_hash: str = ""


@dataclass(frozen=True, slots=True)
class _Had:
    """What of a record its routes were read from."""

    good: LastGood | None
    applied: Applied | None
    attempt: Attempt | None
    moves: bool

    def stands(self, record: Record, *, moves: bool) -> bool:
        return (
            self.good is record.last_good and self.applied is record.applied and self.attempt is record.attempt
            and self.moves == moves
        )  # fmt: skip


_NOTHING = _Asked()


class RouteParties:
    """Keeps what was read of each file and each record."""

    def __init__(self, *, records: Remembered, parser: JobParser) -> None:
        self._records = records
        self._parser = parser
        self._reading = asyncio.Lock()
        self._of: DesiredState | None = None
        self._asked: dict[tuple[AppKey, str], _Asked] = {}
        self._had: dict[AppKey, _Had] = {}
        self._book = RouteBook()

    async def of(self, state: DesiredState | None, now: datetime) -> RouteBook:
        """Whoever asks for a route in this revision, or has one. Raises where a file cannot be parsed just now."""
        if state is None:
            return RouteBook()
        async with self._reading:
            if state is not self._of:
                await self._read(state)
            # What of it cannot be read goes on with what it had.
            unclear = {file.key for file in state.unreadable if file.key is not None} | state.conflicts.keys()
            for key in (*state.apps, *(unclear - state.apps.keys())):
                self._note(key, state.apps.get(key), now)
        return self._book

    async def _read(self, state: DesiredState) -> None:
        """Only what speaks of Fabio at all, and each text once."""
        asking = {(app.key, app.source_hash): app for app in state.apps.values() if _speaks_of_routes(app)}
        asked = {which: self._asked[which] for which in asking if which in self._asked}
        for which, app in sorted(asking.items(), key=lambda one: one[0]):
            if which not in asked:
                asked[which] = await self._asked_by(app)
        self._of, self._asked = state, asked
        self._had, self._book = {}, RouteBook()

    async def _asked_by(self, app: DesiredApp) -> _Asked:
        try:
            body = await self._parser.parse(app.source) if isinstance(app.source, HclSource) else app.source.body
        except InvalidDesired:
            # It is not registered as it is, and told at its own place.
            return _NOTHING
        spec = Spec.of({**body, "Namespace": app.key.namespace}, text="", format="")
        return _Asked(job_claims(body, str(app.key)), spec.hash)

    def _note(self, key: AppKey, app: DesiredApp | None, now: datetime) -> None:
        record = self._records.get(key)
        source_hash = app.source_hash if app is not None else ""
        asked = self._asked.get((key, source_hash), _NOTHING)
        moves = app is not None and not (record.suspended or app.policy.suspend or _given_up(record, asked, now))
        known = self._had.get(key)
        if known is not None and known.stands(record, moves=moves):
            return
        has = _had(record, asked, source_hash)
        self._had[key] = _Had(record.last_good, record.applied, record.attempt, moves)
        self._book.put(Party(key, wants=asked.claims if moves else has, has=has))


def _had(record: Record, asked: _Asked, source_hash: str) -> tuple[Claim, ...]:
    """What it may go back to, what is about to be registered, and what is."""
    good, attempt, applied = record.last_good, record.attempt, record.applied
    owner = str(record.key)
    found: list[Claim] = []
    for spec in (good.spec if good else None, attempt.spec if attempt else None):
        if spec is not None and PREFIX in spec.json:
            found += job_claims(spec.body, owner)
    runs = applied is not None and (
        applied.spec_hash == asked.spec_hash
        or (applied.source_hash == source_hash and (good is None or applied.spec_hash != good.spec.hash))
    )
    return tuple(dict.fromkeys((*found, *(asked.claims if runs else ()))))


def _given_up(record: Record, asked: _Asked, now: datetime) -> bool:
    """What its file says has failed and is not tried now: it goes on with what it has."""
    failure = record.failure_of(asked.spec_hash)
    return failure is not None and (failure.retry_at is None or now < failure.retry_at)


def _speaks_of_routes(app: DesiredApp) -> bool:
    variables = app.source.variables if isinstance(app.source, HclSource) else ""
    return PREFIX in app.source.text or PREFIX in variables
