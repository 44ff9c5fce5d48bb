"""What somebody objects to is not registered, and what was good before goes on."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from desired.app import AppKey
from desired.errors import Unavailable
from desired.objection import Objection
from desired.reasons import Reason
from desired.state import JobBody
from nomad_operator.plan import Change, plan_apps
from observers.nomad.feature_examiner import FeatureExaminer
from observers.running import Agent
from reconcilers.decision import Condition
from tests.integration.loop.cluster import FAST, Cluster, job, key, run

MEMORY = ("group", "app", "task", "app", "resources", "memory")


class Frugal:
    """Objects to more than a number of MB."""

    def __init__(self, most: int, *, warning: bool = False, reason: Reason = Reason.POLICY_VIOLATION) -> None:
        self.most = most
        self.reason = reason
        self.warning = warning
        self.away = False

    async def objections(self, key: AppKey, body: JobBody) -> Sequence[Objection]:
        if self.away:
            raise Unavailable("the frugal one cannot be reached", hint="wait")
        asked = body["TaskGroups"][0]["Tasks"][0]["Resources"]["MemoryMB"]
        if asked <= self.most:
            return ()
        return [Objection("resources.memory", f"memory {asked}", "ask for less", MEMORY, self.warning, self.reason)]


def sized(memory: int) -> str:
    return job(update=FAST, memory=memory)


def memory(cluster: Cluster) -> int:
    answer = cluster.http("GET", "/v1/job/web")
    found: int = answer["TaskGroups"][0]["Tasks"][0]["Resources"]["MemoryMB"]
    return found


def test_it_is_not_registered_and_the_place_in_the_file_is_told() -> None:
    cluster = Cluster(examiners=[Frugal(100)])
    cluster.commit(sized(200))
    last = cluster.live("web", minutes=2)
    assert cluster.registers == 0
    assert (last.ready.value, last.reason) == ("False", Reason.POLICY_VIOLATION)
    line = next(number for number, one in enumerate(sized(200).splitlines(), 1) if "memory" in one)
    assert f"web.nomad.hcl:{line}:" in last.message
    assert "memory 200 (ask for less) [resources.memory]" in last.message
    assert Condition.POLICY_VIOLATION in last.conditions


def test_what_was_good_stays_in_force_and_drift_of_it_is_restored() -> None:
    cluster = Cluster(examiners=[Frugal(100)])
    cluster.commit(sized(64))
    assert cluster.live("web", minutes=2).ready.value == "True"
    cluster.commit(sized(200))
    last = cluster.live("web", minutes=2)
    assert (memory(cluster), last.ready.value, last.reason) == (64, "False", Reason.POLICY_VIOLATION)
    cluster.http("DELETE", "/v1/job/web")
    cluster.live("web", minutes=2)
    assert memory(cluster) == 64
    assert cluster.http("GET", "/v1/job/web")["Status"] == "running"


def test_once_it_is_allowed_it_is_registered_without_a_commit() -> None:
    frugal = Frugal(100)
    cluster = Cluster(examiners=[frugal])
    cluster.commit(sized(200))
    cluster.live("web", minutes=2)
    frugal.most = 500
    assert cluster.live("web", minutes=3).ready.value == "True"
    assert memory(cluster) == 200


def test_a_warning_is_told_and_holds_nothing_back() -> None:
    cluster = Cluster(examiners=[Frugal(100, warning=True)])
    cluster.commit(sized(200))
    last = cluster.live("web", minutes=2)
    assert last.ready.value == "True"
    assert "memory 200" in last.conditions[Condition.POLICY_VIOLATION].message


def test_who_cannot_tell_holds_nothing_back_and_is_asked_again() -> None:
    frugal = Frugal(100)
    frugal.away = True
    cluster = Cluster(examiners=[frugal])
    cluster.commit(sized(200))
    assert cluster.live("web", minutes=2).ready.value == "True"
    frugal.away = False
    assert cluster.live("web", minutes=3).reason == Reason.POLICY_VIOLATION
    assert memory(cluster) == 200


def test_what_the_servers_version_does_not_have_is_not_registered() -> None:
    """An older server would drop the field without a word."""
    cluster = Cluster(examiners=[FeatureExaminer(nomad=_Old(), clock=lambda: 0.0)])
    cluster.commit(job(update=FAST, group='disconnect {\n      lost_after = "1h"\n    }'))
    last = cluster.live("web", minutes=2)
    assert (cluster.registers, last.reason) == (0, Reason.VALIDATION_FAILED)
    assert "needs Nomad 1.8.0, and this is Nomad 1.7.7" in last.message and "[nomad-version]" in last.message
    assert Condition.VALIDATION_FAILED in last.conditions
    cluster.commit(job(update=FAST))
    assert cluster.live("web", minutes=2).ready.value == "True"


@pytest.mark.parametrize("reason", [Reason.ROUTE_CONFLICT, Reason.VALIDATION_FAILED])
def test_what_is_no_rule_speaks_of_what_is_new_and_the_last_good_version_goes_on(reason: Reason) -> None:
    """A route that somebody else has taken since: putting back what ran makes nothing worse."""
    frugal = Frugal(100, reason=reason)
    cluster = Cluster(examiners=[frugal])
    cluster.commit(sized(64))
    cluster.live("web", minutes=2)
    frugal.most = 10
    cluster.http("DELETE", "/v1/job/web")
    last = cluster.live("web", minutes=2)
    assert (cluster.http("GET", "/v1/job/web")["Status"], last.reason) == ("running", reason)
    assert cluster.state is not None
    [found] = run(plan_apps(cluster.reconciler, cluster.records, cluster.state, [key("web")]))
    assert (found.change, found.reason) == (Change.BLOCKED, reason)


class _Old:
    async def agent(self) -> Agent:
        return Agent(version="1.7.7", region="global", acl_enabled=False)
