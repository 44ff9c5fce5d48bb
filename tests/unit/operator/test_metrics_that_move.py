"""Each metric moves when it is told of what it counts, and no other one does; and there are never many series."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from desired.app import AppKey
from desired.reasons import Reason
from nomad_operator.metrics import Metrics
from observers.failures.table import TABLE
from observers.nomad.client import NomadClient
from reconcilers.decision import Condition, Truth
from reconcilers.repair.episode import Outcome
from reconcilers.repair.proposal import Rung
from tests.integration.loop.cluster import FAST, Cluster, job

WEB = AppKey("default", "web")
TELLS: list[tuple[Callable[[Metrics], None], dict[str, float]]] = [
    (lambda m: m.apps({"Ready": 3}), {"apps{Ready}": 3}),
    (lambda m: m.app(WEB, ready="True", reason="Healthy"), {"app_info{web,default,True,Healthy}": 1}),
    (lambda m: m.reconciled("settled"), {"reconcile_total{settled}": 1}),
    (lambda m: m.reconciled("error", 2.0), {"reconcile_total{error}": 1, "reconcile_duration_seconds": 2}),
    (lambda m: m.queue_depth(7), {"queue_depth": 7}),
    (lambda m: m.waited(0.5), {"queue_wait_seconds": 0.5}),
    (lambda m: m.registered(3), {"commit_to_registered_seconds": 3}),
    (lambda m: m.healthy(70), {"commit_to_healthy_seconds": 70}),
    (lambda m: m.event_lag(0.2), {"event_lag_seconds": 0.2}),
    (lambda m: m.stream_up(True), {"event_stream_up": 1}),
    (lambda m: m.resynced(2), {"resync_nomad_requests": 2}),
    (lambda m: m.drifted("told"), {"drift_total{told}": 1}),
    (lambda m: m.leader(acting=True), {"leader": 1}),
    (lambda m: m.dependency_up("git", up=True), {"dependency_up{git}": 1}),
    (lambda m: m.source_problems(4), {"source_problems": 4}),
    (lambda m: m.episode_closed("oom_killed", "rule", "repaired"), {"episodes_total{oom_killed,rule,repaired}": 1}),
    (lambda m: m.attempt_ended("oom_killed", "rule", "failed"), {"repair_attempts_total{oom_killed,rule,failed}": 1}),
    (lambda m: m.repair_took("healthy", 9, "oom_killed", "rule"), {"repair_seconds{healthy,oom_killed,rule}": 9}),
    (lambda m: m.repair_lasted("", "oom_killed", "rule"), {"durable_fixes_total{oom_killed,rule}": 1}),
    (lambda m: m.repair_lasted("failure", "oom_killed", "rule"), {"fix_regressions_total{oom_killed,rule}": 1}),
    (lambda m: m.repair_lasted("person", "oom_killed", "rule"), {"human_reverted_total{oom_killed,rule}": 1}),
    (lambda m: m.guarded("privilege"), {"guard_rejections_total{privilege}": 1}),
    (lambda m: m.repairs_stopped(stopped=True), {"repairs_stopped": 1}),
    (lambda m: m.webhook("github", "accepted"), {"webhook_deliveries_total{github,accepted}": 1}),
    (lambda m: m.notified("slack", "sent", 3), {"notifications_total{slack,sent}": 3}),
    (lambda m: m.model_asked("repair", "answered", 4), {"model_questions_total{repair,answered}": 1,
                                                       "model_seconds{repair}": 4}),
    (lambda m: m.model_tokens("repair", 10, 2), {"model_tokens_total{repair,in}": 10,
                                                 "model_tokens_total{repair,out}": 2}),
    (lambda m: m.traces("langfuse", "lost", 2), {"traces_total{langfuse,lost}": 2}),
    (lambda m: m.prompt_went("repair", 3, "candidate", "healthy"),
     {"prompt_outcomes_total{repair,3,candidate,healthy}": 1}),
    (lambda m: m.nomad_request("GET jobs", "200"), {"nomad_requests_total{GET jobs,200}": 1}),
]  # fmt: skip


def values(metrics: Metrics) -> dict[str, float]:
    """Every number that is not zero; of a histogram its sum."""
    found = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            name = sample.name.removeprefix("nomad_operator_")
            if name == sample.name or name.endswith(("_bucket", "_count", "_created")) or family.type == "info":
                continue
            labels = f"{{{','.join(sample.labels.values())}}}" if sample.labels else ""
            if sample.value:
                found[f"{name.removesuffix('_sum')}{labels}"] = sample.value
    return found


@pytest.mark.parametrize(("tell", "moved"), TELLS)
def test_what_is_told_moves_its_metric_and_no_other(tell: Callable[[Metrics], None], moved: dict[str, float]) -> None:
    metrics = Metrics(version="1")
    assert values(metrics) == {}
    tell(metrics)
    assert values(metrics) == moved


def test_every_metric_is_in_the_table() -> None:
    told = {name.partition("{")[0] for _, moved in TELLS for name in moved}
    described = {one.name.removeprefix("nomad_operator_") for one in Metrics(version="1").described}
    # Metrics that others bring along have tests of their own.
    assert told <= described
    assert described - told <= {"info"}, "add a row to TELLS"


def filled(apps: int) -> Metrics:
    """A fleet in which everything that can happen has happened to somebody."""
    metrics = Metrics(version="1")
    classes = [failure.value for failure in TABLE]
    reasons, truths = [reason.value for reason in Reason], [truth.value for truth in Truth]
    for number in range(apps):
        key = AppKey(f"team-{number % 50}", f"app-{number}")
        # Twice, for the first series has to go when the second comes.
        metrics.app(key, ready=truths[number % 3], reason=reasons[number % len(reasons)])
        metrics.app(key, ready=truths[(number + 1) % 3], reason=reasons[(number + 1) % len(reasons)])
        failure, rung = classes[number % len(classes)], list(Rung)[number % len(Rung)].value
        metrics.failure_met(failure, [one.value for one in Rung], [one.value for one in Outcome])
        metrics.reconciled("settled", 0.1)
        metrics.episode_closed(failure, rung, list(Outcome)[number % len(Outcome)].value)
        metrics.attempt_ended(failure, rung, "verified")
        for stage in ("detect", "propose", "healthy"):
            metrics.repair_took(stage, 3, failure, rung)
        metrics.repair_lasted("", failure, rung)
    metrics.apps({condition.value: apps for condition in Condition})
    return metrics


def series(metrics: Metrics) -> dict[str, int]:
    return {
        family.name.removeprefix("nomad_operator_"): sum(not one.name.endswith("_created") for one in family.samples)
        for family in metrics.registry.collect()
        if family.name.startswith("nomad_operator")
    }


def test_ten_thousand_apps_have_one_series_each_and_the_rest_stays_as_it_was() -> None:
    few, many = filled(5_000), filled(10_000)
    before, after = series(few), series(many)
    assert (before.pop("app_info"), after.pop("app_info")) == (5_000, 10_000)
    # All that can happen has happened to the first half already.
    assert after == before
    assert sum(after.values()) < 40_000, "even where each class of failure has been met by each rung"
    started = time.perf_counter()
    body, _ = many.render("")
    assert time.perf_counter() - started < 10, "Prometheus gives up after ten seconds"
    # No name of an app stands anywhere else.
    lines = [line for line in body.decode().splitlines() if "app-77" in line]
    assert lines and all(line.startswith("nomad_operator_app_info{") for line in lines)


def test_no_name_of_a_job_or_id_is_ever_a_label_of_a_request() -> None:
    asked: set[str] = set()

    class Counting(Cluster):
        def _count(self, endpoint: str, method: str, status: int, seconds: float) -> None:
            asked.add(f"{method} {endpoint}")

    cluster = Counting()
    names = [f"unmistakable-{number}" for number in range(5)]
    cluster.commit(*(job(name=name, update=FAST) for name in names), job(name="crashing", command="crash", update=FAST))
    cluster.live(*names, "crashing", minutes=5)
    assert isinstance(cluster.client, NomadClient)
    assert len(asked) > 4
    assert not [one for one in asked if "unmistakable" in one or any(len(part) > 30 for part in one.split("/"))]
