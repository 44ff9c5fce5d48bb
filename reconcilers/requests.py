"""What people ask for by command: noted in the record by the next pass, so that it cannot race with one.

A request is answered once it is durable. One that is not answered (the process died) did not happen.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from desired.app import AppKey
from desired.errors import Conflict, Unavailable
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


_Open = tuple[Request | Note, asyncio.Future[None]]


class Requests:
    """Open requests by app, each with the future that its asker waits for. Every one is answered in the end."""

    def __init__(self) -> None:
        self._open: defaultdict[AppKey, list[_Open]] = defaultdict(list)
        self._closed = False

    def ask(self, key: AppKey, verb: Verb, argument: str = "") -> asyncio.Future[None]:
        """The future is done when the request is durable; the caller wakes the key."""
        return self._asked(key, Request(verb, argument))

    def note(self, key: AppKey, note: Note) -> asyncio.Future[None]:
        """The same for what became of writing repairs back: nobody but a pass changes a record."""
        return self._asked(key, note)

    def _asked(self, key: AppKey, request: Request | Note) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._closed:
            future.set_exception(_stopping())
        else:
            self._open[key].append((request, future))
        return future

    @contextmanager
    def taken(self, key: AppKey) -> Iterator[list[Request | Note]]:
        """What a pass has to note now; nobody else gets it. Answered at the end, with the error if there is one.

        A pass that is cut off, or overtaken by another writer, leaves open whether it was noted: the next one notes it
        again, which is the same as once.
        """
        asked = self._open.pop(key, [])
        try:
            yield [request for request, _ in asked]
        except (Conflict, asyncio.CancelledError):
            if asked:
                self._open[key][:0] = asked
            raise
        except BaseException as error:
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
            raise
        for _, answer in asked:
            if not answer.done():
                answer.set_result(None)

    def close(self) -> None:
        """No pass will come any more: whoever waits is told, and whoever comes."""
        self._closed = True
        for _, answer in (one for asked in self._open.values() for one in asked):
            if not answer.done():
                answer.set_exception(_stopping())
        self._open.clear()


def _stopping() -> Unavailable:
    return Unavailable("the operator is stopping; this was not noted", hint="ask again when it runs")
