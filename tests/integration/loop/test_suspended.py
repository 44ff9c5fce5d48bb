"""A suspended app is left alone, and still says how it is."""

from __future__ import annotations

from desired.policy import Policy
from reconcilers.requests import Verb
from tests.integration.loop.cluster import FAST, Cluster, job


def test_a_suspended_app_says_how_its_job_is() -> None:
    cluster = Cluster()
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=2)
    cluster.ask("web", Verb.SUSPEND)
    report = cluster.passes("web")
    assert report is not None
    assert report.message == "suspended; `resume` goes on; 1 of 1 allocations running"
    cluster.http("DELETE", "/v1/job/web")
    report = cluster.live("web", minutes=1)
    assert (report.reason, report.message) == ("Suspended", "suspended; `resume` goes on; its job is stopped")
    assert cluster.registers == 1


def test_what_was_suspended_from_the_start_has_no_job() -> None:
    cluster = Cluster()
    cluster.commit(job(), policy=Policy(suspend=True))
    assert cluster.live("web", minutes=1).message == "suspended by its manifest; there is no job"
