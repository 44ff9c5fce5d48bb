"""What people ask for by command: noted in the record by the next pass, so that it cannot race with one.

A request is answered once it is durable. One that is not answered (the process died) did not happen.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from desired.app import AppKey
from reconcilers.record import Record
from reconcilers.repair.closing import approved, rejected, rolled_back, taken_back
from reconcilers.repair.episode import Outcome
from reconcilers.repair.written import Note
from reconcilers.repair.written import noted as noted_writing


class Verb(StrEnum):
    """What can be asked of one app."""

    RECONCILE = "reconcile"
    SUSPEND = "suspend"
    RESUME = "resume"
    ADOPT = "adopt"
    CONFIRM_PRUNE = "confirm-prune"
    APPROVE = "approve"
    REJECT = "reject"
    REVERT = "revert"
    ROLL_BACK = "roll-back"


@dataclass(frozen=True, slots=True)
class Request:
    """`argument` is what an approval binds to: the hash of the proposal; empty where whatever waits is meant."""

    verb: Verb
    argument: str = ""


def noted(record: Record, request: Request | Note, now: datetime) -> Record:
    """The record once the request is noted. Asking twice is the same as asking once."""
    if isinstance(request, Note):
        return noted_writing(record, request)
    verb = request.verb
    match verb:
        case Verb.RECONCILE:
            # A person wants it tried again: neither an earlier failure nor a contest holds it back.
            last = record.last_episode
            if last is not None and last.outcome is not Outcome.REPAIRED:
                last = None
            return replace(
                record, failed=(), corrections=(), declined="", last_episode=last, again=_that_stands(record)
            )
        case Verb.SUSPEND:
            return replace(record, suspended=True)
        case Verb.RESUME:
            return replace(record, suspended=False)
        case Verb.ADOPT:
            return replace(record, adopt=True)
        case Verb.CONFIRM_PRUNE:
            if record.withdrawal is None:
                return record
            return replace(record, withdrawal=replace(record.withdrawal, confirmed=True))
        case Verb.APPROVE:
            return approved(record, request.argument, now)
        case Verb.REJECT:
            return rejected(record, now)
        case Verb.REVERT:
            return taken_back(record, now)
        case Verb.ROLL_BACK:
            return rolled_back(record, now)


def _that_stands(record: Record) -> str:
    """What failed and is registered all the same: no register tries that again."""
    applied = record.applied
    if applied is None or record.attempt is not None or record.failure_of(applied.spec_hash) is None:
        return record.again
    return applied.spec_hash


class Requests:
    """Open requests by app, each with the future that its asker waits for."""

    def __init__(self) -> None:
        self._open: defaultdict[AppKey, list[tuple[Request | Note, asyncio.Future[None]]]] = defaultdict(list)

    def ask(self, key: AppKey, verb: Verb, argument: str = "") -> asyncio.Future[None]:
        """The future is done when the request is durable; the caller wakes the key."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open[key].append((Request(verb, argument), future))
        return future

    def note(self, key: AppKey, note: Note) -> asyncio.Future[None]:
        """The same for what became of writing repairs back: nobody but a pass changes a record."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open[key].append((note, future))
        return future

    def take(self, key: AppKey) -> list[tuple[Request | Note, asyncio.Future[None]]]:
        """What a pass has to note now; nobody else gets it."""
        return self._open.pop(key, [])
