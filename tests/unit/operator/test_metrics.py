"""The metrics people alert on: their names, their labels, and that they stay bounded."""

from __future__ import annotations

from desired.app import AppKey
from nomad_operator.metrics import Metrics

PROMISED = {
    "nomad_operator_apps", "nomad_operator_app_info", "nomad_operator_reconcile_total",
    "nomad_operator_reconcile_duration_seconds", "nomad_operator_queue_depth", "nomad_operator_queue_wait_seconds",
    "nomad_operator_commit_to_registered_seconds", "nomad_operator_commit_to_healthy_seconds",
    "nomad_operator_event_lag_seconds", "nomad_operator_event_stream_up", "nomad_operator_resync_nomad_requests",
    "nomad_operator_drift_total", "nomad_operator_leader", "nomad_operator_dependency_up",
    "nomad_operator_nomad_requests_total",
}  # fmt: skip
WEB = AppKey("default", "web")


def _text(metrics: Metrics) -> str:
    return metrics.render("")[0].decode()


def _value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"nomad_operator_{name}", labels)


def test_every_promised_name_is_there_from_the_start() -> None:
    names = {line.split()[2] for line in _text(Metrics(version="1")).splitlines() if line.startswith("# TYPE")}
    assert names >= PROMISED


def test_two_operators_in_one_process_do_not_share_anything() -> None:
    one, other = Metrics(version="1"), Metrics(version="2")
    one.queue_depth(7)
    assert (_value(one, "queue_depth"), _value(other, "queue_depth")) == (7, 0)


def test_an_app_has_one_series_that_follows_its_state() -> None:
    metrics = Metrics(version="1")
    for ready, reason in (("Unknown", "Pending"), ("False", "NoProgress"), ("True", "Healthy")):
        metrics.app(WEB, ready=ready, reason=reason)
    series = [line for line in _text(metrics).splitlines() if line.startswith("nomad_operator_app_info{")]
    assert series == ['nomad_operator_app_info{app="web",namespace="default",ready="True",reason="Healthy"} 1.0']
    metrics.app_gone(WEB)
    metrics.app_gone(WEB)
    assert "nomad_operator_app_info{" not in _text(metrics)


def test_app_names_stand_in_the_info_series_alone() -> None:
    metrics = Metrics(version="1")
    metrics.app(AppKey("ns", "unmistakable"), ready="True", reason="Healthy")
    metrics.apps({"Ready": 1})
    metrics.reconciled("settled", 0.1)
    assert _text(metrics).count("unmistakable") == 1


def test_a_condition_that_nobody_has_any_more_falls_to_zero() -> None:
    metrics = Metrics(version="1")
    metrics.apps({"Ready": 3, "Drifted": 1})
    metrics.apps({"Ready": 4})
    assert _value(metrics, "apps", condition="Ready") == 4
    assert _value(metrics, "apps", condition="Drifted") == 0


def test_what_happens_is_counted() -> None:
    metrics = Metrics(version="1")
    metrics.reconciled("changed", 0.5)
    metrics.reconciled("resync_refused")
    metrics.waited(-1)
    metrics.registered(2)
    metrics.healthy(70)
    metrics.event_lag(-0.5)
    metrics.stream_up(True)
    metrics.resynced(2)
    metrics.drifted("corrected")
    metrics.leader(acting=True)
    metrics.dependency_up("git", up=False)
    metrics.nomad_request("job/plan", "200")
    assert _value(metrics, "reconcile_total", result="changed") == 1
    assert _value(metrics, "reconcile_duration_seconds_count") == 1
    assert _value(metrics, "queue_wait_seconds_sum") == 0
    assert _value(metrics, "commit_to_registered_seconds_sum") == 2
    assert _value(metrics, "commit_to_healthy_seconds_sum") == 70
    assert _value(metrics, "event_lag_seconds_sum") == 0
    assert _value(metrics, "event_stream_up") == 1
    assert _value(metrics, "resync_nomad_requests") == 2
    assert _value(metrics, "drift_total", action="corrected") == 1
    assert _value(metrics, "leader") == 1
    assert _value(metrics, "dependency_up", service="git") == 0
    assert _value(metrics, "nomad_requests_total", endpoint="job/plan", result="200") == 1
