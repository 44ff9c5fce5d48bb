"""Who acts, of many copies: a lease held by renewing the lock on one Nomad variable.

Time is this machine's own, from a clock that nobody sets and that counts while the machine or the process stands still.
A copy may begin a write until one TTL after it *began* its last renewal that Nomad confirmed. Nomad gives the lock to
another at the earliest two TTLs and the delay after it *received* that renewal: what lies between is longer than the
deadline of any write. Each write asks `fence` right before it is sent. What this cannot bar (a process that is stopped
between that question and the socket) Nomad does: writes are compare-and-set, of jobs by their index.

Whoever may have lost the lock never uses its id again and stands back until Nomad's expiry is over.
Source: nomad/locks.go.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

from desired.errors import LeaseLost, OperatorError
from observers.nomad.locks import Looked

# The least that Nomad takes but for 0, which means its default.
DELAY = timedelta(seconds=1)
_WATCH = timedelta(seconds=10)
_AGAIN_SECONDS = 1.0
# Of a TTL: three renewals may fail before the lease is over.
_RENEWALS = 4


class Lock(Protocol):
    """One lock in Nomad; `observers.nomad.locks.NomadLock` is one."""

    async def acquire(self, items: Mapping[str, str], *, ttl: timedelta, delay: timedelta) -> str | None: ...

    async def renew(self, lock_id: str) -> bool: ...

    async def release(self, lock_id: str) -> None: ...

    async def look(self, *, after: int = 0, wait: timedelta = ...) -> Looked: ...


def clock() -> float:
    """Seconds that go on while the process is stopped and while the machine sleeps; nobody can set them."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


def renew_every(ttl: timedelta) -> timedelta:
    """Also how long one answer may take."""
    return ttl / _RENEWALS


def taken_over_within(ttl: timedelta) -> timedelta:
    """From the death of the holder until Nomad frees the lock, at most, while Nomad's servers keep their leader."""
    return 2 * ttl + DELAY


class Lease:
    """Of one copy. `holder` is what the others read: how to reach it. `heard` is told what Nomad answered last."""

    def __init__(
        self,
        *,
        lock: Lock,
        holder: Mapping[str, str],
        ttl: timedelta,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        heard: Callable[[OperatorError | None], None],
    ) -> None:
        self._lock = lock
        self._holder = holder
        self._ttl = ttl
        self._clock = clock
        self._sleep = sleep
        self._heard = heard
        self._id = ""
        self._until = -math.inf
        self._not_before = -math.inf
        self.leader: Mapping[str, str] = {}

    @property
    def held(self) -> bool:
        return self._clock() < self._until

    def fence(self) -> None:
        """Asked right before each write; from any thread. LeaseLost where another copy may act soon."""
        if not self.held:
            raise LeaseLost(
                "the lease of this copy is over: another one may act",
                hint="nothing has to be done: the copy that holds the lease goes on with it",
            )

    async def try_once(self) -> bool:
        """Whether it is ours now. Raises what Nomad says."""
        began = self._clock()
        lock_id = await self._lock.acquire(self._holder, ttl=self._ttl, delay=DELAY)
        if lock_id is None:
            return False
        if self._clock() - began >= self._ttl.total_seconds():
            # The answer came so late that it may be over.
            self._stand_back()
            return False
        self._id, self._until = lock_id, began + self._ttl.total_seconds()
        self.leader = self._holder
        return True

    async def won(self) -> None:
        """Until it is ours. Others' locks are waited for by a blocking read, which costs Nomad no write."""
        while True:
            if (rest := self._not_before - self._clock()) > 0:
                await self._sleep(rest)
            try:
                seen = await self._lock.look()
                self.leader = seen.items
                if await self.try_once():
                    self._heard(None)
                    return
                await self._changed_since(seen)
            except OperatorError as error:
                self._heard(error)
                await self._sleep(_AGAIN_SECONDS)

    async def _changed_since(self, seen: Looked) -> None:
        """Nomad may forget to tell: after the longest that a lock can outlive its holder it is tried all the same."""
        until = self._clock() + taken_over_within(self._ttl).total_seconds()
        while self._clock() < until:
            looked = await self._lock.look(after=seen.index, wait=_WATCH)
            self._heard(None)
            if looked.items:
                self.leader = looked.items
            if looked.index != seen.index:
                return
            if not seen.index:
                await self._sleep(_AGAIN_SECONDS)

    async def lost(self) -> str:
        """Until it is not ours any more: why. Renews it meanwhile; begun right after it was won."""
        every = renew_every(self._ttl).total_seconds()
        pause = every
        while True:
            await self._sleep(pause)
            began = self._clock()
            if began >= self._until:
                self._stand_back()
                return "it was not renewed in time"
            try:
                renewed = await self._lock.renew(self._id)
            except OperatorError as error:
                self._heard(error)
                pause = min(_AGAIN_SECONDS, every)
                continue
            if not renewed:
                self._stand_back()
                return "Nomad has taken it away"
            if self._clock() >= self._until:
                # Writes were refused for a moment: nobody is to think about half a term.
                self._stand_back()
                return "it was renewed too late"
            self._heard(None)
            self._until = began + self._ttl.total_seconds()
            pause = every

    async def give_up(self) -> None:
        """Nothing may be written any more; whoever waits has it at once. Nothing is done where it may be over."""
        lock_id, ours = self._id, self.held
        self._until, self._id = -math.inf, ""
        if lock_id and ours:
            # What fails here expires by itself.
            with suppress(OperatorError):
                await self._lock.release(lock_id)

    def _stand_back(self) -> None:
        self._until, self._id = -math.inf, ""
        self._not_before = self._clock() + taken_over_within(self._ttl).total_seconds()
