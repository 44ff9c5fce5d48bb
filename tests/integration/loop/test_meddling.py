"""Somebody else writes to a job while it is verified, or after it was given up: who wins, and what is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from desired.app import AppKey
from reconcilers.decision import Truth
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
