"""Carries repairs back to git beside the passes: it follows what records and files say, and writes one app at a time.

Nothing waits for it, and it changes no record: what became of a writing is told to the app's next pass, which notes it.
Who is killed in between begins anew and finds the commit there. An error holds back only its own app, and is tried
again with growing pauses.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from desired import spans
from desired.app import AppKey
from desired.edited_file import ByHand
from desired.errors import Conflict, DeadlineExceeded, OperatorError, Unavailable
from desired.operations.operation import Operation
from desired.spans import Traces, Untraced
from desired.state import DesiredApp
from desired.write_back import Change, WrittenChange
from reconcilers.backoff import Backoff
from reconcilers.ports import DesiredView
from reconcilers.record import Record
from reconcilers.records import Records
from reconcilers.repair.commit_message import commit_message
from reconcilers.repair.owed import Owed, WriteBackTo, owed
from reconcilers.repair.written import Note, WrittenBack

# Longer than a pass may take.
_NOTED_WITHIN_SECONDS = 300
# So often git may say something else before that is told: the pass that judges it may take a moment.
_OTHERWISE = 3


class Writer(Protocol):
    """Puts one change into git; see `desired.write_back`."""

    async def write(self, change: Change) -> WrittenChange | None: ...


class Notes(Protocol):
    """Where a pass finds what it has to note."""

    def note(self, key: AppKey, note: Note) -> asyncio.Future[None]: ...


class OutageLog(Protocol):
    """Told of each try: a problem, or None."""

    def report(self, service: str, problem: str | None, *, hint: str = "") -> bool: ...


@dataclass(frozen=True, slots=True)
class _Failing:
    """`due` is a reading of the monotonic clock: not before is this digest tried again."""

    digest: str
    tries: int
    due: float


class Writing:
    """`stopped` says that nothing may be written for repairs now; `wake` asks for a pass, `pushed` for a look at git.

    `clock` is monotonic, in seconds.
    """

    def __init__(
        self,
        *,
        to: WriteBackTo,
        writer: Writer,
        desired: DesiredView,
        records: Records,
        notes: Notes,
        stopped: Callable[[], bool],
        wake: Callable[[AppKey], None],
        pushed: Callable[[], None],
        outages: OutageLog,
        backoff: Backoff,
        clock: Callable[[], float],
        traces: Traces | None = None,
    ) -> None:
        self._traces = traces or Untraced()
        self._to = to
        self._writer = writer
        self._desired = desired
        self._records = records
        self._notes = notes
        self._stopped = stopped
        self._wake = wake
        self._pushed = pushed
        self._outages = outages
        self._backoff = backoff
        self._clock = clock
        self._woken = asyncio.Event()
        self._due: dict[AppKey, None] = {}
        self._failing: dict[AppKey, _Failing] = {}
        self._busy = False

    @property
    def idle(self) -> bool:
        """Nothing is being written, or is to be written now; what failed and waits to be tried again does not count."""
        return not self._busy and not self._due

    def saved(self, _before: Record, after: Record) -> None:
        """A listener of the records."""
        if self._owed(after.key) is not None:
            self._due[after.key] = None
            self._woken.set()

    def look(self) -> None:
        """At every app: git has moved, repairs may go on, or the process has begun."""
        for record in self._records:
            self.saved(record, record)

    async def run(self) -> None:
        """Until it is cancelled."""
        self.look()
        while True:
            self._woken.clear()
            await self.write_due()
            await self._rest()

    async def write_due(self) -> None:
        """Everything that is due now, one after the other."""
        self._busy = True
        try:
            now = self._clock()
            for key, failing in self._failing.items():
                if failing.due <= now:
                    self._due[key] = None
            while self._due:
                key = next(iter(self._due))
                del self._due[key]
                with self._traces.begun("write back", session=str(key), asked={"app": str(key)}):
                    spans.acts("write back")
                    await self._write(key)
        finally:
            self._busy = False

    async def _rest(self) -> None:
        times = [failing.due for failing in self._failing.values()]
        timeout = max(0.0, min(times) - self._clock()) if times else None
        try:
            async with asyncio.timeout(timeout):
                await self._woken.wait()
        except TimeoutError:
            return

    def _owed(self, key: AppKey) -> tuple[Record, DesiredApp, Owed] | None:
        state = self._desired.state
        app = state.apps.get(key) if state is not None else None
        record = self._records.get(key)
        if state is None or app is None or self._stopped() or record.origin != self._records.origin:
            return None
        found = owed(record, app, self._to)
        return None if found is None else (record, app, found)

    async def _write(self, key: AppKey) -> None:
        asked = self._owed(key)
        failing = self._failing.get(key)
        if asked is None:
            self._over(key)
            return
        record, app, wanted = asked
        if failing is not None and failing.digest == wanted.digest and self._clock() < failing.due:
            return

        def message(done: tuple[Operation, ...], by_hand: tuple[ByHand, ...]) -> str:
            return commit_message(record, wanted, done, by_hand)

        def stands() -> bool:
            now = self._owed(key)
            return now is not None and now[2].digest == wanted.digest

        change = Change(app, wanted.operations, branch=wanted.branch, message=message, at=wanted.at, stands=stands)
        try:
            written = await self._writer.write(change)
            if written is None:
                await self._otherwise(key, record, wanted)
                return
            await self._note(key, _note(wanted, written))
        except OperatorError as error:
            await self._failed(key, record, wanted, error)
        except Exception as error:  # a bug that one file brings out must not end the daemon: told, and tried again
            told = f"{type(error).__name__} inside the operator"
            await self._failed(key, record, wanted, Unavailable(told, hint="this is a bug; please report it"))
        else:
            self._over(key)
            if wanted.branch is None:
                self._pushed()

    def _over(self, key: AppKey) -> None:
        if self._failing.pop(key, None) is not None:
            self._outages.report(_service(key), None)

    async def _otherwise(self, key: AppKey, record: Record, wanted: Owed) -> None:
        """Git has moved, and a pass is to judge the repairs by that; told only if it does not come to that."""
        self._pushed()
        before = self._failing.get(key)
        if before is None or before.digest != wanted.digest or before.tries < _OTHERWISE:
            self._again(key, wanted)
            return
        message = f"the newest commit says something else of {key} than the repair was made for"
        await self._failed(key, record, wanted, Conflict(message, hint="make the change by hand, or take it back"))

    def _again(self, key: AppKey, wanted: Owed) -> None:
        before = self._failing.get(key)
        tries = before.tries + 1 if before is not None and before.digest == wanted.digest else 1
        due = self._clock() + self._backoff.delay(tries).total_seconds()
        self._failing[key] = _Failing(wanted.digest, tries, due)

    async def _failed(self, key: AppKey, record: Record, wanted: Owed, error: OperatorError) -> None:
        self._again(key, wanted)
        self._outages.report(_service(key), error.message, hint=error.hint)
        told = f"not written so far: {error.message}" + (f" ({error.hint})" if error.hint else "")
        known = record.write_back or WrittenBack()
        if known.told != told:
            # What cannot be remembered now is told again by the next try.
            with contextlib.suppress(OperatorError):
                await self._note(key, Note(replace(known, told=told)))

    async def _note(self, key: AppKey, note: Note) -> None:
        """Durable when this returns."""
        answer = self._notes.note(key, note)
        self._wake(key)
        try:
            async with asyncio.timeout(_NOTED_WITHIN_SECONDS):
                await answer
        except TimeoutError as error:
            raise DeadlineExceeded(f"what was written back of {key} was not noted in time") from error


def _note(wanted: Owed, written: WrittenChange) -> Note:
    told = "; ".join(f"needs a hand: {one.why}" for one in written.by_hand)
    state = WrittenBack(wanted.digest, written.commit, written.branch, told, written.patch)
    return Note(state, written.done, tuple((one.operation, one.why) for one in written.by_hand))


def _service(key: AppKey) -> str:
    return f"write-back of {key}"
