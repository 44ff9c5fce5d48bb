"""Everything runs in one thread, in order; whoever waits too long goes on, and whatever hangs is left behind."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from desired.errors import DeadlineExceeded, Unavailable
from prompts.memory.one_thread import OneThread

SOON, LATER = timedelta(seconds=0.05), timedelta(seconds=20)


async def test_it_is_one_thread_and_one_at_a_time_in_the_order_of_asking() -> None:
    one, threads, order, inside = OneThread(name="t"), set(), [], []

    def work(number: int) -> int:
        threads.add(threading.get_ident())
        inside.append(1)
        assert len(inside) == 1
        order.append(number)
        inside.pop()
        return number

    found = await asyncio.gather(*(one.run(lambda n=n: work(n), within=LATER, doing="x") for n in range(20)))  # type: ignore[misc]
    assert found == order == list(range(20))
    assert len(threads) == 1 and threading.get_ident() not in threads
    await one.close(lambda: None, within=LATER)


async def test_what_it_raises_reaches_who_asked() -> None:
    one = OneThread(name="t")
    with pytest.raises(ZeroDivisionError):
        await one.run(lambda: 1 // 0, within=LATER, doing="x")
    assert await one.run(lambda: 1, within=LATER, doing="x") == 1
    await one.close(lambda: None, within=LATER)


async def test_who_waits_too_long_goes_on_and_what_had_not_begun_never_begins() -> None:
    one, held, begun = OneThread(name="t"), threading.Event(), []
    with pytest.raises(DeadlineExceeded, match="cannot recall: no answer in"):
        await one.run(held.wait, within=SOON, doing="recall")
    with pytest.raises(DeadlineExceeded):
        await one.run(lambda: begun.append(1), within=SOON, doing="recall")
    held.set()
    assert await one.run(lambda: 2, within=LATER, doing="x") == 2
    assert begun == []
    await one.close(lambda: None, within=LATER)


async def test_closing_comes_last_ends_the_thread_and_may_be_repeated() -> None:
    one, done = OneThread(name="t-that-ends"), []
    await one.run(lambda: done.append("work"), within=LATER, doing="x")
    for _ in range(2):
        await one.close(lambda: done.append("close"), within=LATER)
    assert done == ["work", "close"]
    with pytest.raises(Unavailable):
        await one.run(lambda: None, within=LATER, doing="x")
    deadline = asyncio.get_running_loop().time() + 10
    while any(thread.name == "t-that-ends" for thread in threading.enumerate()):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


async def test_what_was_never_asked_for_is_closed_at_once() -> None:
    one = OneThread(name="t")
    await one.close(lambda: pytest.fail("there is nothing to close"), within=LATER)


async def test_closing_does_not_wait_for_what_hangs() -> None:
    one, held = OneThread(name="t"), threading.Event()
    with pytest.raises(DeadlineExceeded):
        await one.run(held.wait, within=SOON, doing="x")
    await one.close(lambda: None, within=SOON)
    held.set()


def test_it_serves_one_loop_after_another() -> None:
    one = OneThread(name="t")
    for number in range(3):
        assert asyncio.run(one.run(lambda n=number: n, within=LATER, doing="x")) == number  # type: ignore[misc]
    asyncio.run(one.close(lambda: None, within=LATER))
