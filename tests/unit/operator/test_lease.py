"""The lease under pauses, partitions, wrong clocks and servers that change their leader: never two that act."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desired.errors import LeaseLost, OperatorError, Unavailable
from nomad_operator import lease as lease_module
from nomad_operator.lease import DELAY, Lease, taken_over_within
from observers.nomad.connection import Connection
from observers.nomad.locks import Looked
from tests.virtual_time import run

TTL = timedelta(seconds=10)
# What a write may take at most, by the clock of the copy that sends it.
WRITE = Connection().write_deadline.total_seconds()


@dataclass
class Server:
    """Nomad's lock on one variable, with the timers of nomad/locks.go."""

    ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    lock: str = ""
    items: Mapping[str, str] = field(default_factory=dict)
    index: int = 0
    live: bool = False
    acquires: int = 0
    _timer: asyncio.TimerHandle | None = None

    def acquire(self, items: Mapping[str, str]) -> str | None:
        self.acquires += 1
        if self.lock:
            return None
        self.lock, self.items = f"lock-{next(self.ids)}", items
        self.index += 1
        self.expect()
        return self.lock

    def renew(self, lock_id: str) -> bool:
        if lock_id != self.lock or not self.live:
            return False
        self.expect()
        return True

    def release(self, lock_id: str) -> None:
        if lock_id == self.lock:
            self._free()

    def expect(self) -> None:
        """Also what a new leader of the servers does: all timers begin anew."""
        if self._timer is not None:
            self._timer.cancel()
        self.live = True
        self._timer = asyncio.get_running_loop().call_later(2 * TTL.total_seconds(), self._expired)

    def _expired(self) -> None:
        self.live = False
        # Without an id: whatever lock is there by then.
        asyncio.get_running_loop().call_later(DELAY.total_seconds(), self._free)

    def _free(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.lock:
            self.lock, self.live, self.index = "", False, self.index + 1


class CopySide:
    """One copy: its way to the server, its clock, and whether it runs at all."""

    def __init__(self, server: Server, name: str, *, rate: float = 1.0, latency: float = 0.01) -> None:
        self.server, self.rate, self.latency = server, rate, latency
        self.paused_until = self.cut_until = 0.0
        self.terms: list[str] = []
        self.lease = Lease(
            lock=self, holder={"name": name}, ttl=TTL, clock=self.clock, sleep=self.sleep, heard=lambda _: None
        )  # fmt: skip

    def clock(self) -> float:
        return asyncio.get_running_loop().time() * self.rate + 1000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.rate)
        await self._running()

    async def _running(self) -> None:
        while (rest := self.paused_until - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110 (virtual time)
            await asyncio.sleep(rest)

    async def _asked(self) -> None:
        await asyncio.sleep(self.latency)
        await self._running()
        if asyncio.get_running_loop().time() < self.cut_until:
            await asyncio.sleep(TTL.total_seconds() / 4)
            await self._running()
            raise Unavailable("no way to Nomad")

    async def acquire(self, items: Mapping[str, str], *, ttl: timedelta, delay: timedelta) -> str | None:
        assert (ttl, delay) == (TTL, DELAY)
        await self._asked()
        got = self.server.acquire(items)
        await self._asked()
        return got

    async def renew(self, lock_id: str) -> bool:
        await self._asked()
        got = self.server.renew(lock_id)
        await self._asked()
        return got

    async def release(self, lock_id: str) -> None:
        await self._asked()
        self.server.release(lock_id)

    async def look(self, *, after: int = 0, wait: timedelta = timedelta(0)) -> Looked:
        await self._asked()
        until = asyncio.get_running_loop().time() + wait.total_seconds()
        while after and self.server.index == after and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await self._running()
        return Looked(self.server.items, self.server.index)

    async def live(self) -> None:
        while True:
            await self.lease.won()
            self.terms.append(await self.lease.lost())


@dataclass(frozen=True)
class Fault:
    """`what` is pause, cut or leader (the servers change theirs); `lasts` in seconds."""

    what: str
    copy: int
    at: float
    lasts: float


FAULTS = st.lists(
    st.builds(
        Fault,
        what=st.sampled_from(["pause", "cut", "leader"]),
        copy=st.integers(0, 2),
        at=st.floats(0, 100),
        lasts=st.floats(0.1, 45),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(faults=FAULTS, rates=st.lists(st.sampled_from([0.98, 1.0, 1.02]), min_size=3, max_size=3))
def test_a_copy_has_stopped_writing_before_another_one_acts(faults: list[Fault], rates: list[float]) -> None:
    """Also the write that was begun in the last moment has ended by then."""

    async def story() -> None:
        loop, server = asyncio.get_running_loop(), Server()
        copies = [CopySide(server, str(number), rate=rate) for number, rate in enumerate(rates)]
        running = [asyncio.create_task(copy.live()) for copy in copies]

        def befall(fault: Fault) -> None:
            copy, until = copies[fault.copy], loop.time() + fault.lasts
            if fault.what == "pause":
                copy.paused_until = until
            elif fault.what == "cut":
                copy.cut_until = until
            elif server.lock:
                server.expect()

        for fault in faults:
            loop.call_later(fault.at, befall, fault)
        acted = [-1000.0] * len(copies)
        while loop.time() < 250:
            acting = [number for number, copy in enumerate(copies) if copy.lease.held]
            assert len(acting) <= 1
            for number in acting:
                others = [when for other, when in enumerate(acted) if other != number]
                assert loop.time() - max(others) >= WRITE / 0.98, (number, acted, loop.time())
                acted[number] = loop.time()
            await asyncio.sleep(0.1)
        # All is well since 145 s at the latest: somebody acts.
        assert any(copy.lease.held for copy in copies)
        for task in running:
            task.cancel()

    run(story())


def test_the_next_one_acts_within_the_bound_after_a_crash() -> None:
    async def story() -> float:
        loop, server = asyncio.get_running_loop(), Server()
        first, second = CopySide(server, "1"), CopySide(server, "2")
        await first.lease.won()
        dying = asyncio.create_task(first.lease.lost())
        waiting = asyncio.create_task(second.lease.won())
        await asyncio.sleep(33)
        dying.cancel()
        died = loop.time()
        await waiting
        assert server.acquires < 5  # a wait for another's lock costs Nomad no writes
        return loop.time() - died

    assert run(story()) <= taken_over_within(TTL).total_seconds() + 0.2


def test_who_is_stopped_by_a_person_hands_over_within_a_second() -> None:
    async def story() -> float:
        loop, server = asyncio.get_running_loop(), Server()
        first, second = CopySide(server, "1"), CopySide(server, "2")
        await first.lease.won()
        waiting = asyncio.create_task(second.lease.won())
        await asyncio.sleep(5)
        await first.lease.give_up()
        gone = loop.time()
        assert not first.lease.held
        await waiting
        return loop.time() - gone

    assert run(story()) < 1


def test_a_fence_is_closed_where_the_lease_was_never_won_is_over_or_was_given_up() -> None:
    async def story() -> None:
        copy = CopySide(Server(), "1")
        with pytest.raises(LeaseLost):
            copy.lease.fence()
        await copy.lease.won()
        copy.lease.fence()
        await asyncio.sleep(TTL.total_seconds())
        with pytest.raises(LeaseLost):
            copy.lease.fence()

    run(story())


def test_who_may_have_lost_the_lock_never_gives_it_up_and_stands_back() -> None:
    """Nomad's expiry carries no id: a release in its delay would free the next one's lock."""

    async def story() -> None:
        loop, server = asyncio.get_running_loop(), Server()
        copy = CopySide(server, "1")
        await copy.lease.won()
        copy.cut_until = loop.time() + 15
        assert await copy.lease.lost() == "it was not renewed in time"
        lost, lock = loop.time(), server.lock
        await copy.lease.give_up()
        assert server.lock == lock
        await copy.lease.won()
        assert loop.time() - lost >= taken_over_within(TTL).total_seconds()

    run(story())


def test_a_lock_that_nomad_took_away_is_lost_at_the_next_renewal() -> None:
    async def story() -> str:
        server = Server()
        copy = CopySide(server, "1")
        await copy.lease.won()
        server.lock = "another's"
        return await copy.lease.lost()

    assert run(story()) == "Nomad has taken it away"


def test_the_clock_is_one_that_nobody_sets() -> None:
    first = lease_module.clock()
    assert lease_module.clock() >= first


def test_what_nomad_says_is_heard_while_it_is_waited_for() -> None:
    async def story() -> list[OperatorError | None]:
        heard: list[OperatorError | None] = []
        copy = CopySide(Server(), "1")
        copy.cut_until = 5
        copy.lease = Lease(
            lock=copy, holder={}, ttl=TTL, clock=copy.clock, sleep=copy.sleep, heard=heard.append
        )  # fmt: skip
        await copy.lease.won()
        return heard

    heard = run(story())
    assert isinstance(heard[0], Unavailable) and heard[-1] is None
