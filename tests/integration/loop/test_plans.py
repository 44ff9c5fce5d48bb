"""A plan says what becomes of the job, also where a pass would first only remember something."""

from __future__ import annotations

import pytest

from nomad_operator.plan import Change, Planned, plan_apps
from reconcilers.prune import PruneRules
from reconcilers.situation import Mode, Rules
from tests.integration.loop.cluster import FAST, Cluster, job, key, run


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def planned(cluster: Cluster, name: str = "web") -> Planned:
    assert cluster.state is not None
    [one] = run(plan_apps(cluster.reconciler, cluster.records, cluster.state, [key(name)]))
    return one


def test_a_newer_spec_is_a_change_while_the_one_before_is_verified(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    cluster.passes("web")
    assert planned(cluster).change is Change.NOTHING
    cluster.commit(job(update=FAST, value="two"))
    found = planned(cluster)
    assert (found.change, '"one" => "two"' in found.diff) == (Change.UPDATE, True)
    assert cluster.env("web") == {"VALUE": "one"}


def test_what_is_registered_after_an_edit_during_the_verification_is_a_change(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    cluster.passes("web")
    cluster.register_by_hand(job(update=FAST, value="by hand"))
    assert planned(cluster).change is Change.UPDATE
    cluster.http("DELETE", "/v1/job/web", purge="true")
    assert planned(cluster).change is Change.CREATE
    assert cluster.registers == 1


def test_a_withdrawn_app_is_to_stop_unless_a_guard_holds_it(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=2)
    cluster.commit()
    found = planned(cluster)
    assert (found.change, "its job is stopped at" in found.message) == (Change.STOP, True)
    cluster.prune = PruneRules(enabled=False)
    assert planned(cluster).change is Change.BLOCKED


def test_what_is_only_watched_is_told_as_it_is(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    report = cluster.live("web", minutes=2)
    found = planned(cluster)
    assert (found.change, found.message) == (Change.NOTHING, report.message)


def test_what_observe_mode_leaves_undone_is_a_change_all_the_same(cluster: Cluster) -> None:
    cluster.commit(job(update=FAST))
    cluster.live("web", minutes=2)
    watching = Cluster(rules=Rules(mode=Mode.OBSERVE), store=cluster.store)
    watching.commit(job(update=FAST))
    watching.nomad = cluster.nomad
    watching.now = cluster.now
    watching.restart()
    assert planned(watching).change is Change.NOTHING
    watching.commit(job(update=FAST, value="two"))
    assert planned(watching).change is Change.UPDATE
    watching.commit(job(update=FAST), job("more", update=FAST))
    assert planned(watching, "more").change is Change.CREATE
    watching.commit()
    planned(watching)
    watching.let(watching.rules.prune_grace)
    assert planned(watching).change is Change.STOP
