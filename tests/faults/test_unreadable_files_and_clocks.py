"""In virtual time: a file that cannot be read makes nobody bolder, and a clock that jumps makes nobody rash."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from desired.policy import Drift, Policy, Repair, RepairMode
from desired.reasons import Reason
from reconcilers.decision import Step, Truth
from reconcilers.situation import Rules
from tests.faults.mortal import MortalCluster
from tests.integration.loop.cluster import job, key


def _settled(policy: Policy | None = None) -> MortalCluster:
    cluster = MortalCluster()
    cluster.commit(job(), policy=policy)
    cluster.live("web", minutes=3)
    return cluster


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    ("policy", "meddle"),
    [
        (Policy(drift=Drift.WARN), {"count": 1, "value": "by hand"}),
        (Policy(drift_ignore=("count",)), {"count": 3}),
        (Policy(suspend=True), {"value": "by hand"}),
    ],
    ids=["warn", "ignored count", "suspended"],
)
def test_an_app_whose_file_broke_is_treated_as_the_file_said_last(
    policy: Policy, meddle: dict[str, object], restarted: bool
) -> None:
    cluster = _settled()
    cluster.commit(job(), policy=policy)
    cluster.live("web", minutes=1)
    cluster.commit(broken={"web.nomad.hcl": key("web")})
    if restarted:
        cluster.restart()
    cluster.live("web", minutes=1)
    cluster.register_by_hand(job(**meddle))  # type: ignore[arg-type]
    cluster.live("web", minutes=10)
    assert cluster.watched.registered == [("web", "one")]


def test_a_file_that_was_never_read_is_treated_by_the_settings_of_the_process() -> None:
    assert Rules().defaults == Policy()


@pytest.mark.parametrize("moment", ["verifying", "soaking"])
@pytest.mark.parametrize("jump", [timedelta(hours=-3), timedelta(days=-400)], ids=["hours", "a year"])
def test_after_the_clock_went_back_a_deployment_is_still_verified_in_its_time(moment: str, jump: timedelta) -> None:
    cluster = MortalCluster()
    cluster.commit(job())
    report = cluster.passes("web")
    if moment == "soaking":
        cluster.let(timedelta(seconds=15))
        report = cluster.passes("web")
    assert report is not None and report.step is (Step.SOAKING if moment == "soaking" else Step.VERIFYING)
    cluster.set_clock(jump)
    report = cluster.live("web", minutes=5)
    assert (report.step, report.ready, report.reason) == (Step.STEADY, Truth.TRUE, Reason.HEALTHY.value)
    assert cluster.watched.registered == [("web", "one")]


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(days=1)], ids=["back", "on"])
def test_a_clock_that_jumps_writes_nothing_where_all_is_well(jump: timedelta) -> None:
    cluster = _settled()
    cluster.set_clock(jump)
    assert cluster.live("web", minutes=2).ready is Truth.TRUE
    assert cluster.watched.registered == [("web", "one")]
    assert cluster.watched.stopped == []


@pytest.mark.parametrize("jump", [timedelta(days=-2), timedelta(hours=1)], ids=["back", "on"])
def test_whatever_the_clock_does_a_withdrawn_app_waits_for_its_grace_time_and_no_longer(jump: timedelta) -> None:
    cluster = _settled()
    cluster.commit(job("other"))
    cluster.passes("web")
    cluster.set_clock(jump)
    stopped_after = None
    for passed in range(40):
        cluster.passes("web")
        if cluster.watched.stopped and stopped_after is None:
            stopped_after = passed * 30
        cluster.let(timedelta(seconds=30))
    assert stopped_after is not None and 570 <= stopped_after <= 630, stopped_after


def test_what_a_file_said_is_remembered_once_and_a_restart_writes_nothing() -> None:
    policy = Policy(
        depends_on=(key("db"),), drift_ignore=("count",), repair=Repair(RepairMode.PROPOSE, 2, (("memory", 512),))
    )
    cluster = MortalCluster()
    both = (job("db"), job())
    cluster.commit(*both, policy=None)
    cluster.live("db", "web", minutes=3)
    assert cluster.state is not None
    apps = dict(cluster.state.apps)
    apps[key("web")] = replace(apps[key("web")], policy=policy)
    cluster.state = replace(cluster.state, apps=apps)
    cluster.live("web", minutes=1)
    cluster.restart()
    before = cluster.fate.writes
    assert cluster.live("web", minutes=1).ready is Truth.TRUE
    assert cluster.fate.writes == before
