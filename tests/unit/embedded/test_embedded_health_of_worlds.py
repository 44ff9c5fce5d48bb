"""Which `health` entry of a world file a check hears: the last that matches, in the shipped and documented worlds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nomad_operator.embedded.world import World, load_world, read_world
from tests.unit.embedded.embedded_cluster import SECOND, Cluster, job


def documented() -> World:
    page = (Path(__file__).parents[3] / "docs" / "embedded-nomad.md").read_text(encoding="utf-8")
    return read_world(page.partition("```yaml\n")[2].partition("```")[0], "docs/embedded-nomad.md")


def heard(health: Any, path: str, *, after: float) -> int:
    """The status that a check of the path tells, so long after the start."""
    cluster = Cluster(behaviours=[{"health": health}])
    checked = job()
    checked["TaskGroups"][0]["Services"][0]["Checks"][0]["Path"] = path
    checked["TaskGroups"][0]["Update"] = {"HealthyDeadline": 60 * SECOND, "ProgressDeadline": 90 * SECOND}
    cluster.register(checked)
    cluster.run(after)
    [allocation] = cluster.allocations()
    [result] = cluster.get(f"/v1/client/allocation/{allocation['ID']}/checks").values()
    return int(result["StatusCode"])


@pytest.mark.parametrize(
    ("path", "after", "status"), [("/healthz", 3, 404), ("/healthz", 9, 200), ("/", 3, 404), ("/", 9, 404)]
)
def test_the_documented_world_answers_as_it_reads(path: str, after: float, status: int) -> None:
    assert heard(documented().behaviours[0].health, path, after=after) == status


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/", 404)])
def test_the_slow_app_of_the_default_world_is_healthy_at_its_own_path_alone(path: str, status: int) -> None:
    [slow] = [one for one in load_world().behaviours if one.image == "example/slow:*"]
    assert heard(slow.health, path, after=3) == status


@pytest.mark.parametrize(("after", "status"), [(3, 200), (9, 503)])
def test_a_later_entry_changes_the_answer_after_a_while(after: float, status: int) -> None:
    health = [{"status": 200}, {"status": 503, "after": "5s", "body": "no\n"}]
    assert heard(health, "/", after=after) == status
