"""A state that cannot be written is one outage, in virtual time: told once when it goes and once when it is back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from desired.errors import Conflict, StateUnavailable, StateUnusable, TransientError, Unavailable
from nomad_operator.log import Outages
from nomad_operator.metrics import Metrics
from nomad_operator.state_watch import StateWatch
from reconcilers.memory_store import MemoryStore
from reconcilers.store import Document
from tests.virtual_time import run

FULL = StateUnavailable("the state cannot be written: the disk is full", hint="make room")
GONE = StateUnusable("the state was removed", hint="restart")


class Disk(MemoryStore):
    """Takes documents up to so many characters."""

    room = 10**9
    error: Exception = FULL

    async def put(self, name: str, document: Document, *, expected: int) -> int:
        if len(str(document)) > self.room:
            raise self.error
        return await super().put(name, document, expected=expected)


class Lines:
    def __init__(self) -> None:
        self.told: list[tuple[str, str, float]] = []

    def info(self, event: str, **values: Any) -> None:
        self.told.append((event, values["service"], asyncio.get_running_loop().time()))

    warning = info


class World:
    def __init__(self) -> None:
        self.disk = Disk()
        self.lines = Lines()
        self.back: list[float] = []
        self.metrics = Metrics(version="test")
        self.watch = StateWatch(
            store=self.disk,
            outages=Outages(log=self.lines, clock=lambda: asyncio.get_running_loop().time()),
            metrics=self.metrics,
            back=lambda: self.back.append(asyncio.get_running_loop().time()),
            sleep=asyncio.sleep,
        )

    @property
    def up(self) -> str:
        text = self.metrics.render("")[0].decode()
        return next(line.rsplit(" ", 1)[1] for line in text.splitlines() if 'dependency_up{service="state"}' in line)

    async def fails(self, name: str = "app:default/web", size: int = 100) -> None:
        with pytest.raises((StateUnavailable, StateUnusable)):
            await self.watch.put(name, {"v": "x" * size}, expected=0)


def _with_loop(story: Any) -> None:
    async def main() -> None:
        world = World()
        loop = asyncio.create_task(world.watch.run())
        try:
            await story(world)
        finally:
            loop.cancel()
            with suppress(asyncio.CancelledError):
                await loop

    run(main())


@pytest.mark.parametrize("error", [FULL, GONE])
def test_many_failed_writes_are_one_line_and_so_is_the_end(error: Exception) -> None:
    async def story(world: World) -> None:
        world.disk.room, world.disk.error = 0, error
        for _ in range(100):
            await world.fails()
            await asyncio.sleep(7)
        assert world.watch.problem is error
        assert world.up == "0.0"
        assert world.back == []
        world.disk.room = 10**9
        at = asyncio.get_running_loop().time()
        await asyncio.sleep(60)
        assert [event for event, _, _ in world.lines.told] == ["dependency down", "dependency back"]
        assert len(world.back) == 1 and world.back[0] - at <= 5
        assert world.watch.problem is None
        assert world.up == "1.0"
        assert dict(await world.watch.load()) == {}, "nothing is left of the trial"

    _with_loop(story)


def test_on_a_disk_that_is_nearly_full_it_does_not_come_and_go() -> None:
    async def story(world: World) -> None:
        world.disk.room = 1000
        for _ in range(50):
            await world.fails(size=5000)
            await world.watch.put("app:default/small", {"v": 1}, expected=0)
            await world.watch.delete(
                "app:default/small", expected=(await world.disk.load())["app:default/small"].revision
            )
            await asyncio.sleep(7)
        assert [event for event, _, _ in world.lines.told] == ["dependency down"]

    _with_loop(story)


def test_it_can_go_again_after_it_was_back() -> None:
    async def story(world: World) -> None:
        for _ in range(3):
            world.disk.room = 0
            await world.fails()
            world.disk.room = 10**9
            await asyncio.sleep(30)
        assert [event for event, _, _ in world.lines.told] == ["dependency down", "dependency back"] * 3

    _with_loop(story)


def test_a_lost_compare_and_set_is_no_outage() -> None:
    async def story(world: World) -> None:
        await world.watch.put("n", {}, expected=0)
        with pytest.raises(Conflict):
            await world.watch.put("n", {}, expected=0)
        await asyncio.sleep(30)
        assert world.lines.told == []

    _with_loop(story)


@pytest.mark.parametrize(
    ("error", "explained"), [(FULL, True), (GONE, True), (Unavailable("Nomad"), False), (ValueError("a bug"), False)]
)
def test_it_explains_what_failed_for_it_and_nothing_else(error: Exception, explained: bool) -> None:
    async def story(world: World) -> None:
        assert not world.watch.explains(error)
        world.disk.room = 0
        await world.fails()
        assert world.watch.explains(error) is explained

    _with_loop(story)


def test_a_full_disk_passes_and_a_damaged_file_does_not() -> None:
    assert isinstance(FULL, TransientError)
    assert not isinstance(GONE, TransientError)
