"""Runs what blocks in threads that nobody waits for.

The libraries of Vault and Consul block, and a name that does not resolve blocks longer than any timeout they know.
Threads of an executor are waited for when the process ends; these are not.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from desired import spans
from observers.reach.address import Reach
from observers.reach.breaks import too_late

T = TypeVar("T")


class Blocking:
    """At most `reach.max_calls` at once; more wait, on their own deadline."""

    def __init__(self, *, reach: Reach) -> None:
        self._reach = reach
        self._free = asyncio.Semaphore(reach.max_calls)

    async def __call__(self, what: str, work: Callable[[], T]) -> T:
        """What `work` returns or raises. DeadlineExceeded where it takes too long; it is then left to itself."""
        deadline = self._reach.deadline
        # What is asked for may be named after an app; of what comes back only that it came is told.
        with spans.call(self._reach.service.lower(), "call", asked={"for": what}):
            try:
                async with asyncio.timeout(deadline.total_seconds()), self._free:
                    return await _in_a_thread(work)
            except TimeoutError as error:
                raise too_late(self._reach, what, after=deadline) from error


async def _in_a_thread(work: Callable[[], T]) -> T:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(tell: Callable[[], None]) -> None:
        if not done.done():
            tell()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:
            told = error
            _tell(loop, lambda: settle(lambda: done.set_exception(told)))
        else:
            _tell(loop, lambda: settle(lambda: done.set_result(result)))

    threading.Thread(target=run, daemon=True, name="service").start()
    return await done


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is gone by now: nobody waits any more
        loop.call_soon_threadsafe(what)
