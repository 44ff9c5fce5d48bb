"""Apps that leave things to their code, through real passes in virtual time.

What runs is never taken away: not by a question, not by code that is being read, not by code that cannot be read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

import pytest

from desired.app import AppKey
from desired.catalog import Catalog
from desired.code_place import CodeWish
from desired.errors import OperatorError, StillReading, Unavailable
from desired.facts.analyze import analyze
from desired.facts.tree_codebase import TreeCodebase
from desired.file_tree import FileEntry, FileTree
from desired.job.hcl_read import LocalParser
from desired.policy import Policy
from desired.problem import Problem
from desired.source_code import Code
from desired.state import DesiredApp
from nomad_operator.status import app, questions
from reconcilers.generate.lived import Said
from reconcilers.generate.remembering_apps import RememberingApps
from reconcilers.record import Record
from reconcilers.repair.experience import Experience
from reconcilers.repair.learned import Where
from tests.doubles.notes_in_memory import InMemory
from tests.integration.loop.cluster import Cluster, key, run

CODE = {"Dockerfile": "FROM python:3.12\nEXPOSE 8000\n"}
ASKS = {**CODE, "app.py": "import os\nos.environ['GREETING']\n"}
MANIFEST = "source: {path: .}, image: 'app:1', job: {update: {min_healthy_time: 1s}}"


class World:
    """What people commit: one manifest, and the code beside it."""

    def __init__(self, *listeners: Callable[[Record, Record], None]) -> None:
        self.cluster = Cluster(listeners=listeners)
        self.text = ""
        self.code = Code("")
        self.revisions = 0
        self.new_catalog()

    def new_catalog(self) -> None:
        self.catalog = Catalog(parser=LocalParser(), defaults=Policy(), codes=self)

    def commit(self, *, spec: str = MANIFEST, code: Mapping[str, str] | Code = CODE) -> None:
        self.text = f"apiVersion: nomad-operator/v1\nkind: App\nmetadata: {{name: web}}\nspec: {{{spec}}}\n"
        if not isinstance(code, Code):
            held = TreeCodebase(name="web", contents={path: text.encode() for path, text in code.items()})
            code = Code(repr(code), analysis=analyze(held))
        self.code = code
        self.revisions += 1
        tree = FileTree(f"r{self.revisions}", {"web.yaml": FileEntry("web.yaml", self._blob, len(self.text))})
        self.cluster.state = run(self.catalog.read(tree, self, {}))

    @property
    def _blob(self) -> str:
        return hashlib.sha1(self.text.encode()).hexdigest()

    async def tree(self, revision: str) -> FileTree:
        raise AssertionError("the catalog is given its tree")

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]:
        return {self._blob: self.text.encode()}

    async def found(self, wishes: Collection[CodeWish], revision: str) -> Mapping[CodeWish, Code]:
        return dict.fromkeys(wishes, self.code)

    def status(self) -> dict[str, Any]:
        state, report = self.cluster.state, self.cluster.reports.get(key("web"))
        assert report is not None and state is not None
        asked = questions(state).get(key("web"), ())
        return app(report, self.cluster.records.get(key("web")), asked, desired=state.apps.get(key("web")))

    def runs(self) -> bool:
        job = self.cluster.running("web").job
        return job is not None and not job.stop


@pytest.fixture
def world() -> World:
    world = World()
    world.commit()
    world.cluster.live("web", minutes=5)
    assert world.status()["ready"] == "True" and world.cluster.registers == 1
    return world


def test_a_question_that_comes_up_leaves_everything_alone_for_hours(world: World) -> None:
    world.commit(code=ASKS)
    world.cluster.live("web", minutes=180)
    shown = world.status()
    assert (shown["ready"], shown["reason"]) == ("False", "QuestionsOpen")
    assert [one["id"] for one in shown["questions"]] == ["env.GREETING"] and shown["values"] == []
    assert shown["message"].endswith("the last good version stays in force until it is answered")
    assert world.runs() and world.cluster.registers == 1


def test_what_runs_is_put_back_while_a_question_is_open(world: World) -> None:
    """It is held to the last good version, not forgotten."""
    world.commit(code=ASKS)
    world.cluster.live("web", minutes=5)
    run(world.cluster.client.stop(key("web")))
    world.cluster.live("web", minutes=5)
    assert world.runs() and world.status()["reason"] == "QuestionsOpen"


def test_the_answer_is_registered_once(world: World) -> None:
    world.commit(code=ASKS)
    world.cluster.live("web", minutes=5)
    world.commit(code=ASKS, spec=f"{MANIFEST}, env: {{GREETING: {{fixed: hello}}}}")
    world.cluster.live("web", minutes=5)
    assert world.status()["ready"] == "True" and world.status()["questions"] == []
    assert world.cluster.registers == 2


@pytest.mark.parametrize(
    "code",
    [CODE, {**CODE, "README.md": "words"}, {**CODE, "Makefile": "all:\n\techo\n"}],
    ids=["the same", "a page beside it", "what says nothing of the job"],
)
def test_code_that_comes_to_the_same_job_writes_nothing(world: World, code: Mapping[str, str]) -> None:
    world.commit(code=code)
    world.cluster.live("web", minutes=30)
    assert world.cluster.registers == 1 and world.status()["ready"] == "True"


def test_code_that_is_being_read_changes_nothing(world: World) -> None:
    world.commit(code=Code("new", pending=True))
    world.cluster.live("web", minutes=30)
    assert world.status()["ready"] == "True" and world.cluster.registers == 1


def test_after_a_restart_in_the_middle_of_a_verification_nothing_is_taken_back_while_code_is_read(world: World) -> None:
    world.commit(code={"Dockerfile": "FROM python:3.12\nEXPOSE 9000\n"})
    world.cluster.passes("web")
    assert world.cluster.registers == 2
    world.cluster.restart()
    world.new_catalog()
    world.commit(code=Code("new", pending=True))
    for _ in range(3):
        with pytest.raises(StillReading, match="is being read"):
            world.cluster.passes("web")
    assert world.cluster.registers == 2
    world.commit(code={"Dockerfile": "FROM python:3.12\nEXPOSE 9000\n"})
    world.cluster.live("web", minutes=5)
    assert world.status()["ready"] == "True" and world.cluster.registers == 2


@pytest.mark.parametrize("transient", [True, False])
def test_code_that_cannot_be_read_leaves_what_runs(world: World, transient: bool) -> None:
    problem = Problem("web", message="analysing web did not end within 60 s")
    world.commit(code=Code("x", problem=problem, transient=transient))
    world.cluster.live("web", minutes=60)
    shown = world.status()
    assert (shown["ready"], shown["reason"]) == ("False", "DesiredUnreadable" if transient else "DesiredInvalid")
    assert "did not end within" in shown["message"] and world.runs() and world.cluster.registers == 1


def test_a_repository_that_is_away_is_told_of_its_own_apps_and_ready_stands(world: World) -> None:
    problem: OperatorError = Unavailable("it is away", hint="wait")
    world.cluster.reports.code_read({key("web"): problem})
    told = {one["type"]: (one["reason"], one["message"]) for one in world.status()["conditions"]}
    assert told["Ready"][0] == "Healthy"
    assert told["ObserveFailed"] == (
        "SourceUnavailable", "the last good revision of its source stays in force: it is away (wait)"
    )  # fmt: skip
    world.cluster.reports.code_read({})
    assert [one["type"] for one in world.status()["conditions"]] == ["Ready"]


def test_an_app_of_code_that_stays_healthy_is_remembered_once_for_each_version() -> None:
    notes, slept = InMemory(), list[float]()

    async def where() -> Where:
        return Where("one", "0.1.0")

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    def desired(of: AppKey) -> DesiredApp | None:
        assert world.cluster.state is not None
        return world.cluster.state.apps.get(of)

    experience = Experience(notes=notes, where=where)
    remembering = RememberingApps(memory=experience, desired=desired, sleep=sleep)
    world = World(remembering.saved)
    world.commit(code=ASKS, spec=f"{MANIFEST}, env: {{GREETING: {{fixed: hello web}}}}")
    world.cluster.live("web", minutes=0)
    run(remembering.write())
    assert notes.notes == {}, "it has not stayed healthy yet"
    world.cluster.live("web", minutes=5)
    notes.away = True
    with pytest.raises(Unavailable):
        run(remembering.write())
    notes.away = False
    run(remembering.write())
    (found,) = run(experience.apps())
    assert found.app == "default/web" and {"language python", "reads GREETING"} <= found.about
    assert found.said["env.GREETING"] == Said("fixed: hello {app}", "person")
    assert found.said["ports.http"].by.startswith("dockerfile") and "image" not in found.said
    world.cluster.live("web", minutes=5)
    run(remembering.write())
    assert notes.writes == 1
