"""A failure that a model was asked about once is repaired from memory the next time, for another app as well."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desired.errors import Unavailable
from desired.operations.operation import Kind
from desired.policy import Policy, Repair
from prompts.memory.hashing import Hashing
from prompts.memory.mem0_notes import Mem0Notes
from prompts.memory.place import Folder
from prompts.model.question import Question
from reconcilers.decision import Truth
from reconcilers.repair.episode import Outcome
from reconcilers.repair.experience import Experience, Notes
from reconcilers.repair.guard import Guard
from reconcilers.repair.ladder import AskedRung
from reconcilers.repair.learned import Where
from reconcilers.repair.memory_rung import MemoryRung
from reconcilers.repair.proposal import Answer, Case, Rung
from reconcilers.repair.remembered import Learned
from reconcilers.repair.remembering import Remembering
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.rule import Edit, fix
from reconcilers.requests import Verb
from tests.doubles.notes_in_memory import InMemory
from tests.doubles.scripted_model import ScriptedModel
from tests.integration.loop.cluster import FAST, Cluster, job, key, run

WORLD = """
nodes: [{name: node-1}, {name: node-2}]
behaviours:
  - {command: "hungry", needs_memory: 200}
  - {command: "ravenous", needs_memory: 5000}
"""


class AskedModel:
    """A rung that asks a model how much memory it takes: as much as this test needs of one."""

    def __init__(self, model: ScriptedModel) -> None:
        self._model = model

    async def propose(self, case: Case) -> Answer:
        reply = await self._model.ask(Question((), "repair", {"type": "object"}))
        found = job_parts.task_of(case)
        assert found is not None
        at = job_parts.address(*found)
        made = fix(case, "the model says so", [Edit(Kind.MEMORY, at, reply.value["memory"], "the model")])
        return replace(made, rung=Rung.MODEL, source="model") if made is not None else None


class Fleet:
    """A cluster whose rules know nothing: memory, then the model. `answers` are the amounts that the model says."""

    def __init__(self, notes: Notes, *answers: int, cluster: str = "one") -> None:
        self.model = ScriptedModel({"repair": [{"memory": one} for one in answers]})
        self.notes = notes

        async def where() -> Where:
            return Where(cluster, "0.1.0", "2.0.5")

        self.experience = Experience(notes=notes, where=where)
        self.cluster = Cluster(world=WORLD, rungs=self._rungs)
        self.remembering = Remembering(memory=self.experience, records=self.cluster.records, sleep=asyncio.sleep)
        self.cluster.listeners = (lambda before, after: self.remembering.saved(before, after),)
        self.cluster.restart()

    def _rungs(self, guard: Guard) -> Sequence[tuple[str, AskedRung]]:
        return [("memory", MemoryRung(memory=self.experience, guard=guard)), ("model", AskedModel(self.model))]

    def live(self, *names: str, minutes: float = 8) -> Any:
        for _ in range(4):
            report = self.cluster.live(*names, minutes=minutes / 4)
            if not getattr(self.notes, "away", False):
                run(self.remembering.write())
        return report

    @property
    def outcomes(self) -> list[Learned]:
        return sorted(one.outcome for one in run(self.experience.all()))

    def rungs(self, name: str) -> list[Rung]:
        last = self.cluster.records.get(key(name)).last_episode
        assert last is not None
        return [one.rung for one in last.tries]


@pytest.fixture
def notes() -> InMemory:
    return InMemory()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Notes]:
    if importlib.util.find_spec("mem0") is None:
        pytest.skip("the extra memory is not installed")
    store = Mem0Notes(place=Folder(tmp_path / "q"), home=tmp_path / "m", embedding=Hashing(), clock=lambda: 0.0)
    yield store
    run(store.aclose())


def a_second_incident(fleet: Fleet) -> None:
    fleet.cluster.commit(job("first", command="hungry", memory=128, update=FAST))
    assert fleet.live("first").ready is Truth.TRUE
    assert len(fleet.model.asked) == 1
    fleet.cluster.commit(
        job("first", command="hungry", memory=128, update=FAST),
        job("second", command="hungry", memory=150, update=FAST),
    )
    assert fleet.live("first", "second").ready is Truth.TRUE
    assert len(fleet.model.asked) == 1
    assert fleet.rungs("second") == [Rung.MEMORY]
    body = fleet.cluster.running("second").job
    assert body is not None
    assert body.body["TaskGroups"][0]["Tasks"][0]["Resources"]["MemoryMB"] == 300


def test_the_second_incident_of_a_kind_costs_no_question_to_the_model(notes: InMemory) -> None:
    a_second_incident(Fleet(notes, 256))


def test_the_same_with_mem0_over_qdrant_in_a_folder(folder: Notes) -> None:
    a_second_incident(Fleet(folder, 256))


def test_what_held_counts_as_that(notes: InMemory) -> None:
    fleet = Fleet(notes, 256)
    fleet.cluster.commit(job("first", command="hungry", memory=128, update=FAST))
    fleet.live("first")
    assert fleet.outcomes == [Learned.VERIFIED]
    fleet.live("first", minutes=40)
    assert fleet.outcomes == [Learned.DURABLE]


def test_steps_that_led_on_to_a_repair_did_not_fail(notes: InMemory) -> None:
    """Seen on a real Nomad: the first step was written as failed while the second was being verified, and stayed."""
    fleet = Fleet(notes, 120, 240)
    fleet.cluster.commit(job("first", command="hungry", memory=60, update=FAST))
    for _ in range(20):
        fleet.live("first", minutes=0.4)
    assert fleet.rungs("first") == [Rung.MODEL, Rung.MODEL]
    assert fleet.outcomes == [Learned.VERIFIED]


def test_what_failed_is_not_tried_again_for_the_next_app(notes: InMemory) -> None:
    fleet = Fleet(notes, 256, 510, 1000)
    fleet.cluster.commit(job("first", command="ravenous", memory=128, update=FAST))
    fleet.live("first", minutes=20)
    assert Learned.FAILED in fleet.outcomes and Learned.VERIFIED not in fleet.outcomes
    asked = len(fleet.model.asked)
    fleet.cluster.commit(job("second", command="ravenous", memory=128, update=FAST))
    fleet.live("second", minutes=20)
    assert Rung.MEMORY not in fleet.rungs("second")
    assert len(fleet.model.asked) > asked


def test_what_a_person_took_back_is_not_done_to_the_next_app(notes: InMemory) -> None:
    fleet = Fleet(notes, 256)
    first = job("first", command="hungry", memory=128, update=FAST)
    fleet.cluster.commit(first)
    fleet.live("first")
    fleet.cluster.ask("first", Verb.REVERT)
    fleet.live("first", minutes=2)
    assert fleet.outcomes == [Learned.REVERTED]
    fleet.cluster.commit(first, job("second", command="hungry", memory=128, update=FAST))
    fleet.live("second")
    assert fleet.rungs("second")[0] is Rung.MODEL


def test_another_clusters_memories_are_not_used(notes: InMemory) -> None:
    fleet = Fleet(notes, 256)
    fleet.cluster.commit(job("first", command="hungry", memory=128, update=FAST))
    fleet.live("first")
    elsewhere = Fleet(notes, 256, cluster="two")
    elsewhere.cluster.commit(job("second", command="hungry", memory=128, update=FAST))
    elsewhere.live("second")
    assert elsewhere.rungs("second") == [Rung.MODEL]
    assert len(elsewhere.outcomes) == len(fleet.outcomes) == 1


def test_a_memory_that_is_away_stops_nothing_and_misses_nothing(notes: InMemory) -> None:
    fleet = Fleet(notes, 256)
    notes.away = True
    fleet.cluster.commit(job("first", command="hungry", memory=128, update=FAST))
    assert fleet.live("first").ready is Truth.TRUE
    assert fleet.rungs("first") == [Rung.MODEL]
    with pytest.raises(Unavailable):
        run(fleet.remembering.write())
    notes.away = False
    run(fleet.remembering.write())
    assert fleet.outcomes == [Learned.VERIFIED]


def test_a_new_process_remembers_what_the_last_one_had_not_written_and_nothing_twice(notes: InMemory) -> None:
    fleet = Fleet(notes, 256)
    notes.away = True
    fleet.cluster.commit(job("first", command="hungry", memory=128, update=FAST))
    fleet.live("first")
    notes.away = False
    for _ in range(2):
        fleet.cluster.restart()
        fleet.remembering = Remembering(memory=fleet.experience, records=fleet.cluster.records, sleep=asyncio.sleep)
        fleet.remembering.look()
        run(fleet.remembering.write())
        assert fleet.outcomes == [Learned.VERIFIED]
        assert notes.writes == 1


def test_what_the_guard_forbids_here_is_told_and_the_model_is_asked(notes: InMemory) -> None:
    """What helped an app without a limit does not help one whose manifest allows no more."""
    fleet = Fleet(notes, 256, 200)
    fleet.cluster.commit(job("first", command="hungry", memory=128, update=FAST))
    fleet.live("first")
    limited = Policy(repair=Repair(limits=(("memory", 210),)))
    fleet.cluster.commit(job("second", command="hungry", memory=128, update=FAST), policy=limited)
    fleet.live("second")
    last = fleet.cluster.records.get(key("second")).last_episode
    assert last is not None
    assert [one.rung for one in last.tries][:2] == [Rung.MEMORY, Rung.MODEL]
    assert last.tries[0].violations == ("bounds",)
    assert last.outcome is Outcome.REPAIRED
