"""Each number about repairs moves when what its help text says has happened, and at no other time."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from desired.policy import Policy, Repair, RepairMode
from nomad_operator.metrics import Metrics
from nomad_operator.repairs_told import RepairsTold
from reconcilers.requests import Verb
from tests.integration.loop.cluster import FAST, Cluster, job
from tests.integration.loop.test_repairs import PROPOSE, WORLD

NAMES = ("episodes", "repair_attempts", "durable_fixes", "fix_regressions", "human_reverted", "guard_rejections")


def counted(tell: Callable[[Cluster], None]) -> dict[str, float]:
    """All counters of repairs that are not zero after the story."""
    cluster = Cluster(world=WORLD)
    metrics = Metrics(version="1")
    cluster.records.listen(RepairsTold(metrics=metrics, log=structlog.get_logger()).saved)
    tell(cluster)
    return {
        f"{sample.name.removeprefix('nomad_operator_')}{tuple(sample.labels.values()) or ''}": sample.value
        for family in metrics.registry.collect()
        if family.name.removeprefix("nomad_operator_") in NAMES
        for sample in family.samples
        if sample.name.endswith("_total") and sample.value
    }


def test_a_repair_that_holds() -> None:
    def story(cluster: Cluster) -> None:
        cluster.commit(job(command="hungry", memory=64, update=FAST))
        cluster.live("web", minutes=45)

    assert counted(story) == {
        "episodes_total('oom_killed', 'rule', 'repaired')": 1,
        "repair_attempts_total('oom_killed', 'rule', 'failed')": 1,
        "repair_attempts_total('oom_killed', 'rule', 'verified')": 1,
        "durable_fixes_total('oom_killed', 'rule')": 1,
    }


def test_a_repair_that_a_commit_contradicts_within_half_an_hour() -> None:
    def story(cluster: Cluster) -> None:
        cluster.commit(job(command="hungry", memory=128, update=FAST))
        cluster.live("web", minutes=8)
        cluster.commit(job(command="hungry", memory=300, update=FAST))
        cluster.live("web", minutes=45)

    assert counted(story) == {
        "episodes_total('oom_killed', 'rule', 'repaired')": 1,
        "repair_attempts_total('oom_killed', 'rule', 'verified')": 1,
        "human_reverted_total('oom_killed', 'rule')": 1,
    }


def test_a_repair_that_is_taken_back() -> None:
    def story(cluster: Cluster) -> None:
        cluster.commit(job(command="hungry", memory=128, update=FAST))
        cluster.live("web", minutes=8)
        cluster.ask("web", Verb.REVERT)
        cluster.live("web", minutes=45)

    assert counted(story) == {
        "episodes_total('oom_killed', 'rule', 'repaired')": 1,
        "repair_attempts_total('oom_killed', 'rule', 'verified')": 1,
        "human_reverted_total('oom_killed', 'rule')": 1,
    }


def test_what_no_attempt_helps() -> None:
    def story(cluster: Cluster) -> None:
        cluster.commit(job(command="ravenous", memory=64, update=FAST))
        cluster.live("web", minutes=60)

    assert counted(story) == {
        "episodes_total('oom_killed', 'rule', 'exhausted')": 1,
        "repair_attempts_total('oom_killed', 'rule', 'failed')": 3,
    }


def test_a_repair_that_is_turned_down() -> None:
    def story(cluster: Cluster) -> None:
        cluster.commit(job(command="hungry", memory=128, update=FAST), policy=PROPOSE)
        cluster.live("web", minutes=5)
        cluster.ask("web", Verb.REJECT)
        cluster.live("web", minutes=60)

    assert counted(story) == {"episodes_total('oom_killed', 'none', 'rejected')": 1}


def test_an_app_that_is_well_and_one_that_is_not_to_be_repaired_count_nothing() -> None:
    def story(cluster: Cluster) -> None:
        cluster.commit(job(name="well", update=FAST))
        cluster.live("well", minutes=45)
        off = Policy(repair=Repair(mode=RepairMode.OFF))
        cluster.commit(job(name="well", update=FAST), job(command="hungry", memory=64, update=FAST), policy=off)
        cluster.live("web", minutes=45)

    assert counted(story) == {}


def test_the_first_repair_of_a_class_can_be_seen_to_grow() -> None:
    """Prometheus takes what a series is worth when it appears as its beginning: it has to appear as 0."""
    cluster, metrics = Cluster(world=WORLD), Metrics(version="1")
    cluster.records.listen(RepairsTold(metrics=metrics, log=structlog.get_logger()).saved)
    repaired = {"class": "oom_killed", "rung": "rule", "outcome": "repaired"}
    seen: list[float | None] = []
    cluster.commit(job(command="hungry", memory=128, update=FAST))
    for _ in range(60):
        cluster.live("web", minutes=0.2)
        seen.append(metrics.registry.get_sample_value("nomad_operator_episodes_total", repaired))
    assert 0.0 in seen and seen[-1] == 1.0
