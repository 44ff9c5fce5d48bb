"""Passes run at most so many at a time, one a key, and no key can stop the others. On virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from desired.app import AppKey
from desired.errors import RateLimited, Unavailable
from desired.reasons import Reason
from reconcilers.backoff import Backoff
from reconcilers.queue import WorkQueue
from reconcilers.result import Result, Settled, Waiting
from reconcilers.workers import Workers
from tests.virtual_time import run

A, B = AppKey("default", "a"), AppKey("default", "b")


@dataclass
class Seen:
    """What the workers reported."""

    passed_: list[tuple[AppKey, Result]] = field(default_factory=list)
    failed_: list[tuple[AppKey, Exception, float]] = field(default_factory=list)

    def passed(self, key: AppKey, result: Result, seconds: float, waited: float) -> None:
        self.passed_.append((key, result))

    def failed(self, key: AppKey, error: Exception, seconds: float, retry_in: float) -> None:
        self.failed_.append((key, error, retry_in))


def workers_on(
    reconcile: Callable[[AppKey], Awaitable[Result]], *, concurrency: int = 2, deadline: float = 60
) -> tuple[Workers, Seen]:
    seen = Seen()
    workers = Workers(
        queue=WorkQueue(backoff=Backoff(random=lambda: 1.0)),
        reconcile=reconcile,
        observer=seen,
        clock=asyncio.get_running_loop().time,
        concurrency=concurrency,
        deadline=timedelta(seconds=deadline),
    )
    return workers, seen


async def for_(workers: Workers, seconds: float) -> None:
    """Let the workers run for so long."""
    task = asyncio.create_task(workers.run())
    await asyncio.sleep(seconds)
    workers.stop()
    await task


def test_a_wake_up_during_a_pass_causes_exactly_one_more() -> None:
    async def main() -> None:
        passes = 0

        async def reconcile(key: AppKey) -> Result:
            nonlocal passes
            passes += 1
            if passes == 1:
                for _ in range(5):
                    workers.wake(key)
            await asyncio.sleep(1)
            return Settled(Reason.HEALTHY)

        workers, _ = workers_on(reconcile)
        workers.wake(A)
        await for_(workers, 10)
        assert passes == 2

    run(main())


def test_no_key_has_two_passes_at_once_and_no_more_run_than_allowed() -> None:
    async def main() -> None:
        under_way: Counter[AppKey] = Counter()
        most = 0

        async def reconcile(key: AppKey) -> Result:
            nonlocal most
            under_way[key] += 1
            assert under_way[key] == 1
            most = max(most, under_way.total())
            await asyncio.sleep(1)
            under_way[key] -= 1
            return Settled(Reason.HEALTHY)

        workers, seen = workers_on(reconcile, concurrency=3)
        keys = [AppKey("default", f"app-{n}") for n in range(10)]
        for _ in range(3):
            for key in keys:
                workers.wake(key)
        await for_(workers, 60)
        assert most == 3
        assert {key for key, _ in seen.passed_} == set(keys)

    run(main())


def test_an_unexpected_exception_is_told_backed_off_and_stops_nobody_else() -> None:
    async def main() -> None:
        async def reconcile(key: AppKey) -> Result:
            if key == A:
                raise ZeroDivisionError
            return Settled(Reason.HEALTHY)

        workers, seen = workers_on(reconcile)
        workers.wake(A)
        workers.wake(B)
        await for_(workers, 16)
        assert [delay for _, _, delay in seen.failed_] == [1, 2, 4, 8, 16]
        assert [key for key, _ in seen.passed_] == [B]

    run(main())


def test_a_pass_that_takes_too_long_is_cut_off_and_tried_again() -> None:
    async def main() -> None:
        async def reconcile(key: AppKey) -> Result:
            await asyncio.sleep(1000)
            return Settled(Reason.HEALTHY)

        workers, seen = workers_on(reconcile, deadline=5)
        workers.wake(A)
        await for_(workers, 7)
        assert [type(error) for _, error, _ in seen.failed_] == [TimeoutError, TimeoutError]

    run(main())


def test_a_result_says_when_the_key_is_looked_at_again() -> None:
    async def main() -> None:
        at: list[float] = []

        async def reconcile(key: AppKey) -> Result:
            at.append(asyncio.get_running_loop().time())
            return Waiting(Reason.PROGRESSING, timedelta(seconds=10)) if len(at) < 3 else Settled(Reason.HEALTHY)

        workers, _ = workers_on(reconcile)
        workers.wake(A)
        await for_(workers, 100)
        assert at == [0, 10, 20]

    run(main())


def test_a_person_need_not_wait_for_a_backoff_and_an_event_does() -> None:
    async def main() -> None:
        passes = 0

        async def reconcile(key: AppKey) -> Result:
            nonlocal passes
            passes += 1
            raise Unavailable("no")

        workers, _ = workers_on(reconcile)
        task = asyncio.create_task(workers.run())
        workers.wake(A)
        await asyncio.sleep(3.5)  # failed at 0, 1 and 3; due again at 7
        assert passes == 3
        workers.wake(A)
        await asyncio.sleep(1)
        assert passes == 3
        workers.wake(A, hurry=True)
        await asyncio.sleep(0.1)
        assert passes == 4
        workers.stop()
        await task

    run(main())


def test_a_rate_limit_that_names_a_time_is_respected() -> None:
    async def main() -> None:
        at: list[float] = []

        async def reconcile(key: AppKey) -> Result:
            at.append(asyncio.get_running_loop().time())
            raise RateLimited("slow down", retry_after=timedelta(seconds=30))

        workers, _ = workers_on(reconcile)
        workers.wake(A)
        await for_(workers, 35)
        assert at == [0, 30]

    run(main())


def test_stopping_lets_running_passes_end_and_starts_no_new_ones() -> None:
    async def main() -> None:
        ended: list[AppKey] = []

        async def reconcile(key: AppKey) -> Result:
            await asyncio.sleep(5)
            ended.append(key)
            return Settled(Reason.HEALTHY)

        workers, _ = workers_on(reconcile, concurrency=1)
        workers.wake(A)
        workers.wake(B)
        await for_(workers, 1)
        assert ended == [A]

    run(main())
