"""Writing what repairs teach: beside everything else, once, in any order of outages and restarts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from desired.app import AppKey
from desired.cause import Cause
from desired.errors import Unavailable
from desired.operations.operation import Kind, Operation
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from reconcilers.record import Record
from reconcilers.repair import experience
from reconcilers.repair.episode import Episode, Outcome, Try, TryState
from reconcilers.repair.experience import Experience
from reconcilers.repair.learned import Where
from reconcilers.repair.lesson import Lesson
from reconcilers.repair.proposal import Rung
from reconcilers.repair.relative import From, Step
from reconcilers.repair.remembered import Learned
from reconcilers.repair.remembering import Remembering
from tests.doubles.notes_in_memory import InMemory

AT = datetime(2026, 1, 1, tzinfo=UTC)
OOM = Diagnosis(FailureClass.OOM_KILLED, Cause.SPEC, "killed")
DOUBLE = Step(Kind.MEMORY, ("group", "task"), From.TIMES, 200)


def record(name: str = "shop", *, durable: bool | None = None, undone: str = "", signature: str = "sig") -> Record:
    one = Try(
        state=TryState.VERIFIED, diagnosis=OOM, operations=(Operation(Kind.MEMORY, ("g", "t"), 1, 2),), trial=(),
        rung=Rung.MODEL, source="model", reason="", hash="h", at=AT, lesson=Lesson(signature, "killed", (DOUBLE,)),
    )  # fmt: skip
    over = Episode(
        id=f"e-{name}", spec_hash="s", written_hash="w", diagnosis=OOM, hint="", opened_at=AT, failing_since=AT,
        tries=(one,), outcome=Outcome.REPAIRED, ended_at=AT, durable=durable, undone=undone,
    )  # fmt: skip
    return Record(key=AppKey("default", name), origin="git", last_episode=over)


class Desk:
    """One process after another on the same store and the same records."""

    def __init__(self, *records: Record) -> None:
        self.notes = InMemory()
        self.records = {str(one.key): one for one in records}
        self.slept: list[float] = []
        self.restart()

    def restart(self) -> None:
        async def where() -> Where:
            return Where("one")

        self.experience = Experience(notes=self.notes, where=where)
        self.remembering = Remembering(memory=self.experience, records=self.records.values(), sleep=self._sleep)
        self.remembering.look()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.notes.away = False
        await asyncio.sleep(0)

    def save(self, one: Record) -> None:
        before = self.records.get(str(one.key), one)
        self.records[str(one.key)] = one
        self.remembering.saved(before, one)

    async def outcomes(self) -> list[Learned]:
        return [one.outcome for one in await self.experience.all()]


async def test_what_became_of_it_later_takes_the_place_of_what_was_known_first() -> None:
    desk = Desk(record())
    await desk.remembering.write()
    desk.save(record(durable=True))
    await desk.remembering.write()
    assert await desk.outcomes() == [Learned.DURABLE]
    assert desk.notes.writes == 2


async def test_nothing_is_asked_of_the_store_where_nothing_is_new() -> None:
    desk = Desk(record())
    await desk.remembering.write()
    desk.save(replace(record(), declined="x"))
    desk.notes.away = True
    await desk.remembering.write()


async def test_it_runs_beside_everything_else_and_tries_again_after_a_pause() -> None:
    desk = Desk(record())
    desk.notes.away = True
    running = asyncio.create_task(desk.remembering.run())
    await _turns()
    desk.save(record("pay"))
    await _turns()
    running.cancel()
    assert set(desk.notes.notes) == {"e-shop-0", "e-pay-0"}
    assert desk.slept == [60.0]


async def _turns() -> None:
    """Of the loop: more than anything here needs."""
    for _ in range(100):
        await asyncio.sleep(0)


async def test_a_memory_that_is_away_for_long_costs_no_more_than_a_thousand_kept() -> None:
    desk = Desk()
    desk.notes.away = True
    for number in range(1100):
        desk.save(record(f"app-{number}", signature=f"sig-{number}"))
    with pytest.raises(Unavailable):
        await desk.remembering.write()
    desk.notes.away = False
    await desk.remembering.write()
    assert len(desk.notes.notes) == 1000


async def test_of_one_kind_only_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experience, "_MOST_OF_A_KIND", 3)
    desk = Desk(*(record(f"app-{number}") for number in range(6)), record("other", signature="another"))
    await desk.remembering.write()
    kept = await desk.experience.all()
    assert sorted(one.signature for one in kept) == ["another", "sig", "sig", "sig"]


async def test_of_all_only_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experience, "_MOST", 4)
    desk = Desk(*(record(f"app-{number}", signature=f"sig-{number}") for number in range(6)))
    await desk.remembering.write()
    await desk.experience.tidy()
    assert len(await desk.experience.all()) == 4


async def test_what_people_had_forgotten_does_not_come_back_from_the_records() -> None:
    desk = Desk(record(), record("pay"))
    await desk.remembering.write()
    assert await desk.experience.forget(["e-shop-0", "e-shop-0", "nobody"]) == 1
    for _ in range(2):
        desk.restart()
        desk.save(record(durable=True))
        await desk.remembering.write()
        assert [one.key for one in await desk.experience.all()] == ["e-pay-0"]
    (left,) = [note for note in desk.notes.notes.values() if note.key == "e-shop-0"]
    assert left.fields.keys() == {"form", "cluster", "at"}


steps = st.lists(st.sampled_from(["verified", "durable", "reverted", "away", "back", "write", "restart"]), max_size=12)
ENDS = {
    "verified": ((None, ""), Learned.VERIFIED),
    "durable": ((True, ""), Learned.DURABLE),
    "reverted": ((False, "person"), Learned.REVERTED),
}


@given(steps)
@example(["durable", "write", "verified", "away", "write", "durable"])
@settings(max_examples=200)
def test_whatever_happens_in_between_the_last_that_was_known_is_remembered_once(told: list[str]) -> None:
    async def story() -> None:
        desk, last = Desk(), None
        for one in told:
            if one in ENDS:
                (durable, undone), last = ENDS[one]
                desk.save(record(durable=durable, undone=undone))
            elif one == "restart":
                desk.restart()
            elif one == "write":
                try:
                    await desk.remembering.write()
                except Unavailable:
                    assert desk.notes.away
            else:
                desk.notes.away = one == "away"
        desk.notes.away = False
        await desk.remembering.write()
        assert await desk.outcomes() == ([last] if last is not None else [])

    asyncio.run(story())
