"""What found no room was rolled back, and is tried again when `status` says: by a plan, and registered once it fits."""

from __future__ import annotations

import pytest

from desired.policy import Policy, Repair, RepairMode
from nomad_operator import status
from reconcilers.decision import Step, Truth
from tests.integration.loop.cluster import FAST, Cluster, job, key

NOT_BY_NOMAD = FAST.replace("auto_revert       = true", "auto_revert = false")


def retry_at(cluster: Cluster) -> str:
    report = cluster.reports.get(key("web"))
    assert report is not None
    [failed] = status.app(report, cluster.records.get(key("web")), ())["failed"]
    assert failed["retryAt"] is not None, failed
    return str(failed["retryAt"])[11:16]


@pytest.mark.parametrize("mode", [RepairMode.OFF, RepairMode.AUTO])
def test_what_found_no_room_is_registered_at_the_first_promised_time_at_which_there_is(mode: RepairMode) -> None:
    cluster, policy = Cluster(), Policy(repair=Repair(mode=mode))
    cluster.register_by_hand(job("hog", memory=14000, count=2))
    cluster.commit(job(update=FAST), policy=policy)
    cluster.live("web", minutes=2)
    cluster.commit(job(update=NOT_BY_NOMAD, value="two", memory=5000), policy=policy)
    report = cluster.live("web", minutes=8)
    assert (report.step, report.reason, cluster.registers) == (Step.STEADY, "RolledBack", 3)
    assert retry_at(cluster) == "00:12"
    # Still no room then, and again later: only plans, the job that runs is left in peace.
    report = cluster.live("web", minutes=3)
    assert retry_at(cluster) == "00:22"
    assert report.reason == "RolledBack" and "still no room" in report.message, report.message
    assert retry_at(cluster) == "00:22"
    cluster.live("web", minutes=11)
    assert (retry_at(cluster), cluster.registers) == ("00:42", 3)
    cluster.http("DELETE", "/v1/job/hog", purge="true")
    cluster.live("web", minutes=16)
    assert cluster.registers == 3, "not before it says"
    report = cluster.live("web", minutes=5)
    assert (report.ready, cluster.registers, cluster.env("web")["VALUE"]) == (Truth.TRUE, 4, "two")
