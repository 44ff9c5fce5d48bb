"""Writes what repairs teach into the memory, beside the passes: nothing waits for it, and it changes no record.

What is to be remembered stands in the records, under a key of its own for each try: who is killed in between begins
anew with all of them, and what was written already is the same again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from desired.errors import OperatorError
from reconcilers.record import Record
from reconcilers.repair.learned import Where, learned
from reconcilers.repair.remembered import Learned, Remembered

# While the memory is away, the newest of so many are kept.
_MOST_WAITING = 1000
_AGAIN_SECONDS = 60.0
# So many writings apart, the whole memory is looked at for what is too old.
_TIDY_EVERY = 200


class Writable(Protocol):
    """Where repairs are remembered; each call raises OperatorError where that cannot be done now."""

    async def where(self) -> Where: ...

    async def remember(self, one: Remembered) -> None: ...

    async def tidy(self) -> None: ...


class Remembering:
    """`sleep` is in seconds. Whoever owns the memory tells people that it is away."""

    def __init__(
        self, *, memory: Writable, records: Iterable[Record], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._memory = memory
        self._records = records
        self._sleep = sleep
        self._woken = asyncio.Event()
        self._changed: dict[str, Record] = {}
        self._waiting: dict[str, Remembered] = {}
        self._written: dict[str, Learned] = {}
        self._writes = 0

    def saved(self, _before: Record, after: Record) -> None:
        """A listener of the records."""
        if after.episode is not None or after.last_episode is not None:
            self._changed[str(after.key)] = after
            self._woken.set()

    def look(self) -> None:
        """At every record: the process has begun."""
        for record in self._records:
            self.saved(record, record)

    async def run(self) -> None:
        """Until it is cancelled."""
        self.look()
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self.write()
            except OperatorError:
                # Whatever comes meanwhile is written with what waits.
                await self._sleep(_AGAIN_SECONDS)
                self._woken.set()

    async def write(self) -> None:
        """Everything that is to be remembered and is not yet. Raises OperatorError; what is left waits."""
        if not self._changed and not self._waiting:
            return
        where = await self._memory.where()
        while self._changed:
            _, record = self._changed.popitem()
            self._learn(record, where)
        while self._waiting:
            key = next(iter(self._waiting))
            one = self._waiting[key]
            # Whoever fails may have written it all the same.
            self._written.pop(key, None)
            await self._memory.remember(one)
            self._written[key] = one.outcome
            if self._waiting.get(key) is one:
                del self._waiting[key]
            self._writes += 1
            if self._writes % _TIDY_EVERY == 0:
                await self._memory.tidy()

    def _learn(self, record: Record, where: Where) -> None:
        for episode in (record.last_episode, record.episode):
            for one in learned(record.key, episode, where) if episode is not None else ():
                self._waiting.pop(one.key, None)
                if self._written.get(one.key) is not one.outcome:
                    self._waiting[one.key] = one
        while len(self._waiting) > _MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        while len(self._written) > _MOST_WAITING:
            del self._written[next(iter(self._written))]
