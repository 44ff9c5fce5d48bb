"""Code is analysed once for each content, off the loop, within its time, and one codebase never costs another."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest

from desired.errors import DeadlineExceeded, InvalidDesired, Unavailable
from desired.facts.analyze import Analysis, analyze
from desired.facts.codebase import Codebase
from desired.facts.tree_codebase import TreeCodebase
from desired.source_facts import Key, SourceFacts

FILES = {"Dockerfile": b"FROM python:3.12\nEXPOSE 8000\n", "requirements.txt": b"flask==3.0\n"}


async def _code() -> Codebase:
    return TreeCodebase(name="api", contents=FILES)


async def test_the_same_content_is_analysed_once() -> None:
    facts = SourceFacts()
    first = await facts.of(Key("tree-1", "api"), _code)
    assert await facts.of(Key("tree-1", "api"), _code) is first
    assert facts.count == 1
    await facts.of(Key("tree-2", "api"), _code)
    await facts.of(Key("tree-1", "api", "Dockerfile"), _code)
    assert facts.count == 3


async def test_the_oldest_are_forgotten_first() -> None:
    facts = SourceFacts(kept=2)
    for folder in ("a", "b", "a", "c"):
        await facts.of(Key(folder, "api"), _code)
    assert facts.count == 3
    assert facts.known(Key("a", "api")) is not None and facts.known(Key("b", "api")) is None


async def test_libraries_are_not_kept() -> None:
    [app] = (await SourceFacts().of(Key("t", "api"), _code)).apps
    assert app.facts.ports and not app.facts.dependencies


async def test_what_is_wrong_with_a_content_is_remembered_with_it() -> None:
    facts = SourceFacts()
    for _ in range(2):
        with pytest.raises(InvalidDesired, match="is no file of"):
            await facts.of(Key("t", "api", "Dockerfile.none"), _code)
    assert facts.count == 1


async def test_a_bug_in_an_extractor_is_told_with_its_codebase() -> None:
    def broken(codebase: Codebase, dockerfile: str | None) -> Analysis:
        raise KeyError("a secret perhaps")

    with pytest.raises(InvalidDesired, match="KeyError inside the operator") as caught:
        await SourceFacts(analyze=broken).of(Key("t", "api"), _code)
    assert "perhaps" not in str(caught.value)


async def test_code_that_says_too_much_is_no_app() -> None:
    variables = "".join(f"      V{number}: x\n" for number in range(3000))
    compose = f"services:\n  api:\n    build: .\n    environment:\n{variables}"

    async def much() -> Codebase:
        return TreeCodebase(name="api", contents={"compose.yaml": compose.encode()})

    with pytest.raises(InvalidDesired, match="more than 2000"):
        await SourceFacts().of(Key("t", "api"), much)


class _Endless:
    """An extractor that asks for one file after the other, or for none."""

    def __init__(self, *, asks: bool) -> None:
        self.asks = asks
        self.let_go = threading.Event()
        self.begun = threading.Event()
        self.ended = threading.Event()

    def __call__(self, codebase: Codebase, dockerfile: str | None) -> Analysis:
        self.begun.set()
        try:
            while not self.let_go.wait(0.001):
                if self.asks:
                    codebase.text("Dockerfile")
            return analyze(codebase, dockerfile)
        finally:
            self.ended.set()


async def test_nobody_waits_longer_than_the_deadline_and_the_thread_stops_at_its_next_file() -> None:
    endless = _Endless(asks=True)
    facts = SourceFacts(deadline=timedelta(milliseconds=20), analyze=endless)
    with pytest.raises(DeadlineExceeded, match="did not end within"):
        await facts.of(Key("t", "api"), _code)
    assert await asyncio.to_thread(endless.ended.wait, 10)
    assert facts.known(Key("t", "api")) is None


async def test_a_cancelled_analysis_stops_too() -> None:
    endless = _Endless(asks=True)
    task = asyncio.create_task(SourceFacts(analyze=endless).of(Key("t", "api"), _code))
    assert await asyncio.to_thread(endless.begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(endless.ended.wait, 10)


async def test_others_go_on_beside_one_that_never_ends_and_too_many_of_those_are_refused() -> None:
    stuck = _Endless(asks=False)

    def one_bad(codebase: Codebase, dockerfile: str | None) -> Analysis:
        return stuck(codebase, dockerfile) if codebase.name == "bad" else analyze(codebase, dockerfile)

    async def bad() -> Codebase:
        return TreeCodebase(name="bad", contents=FILES)

    facts = SourceFacts(deadline=timedelta(milliseconds=50), analyze=one_bad)
    for number in range(4):
        with pytest.raises(DeadlineExceeded):
            await facts.of(Key(f"bad-{number}", "bad"), bad)
        if number < 3:
            assert (await facts.of(Key(f"good-{number}", "api"), _code)).apps
    with pytest.raises(Unavailable, match="4 analyses of other code have not ended"):
        await facts.of(Key("good-3", "api"), _code)
    stuck.let_go.set()
    async with asyncio.timeout(10):
        while True:
            try:
                await facts.of(Key("good-3", "api"), _code)
                break
            except Unavailable:
                await asyncio.sleep(0.001)


async def test_the_loop_goes_on_while_code_is_analysed() -> None:
    endless = _Endless(asks=True)
    facts = SourceFacts(analyze=endless)
    task: asyncio.Task[Any] = asyncio.create_task(facts.of(Key("t", "api"), _code))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not task.done()
    endless.let_go.set()
    assert (await task).apps
