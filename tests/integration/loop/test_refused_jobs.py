"""A job that Nomad refuses was never registered: it says so, what to do, and when it is planned again."""

from __future__ import annotations

from datetime import timedelta

from desired.app import AppKey
from desired.policy import Policy, Repair, RepairMode
from reconcilers.decision import Step
from tests.integration.loop.cluster import FAST, Cluster, job, run

OFF = Policy(repair=Repair(mode=RepairMode.OFF))


def test_a_job_that_was_never_registered_is_not_called_held() -> None:
    cluster = Cluster()
    cluster.commit(job(group="count = -1").replace("count = 1\n", ""))
    report = cluster.live("web", minutes=1)
    assert (report.step, report.reason) == (Step.LEFT_FAILED, "ValidationFailed")
    assert "not registered" in report.message and "correct the job" in report.message, report.message
    assert "left as written" not in report.message and "what runs" not in report.message
    assert cluster.registers == 0


def test_what_ran_before_a_refused_change_goes_on_and_that_is_said() -> None:
    cluster = Cluster()
    cluster.commit(job(update=FAST), policy=OFF)
    cluster.passes("web")
    cluster.commit(job(group="count = -1").replace("count = 1\n", ""), policy=OFF)
    report = cluster.live("web", minutes=1)
    assert report.reason == "ValidationFailed"
    assert "not registered, what runs goes on: correct the job" in report.message, report.message
    assert cluster.registers == 1


def test_a_namespace_that_is_missing_says_who_can_mend_it_and_is_planned_again_when_it_says() -> None:
    cluster = Cluster()
    text = job().replace('job "web" {', 'job "web" {\n  namespace = "team"')
    cluster.commit(text)
    key = AppKey("team", "web")
    for _ in range(6):
        run(cluster.reconciler.reconcile(key))
    report = cluster.reports.get(key)
    assert report is not None
    assert "create it" in report.message and "planned again at 00:05:00 UTC" in report.message, report.message
    cluster.http("POST", "/v1/namespace/team", {"Name": "team"})
    cluster.let(timedelta(minutes=5, seconds=1))
    for _ in range(3):
        run(cluster.reconciler.reconcile(key))
    assert cluster.registers == 1
