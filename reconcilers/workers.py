"""Runs passes: takes keys from the queue, at most so many at a time, and says what became of each.

It knows nothing of apps. An error of the tree is a reason to back off; anything else that is raised is a bug, counted
and logged once by `on_error`, and backed off as well: no key can stop the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from desired.app import AppKey
from desired.errors import RateLimited
from reconcilers.queue import WorkQueue
from reconcilers.result import Result, Settled


class PassObserver(Protocol):
    """What others want to know of passes: metrics, logs."""

    def passed(self, key: AppKey, result: Result, seconds: float, waited: float) -> None: ...

    def failed(self, key: AppKey, error: Exception, seconds: float, retry_in: float) -> None: ...


class Workers:
    """Drives one queue until it is stopped. `clock` is monotonic, in seconds."""

    def __init__(
        self,
        *,
        queue: WorkQueue[AppKey],
        reconcile: Callable[[AppKey], Awaitable[Result]],
        observer: PassObserver,
        clock: Callable[[], float],
        concurrency: int,
        deadline: timedelta,
    ) -> None:
        self._queue = queue
        self._reconcile = reconcile
        self._observer = observer
        self._clock = clock
        self._concurrency = concurrency
        self._deadline = deadline
        self._woken = asyncio.Event()
        self._stopping = False
        self._running: set[asyncio.Task[None]] = set()

    def wake(self, key: AppKey, *, after: timedelta | None = None, hurry: bool = False) -> None:
        """Look at a key soon, or `after` a while; `hurry` ends a backoff (a person asked, or git moved)."""
        now = self._clock()
        if hurry:
            self._queue.forget(key)
        if after is None:
            self._queue.add(key, now)
        else:
            self._queue.add_at(key, now + after.total_seconds())
        self._woken.set()

    @property
    def idle(self) -> bool:
        """No pass runs and none is due now."""
        return not self._running and not len(self._queue)

    @property
    def waiting(self) -> int:
        """Keys that are due and have no pass yet."""
        return len(self._queue)

    async def run(self) -> None:
        """Until `stop`; then the running passes end, and no new one begins."""
        while not self._stopping:
            self._woken.clear()
            self._start_due()
            await self._rest()
        if self._running:
            await asyncio.wait(self._running)

    def stop(self) -> None:
        self._stopping = True
        self._woken.set()

    def drop(self) -> None:
        """As `stop`, and the running passes are cut off."""
        self.stop()
        for task in self._running:
            task.cancel()

    def _start_due(self) -> None:
        while len(self._running) < self._concurrency:
            taken = self._queue.take(self._clock())
            if taken is None:
                return
            task = asyncio.create_task(self._one(*taken))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._woken.set()

    async def _rest(self) -> None:
        """Until a key is woken, a pass ends, or a delayed key is due."""
        timeout = None
        if len(self._running) < self._concurrency and (due := self._queue.next_due()) is not None:
            timeout = max(0.0, due - self._clock())
        try:
            async with asyncio.timeout(timeout):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _one(self, key: AppKey, waited: float) -> None:
        started = self._clock()
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                result = await self._reconcile(key)
        except Exception as error:  # a bug in one pass must not end the daemon: told, backed off, tried again
            named = error.retry_after if isinstance(error, RateLimited) else None
            retry_in = self._queue.fail(key, self._clock(), at_least=named.total_seconds() if named else 0.0)
            self._queue.done(key)
            self._observer.failed(key, error, self._clock() - started, retry_in)
            return
        now = self._clock()
        self._queue.forget(key)
        again = result.recheck_in if isinstance(result, Settled) else result.retry_in
        if again is not None:
            self._queue.add_at(key, now + again.total_seconds())
        self._queue.done(key)
        self._observer.passed(key, result, now - started, waited)
