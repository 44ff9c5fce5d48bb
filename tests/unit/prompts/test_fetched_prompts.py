"""Prompts by label: what was fetched is served at once, the file where that is no help, and nobody waits for long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.errors import Forbidden, OperatorError, Unavailable
from prompts.catalog import FilePrompts
from prompts.fetched import FetchedPrompts
from prompts.labels import Labels

USE = {"repair": frozenset({"evidence"}), "explain": frozenset({"story"})}


def kept(version: int, text: str = "{{evidence}}", **changed: Any) -> dict[str, Any]:
    message = {"role": "user", "content": text}
    return {"name": "repair", "type": "chat", "version": version, "prompt": [message], "config": {}} | changed


class Shelf:
    """Answers by label; an answer may be an error, or a moment to wait for before it comes."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = answers
        self.asked: list[tuple[str, str]] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def prompt(self, name: str, *, label: str) -> Any | None:
        self.asked.append((name, label))
        await self.go_on.wait()
        answer = self.answers.get(label)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Told:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.up: bool | None = None

    def reached(self, problem: OperatorError | None) -> None:
        self.up = problem is None

    def unusable(self, name: str, label: str, problem: OperatorError) -> None:
        self.lines.append(f"{name} {label}: {problem.message}")

    def missing(self, name: str, label: str) -> None:
        self.lines.append(f"{name} {label}: missing")


class World:
    def __init__(self, tmp_path: Path, shelf: Shelf, labels: Labels, patience: float) -> None:
        for name, variables in USE.items():
            text = " ".join(f"{{{{{one}}}}}" for one in variables)
            document = kept(7, f"file {text}", name=name)
            (tmp_path / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
        self.shelf, self.told, self.now = shelf, Told(), 100.0
        self.prompts = FetchedPrompts(
            shelf=shelf, files=FilePrompts(uses=USE, packaged=tmp_path), labels=labels, tell=self.told,
            clock=lambda: self.now, fresh=timedelta(seconds=60), patience=timedelta(seconds=patience),
        )  # fmt: skip

    async def version(self, by: str = "") -> tuple[int, str]:
        found = (await self.prompts.chosen("repair", by=by)).version
        return found.version, found.label

    async def settled(self) -> None:
        await asyncio.gather(*self.prompts._fetching.values())
        await asyncio.sleep(0)


Make = Callable[..., World]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def world(labels: Labels | None = None, patience: float = 5.0, **answers: Any) -> World:
        return World(tmp_path, Shelf(**answers), labels or Labels("production"), patience)

    return world


async def test_a_prompt_is_fetched_by_its_label_and_then_kept(make: Make) -> None:
    world = make(production=kept(3))
    assert [await world.version() for _ in range(3)] == [(3, "production")] * 3
    assert world.shelf.asked == [("repair", "production")]


async def test_an_old_one_is_served_at_once_while_a_newer_one_is_fetched(make: Make) -> None:
    world = make(production=kept(3))
    await world.version()
    world.now += 61
    world.shelf.answers["production"] = kept(4)
    world.shelf.go_on.clear()
    assert await world.version() == (3, "production")
    assert await world.version() == (3, "production")
    world.shelf.go_on.set()
    await world.settled()
    assert await world.version() == (4, "production")
    assert len(world.shelf.asked) == 2


async def test_the_first_question_waits_but_not_for_long(make: Make) -> None:
    world = make(patience=0.01, production=kept(3))
    world.shelf.go_on.clear()
    assert await world.version() == (7, "")
    # From now on nobody waits at all.
    async with asyncio.timeout(0.005):
        assert await world.version() == (7, "")
    world.shelf.go_on.set()
    await world.settled()
    assert await world.version() == (3, "production")
    assert len(world.shelf.asked) == 1


async def test_a_langfuse_that_is_away_is_not_asked_again_for_a_while(make: Make) -> None:
    world = make(production=Unavailable("away"))
    for _ in range(5):
        assert await world.version() == (7, "")
        await world.settled()
    assert len(world.shelf.asked) == 1
    assert world.told.up is False
    world.now += 61
    world.shelf.answers["production"] = kept(3)
    await world.version()
    await world.settled()
    assert await world.version() == (3, "production")
    assert world.told.up is True


@pytest.mark.parametrize("problem", [Unavailable("away"), Forbidden("no")])
async def test_what_was_fetched_outlives_an_outage(make: Make, problem: OperatorError) -> None:
    world = make(production=kept(3))
    await world.version()
    world.shelf.answers["production"] = problem
    for _ in range(10):
        world.now += 61
        assert await world.version() == (3, "production")
        await world.settled()
    assert world.told.up is False


UNUSABLE = [
    (None, "repair production: missing"),
    (kept(3, "{{evidence}} {{other}}"), "nothing fills {{other}}"),
    (kept(3, "nothing"), "it leaves out {{evidence}}"),
    (kept(3, type="text", prompt="{{evidence}}"), "type: expected"),
    (kept(3, name="explain"), "it says that it is explain"),
    ("<html>", "no JSON object"),
    ([], "no JSON object"),
]


@pytest.mark.parametrize(("answer", "told"), UNUSABLE, ids=[told for _, told in UNUSABLE])
async def test_what_cannot_be_asked_with_is_told_once_and_the_file_is_used(make: Make, answer: Any, told: str) -> None:
    world = make(production=answer)
    for _ in range(3):
        assert await world.version() == (7, "")
        await world.settled()
        world.now += 61
    assert len(world.told.lines) == 1
    assert told in world.told.lines[0]
    assert world.told.up is True


async def test_a_version_that_cannot_be_used_takes_the_one_before_out_of_use(make: Make) -> None:
    """What its people promoted is not what they had before; the file is what was tested with this code."""
    world = make(production=kept(3))
    await world.version()
    world.shelf.answers["production"] = kept(4, "nothing")
    world.now += 61
    await world.version()
    await world.settled()
    assert await world.version() == (7, "")
    world.shelf.answers["production"] = kept(5)
    world.now += 61
    await world.version()
    await world.settled()
    assert await world.version() == (5, "production")
    assert len(world.told.lines) == 1


async def test_all_are_fetched_ahead(make: Make) -> None:
    world = make(Labels("production", "candidate", 0.5), production=kept(3))
    world.prompts.ahead()
    await world.settled()
    assert sorted(world.shelf.asked) == [
        ("explain", "candidate"), ("explain", "production"), ("repair", "candidate"), ("repair", "production")
    ]  # fmt: skip


async def test_a_share_of_episodes_gets_the_compared_label_and_each_always_the_same(make: Make) -> None:
    world = make(Labels("production", "candidate", 0.25), production=kept(3), candidate=kept(4))
    chosen = {f"e{number}": await world.version(f"e{number}") for number in range(2000)}
    assert 0.2 < sum(found == (4, "candidate") for found in chosen.values()) / 2000 < 0.3
    assert all([await world.version(by) == found for by, found in chosen.items()])
    assert await world.version("") == (3, "production")


async def test_where_the_compared_label_is_missing_the_main_one_is_used(make: Make) -> None:
    world = make(Labels("production", "candidate", 1.0), production=kept(3))
    assert await world.version("e1") == (3, "production")


async def test_nothing_is_left_running(make: Make) -> None:
    world = make(patience=0.0, production=kept(3))
    world.shelf.go_on.clear()
    await world.version()
    await world.prompts.aclose()
    assert not world.prompts._fetching


@given(st.text(min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_a_greater_share_takes_nobody_out_of_the_comparison(by: str, one: float, other: float) -> None:
    less, more = sorted((one, other))
    if Labels("a", "b", less).label("repair", by) == "b":
        assert Labels("a", "b", more).label("repair", by) == "b"


def test_a_share_of_nothing_and_of_all() -> None:
    assert {Labels("a", "b", 0.0).label("x", str(number)) for number in range(500)} == {"a"}
    assert {Labels("a", "b", 1.0).label("x", str(number)) for number in range(500)} == {"b"}
