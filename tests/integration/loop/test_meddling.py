"""Somebody else writes to a job while it is verified, or after it was given up: who wins, and what is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from desired.app import AppKey
from reconcilers.decision import Truth
from reconcilers.reports import AppReport
from reconcilers.requests import Verb
from tests.integration.loop.cluster import FAST, Cluster, job

SLOW = FAST.replace('"1s"', '"15s"')


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def begin(cluster: Cluster, *, seconds: int) -> None:
    """So far into the verification of what was committed."""
    cluster.passes("web")
    cluster.let(timedelta(seconds=seconds))


def test_an_edit_during_the_first_verification_is_put_back_and_no_failure_is_noted(cluster: Cluster) -> None:
    cluster.commit(job(update=SLOW))
    begin(cluster, seconds=7)
    cluster.register_by_hand(job(update=SLOW, value="by hand"))
    report = cluster.live("web", minutes=4)
    assert (report.ready, cluster.env("web")) == (Truth.TRUE, {"VALUE": "one"})
    assert cluster.records.get(AppKey("default", "web")).failed == ()


def test_a_revert_by_hand_during_a_later_verification_is_no_failure(cluster: Cluster) -> None:
    cluster.commit(job(update=SLOW))
    cluster.live("web", minutes=3)
    cluster.commit(job(update=SLOW, value="two"))
    begin(cluster, seconds=7)
    cluster.http("POST", "/v1/job/web/revert", {"JobID": "web", "JobVersion": 0})
    report = cluster.live("web", minutes=4)
    assert (report.ready, cluster.env("web")) == (Truth.TRUE, {"VALUE": "two"})
    assert cluster.records.get(AppKey("default", "web")).failed == ()


def test_a_revert_by_nomad_before_a_version_was_good_is_a_failure(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    begin(cluster, seconds=10)
    cluster.commit(job(update=FAST, value="two", command="crash"))
    cluster.live("web", minutes=10)
    assert cluster.registers == 2
    assert len(cluster.records.get(AppKey("default", "web")).failed) == 1


def withdrawn(cluster: Cluster) -> AppReport:
    """No file asks for it any more, and an hour passes."""
    cluster.commit()
    return cluster.live("web", minutes=60)


def stops(cluster: Cluster) -> bool:
    found = cluster.running("web").job
    return found is None or found.stop


def test_a_withdrawn_job_that_another_operator_holds_to_its_own_spec_is_not_stopped(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=3)
    other = Cluster()
    other.nomad, other.now = cluster.nomad, cluster.now
    other.restart()
    other.commit(job(update=FAST, value="theirs"))
    other.ask("web", Verb.ADOPT)
    other.live("web", minutes=3)
    cluster.now = other.now
    report = withdrawn(cluster)
    assert not stops(cluster) and cluster.env("web") == {"VALUE": "theirs"}
    assert (report.reason, "changed its job" in report.message) == ("NotOurs", True)


def test_a_withdrawn_job_that_was_only_scaled_is_still_stopped(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST, group="scaling {\n      min = 1\n      max = 5\n    }"))
    cluster.live("web", minutes=3)
    cluster.http("POST", "/v1/job/web/scale", {"Count": 3, "Target": {"Group": "app"}})
    withdrawn(cluster)
    assert stops(cluster)
