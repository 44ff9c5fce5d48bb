"""A manifest that leaves something open asks, in its app's status, and is not called wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desired.catalog import Catalog
from desired.job.hcl_read import LocalParser
from desired.policy import Policy
from desired.work_tree import WorkTree
from nomad_operator.commands.app_detail import detail
from nomad_operator.commands.table import Style
from nomad_operator.status import app, questions
from tests.integration.loop.cluster import FAST, Cluster, job, key, run


class Files:
    """Files that people write, read as the operator reads them."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self._folder, self._cluster = folder, cluster

    def commit(self, **specs: str) -> None:
        for name, spec in specs.items():
            text = f"apiVersion: nomad-operator/v1\nkind: App\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"
            (self._folder / f"{name}.yaml").write_text(text)
        self._cluster.state = run(self._read())

    async def _read(self) -> Any:
        tree = WorkTree(folder=self._folder)
        catalog = Catalog(parser=LocalParser(), defaults=Policy())
        return await catalog.read(await tree.tree("r"), tree, {})

    def status(self, name: str = "web") -> dict[str, Any]:
        report = self._cluster.reports.get(key(name))
        assert report is not None
        return app(report, self._cluster.records.get(key(name)), questions(self._cluster.state).get(key(name), ()))


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def files(tmp_path: Path, cluster: Cluster) -> Files:
    return Files(tmp_path, cluster)


def conditions(shown: dict[str, Any]) -> dict[str, str]:
    return {one["type"]: one["reason"] for one in shown["conditions"]}


def test_an_app_with_only_a_source_asks_for_its_image(files: Files, cluster: Cluster) -> None:
    files.commit(web="source: {path: .}")
    cluster.passes("web")
    shown = files.status()
    assert (shown["ready"], shown["reason"]) == ("False", "QuestionsOpen")
    told = conditions(shown)
    assert told["QuestionsOpen"] == "QuestionsOpen" and "DesiredInvalid" not in told
    [question] = shown["questions"]
    assert "image" in question["question"]
    assert question == {"id": "image", "question": question["question"], "choices": [], "default": ""}
    assert "web.yaml" in shown["message"] and "build and push it" in shown["message"]
    lines = detail(shown, cluster.now, Style(color=False, width=None))
    assert any(line.startswith("  spec.image: Which image runs?") for line in lines)
    assert cluster.registers == 0


def test_the_answer_ends_it(files: Files, cluster: Cluster) -> None:
    files.commit(web="source: {path: .}")
    cluster.passes("web")
    files.commit(web="source: {path: .}, image: 'app:1', command: serve")
    cluster.live("web", minutes=3)
    shown = files.status()
    assert (shown["ready"], shown["questions"]) == ("True", [])
    assert conditions(shown) == {"Ready": "Healthy"}


def test_what_ran_before_the_question_runs_on(files: Files, cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=3)
    files.commit(web="dockerfile: Dockerfile")
    cluster.live("web", minutes=30)
    shown = files.status()
    assert (shown["ready"], shown["reason"]) == ("False", "QuestionsOpen")
    job_now = cluster.running("web").job
    assert job_now is not None and not job_now.stop
    assert cluster.registers == 1


@pytest.mark.parametrize(
    ("spec", "asked"),
    [("source: {path: .}, cuont: 2", 1), ("count: 2", 0), ("source: {path: .}, image: 3", 0)],
    ids=["a mistake beside it", "nothing to build from", "an image that is none"],
)
def test_a_mistake_is_no_question(files: Files, cluster: Cluster, spec: str, asked: int) -> None:
    files.commit(web=spec)
    cluster.passes("web")
    shown = files.status()
    assert (shown["reason"], len(shown["questions"])) == ("DesiredInvalid", asked)
    assert "QuestionsOpen" not in conditions(shown)
