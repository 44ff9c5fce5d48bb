"""A person wants tried again what failed and stands registered: `reconcile APP` does it where it is safe."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desired.policy import Policy, Repair, RepairMode
from reconcilers.decision import Step, Truth
from reconcilers.memory_store import MemoryStore
from reconcilers.requests import Verb
from reconcilers.situation import Mode
from reconcilers.store import Document
from tests.integration.loop.cluster import FAST, WORLD, Cluster, job, key

OFF = Policy(repair=Repair(mode=RepairMode.OFF))
# It fails until it is registered again.
FLAKY = WORLD.replace(
    "behaviours:", "behaviours:\n  - {command: flaky, from_version: 1, runs_for: 2s}"
    "\n  - {command: flaky, runs_for: 300ms, exit_code: 1}",
)  # fmt: skip
ONCE = """reschedule {
      attempts  = 0
      unlimited = false
    }
    restart {
      attempts = 0
      mode     = "fail"
    }"""


def failed_run(cluster: Cluster, *, count: int = 1, command: str = "crash") -> None:
    cluster.commit(job(type="batch", command=command, group=ONCE, count=count), policy=OFF)
    report = cluster.live("web", minutes=1)
    assert (report.step, report.reason) == (Step.LEFT_FAILED, "RunFailed")


def versions(cluster: Cluster) -> list[int]:
    return sorted({one.job_version for one in cluster.running("web").allocations})


def test_a_run_that_failed_runs_again_once_for_each_time_somebody_asks() -> None:
    cluster = Cluster()
    failed_run(cluster)
    assert "reconcile default/web` runs it again" in cluster.live("web", minutes=1).message
    for asked in (1, 2):
        cluster.ask("web", Verb.RECONCILE)
        report = cluster.live("web", minutes=3)
        assert (report.step, report.reason) == (Step.LEFT_FAILED, "RunFailed")
        assert cluster.registers == 1 + asked
        assert len(versions(cluster)) == 1 + asked
    record = cluster.records.get(key("web"))
    assert (record.again, record.failed[0].reason) == ("", "RunFailed")


def test_a_run_that_ends_well_the_second_time_is_completed() -> None:
    cluster = Cluster(world=FLAKY)
    failed_run(cluster, command="flaky")
    cluster.ask("web", Verb.RECONCILE)
    report = cluster.live("web", minutes=2)
    assert (report.reason, report.ready, cluster.registers) == ("Completed", Truth.TRUE, 2)
    cluster.ask("web", Verb.RECONCILE)
    assert cluster.live("web", minutes=60).reason == "Completed"
    assert cluster.registers == 2


def test_what_has_completed_is_not_done_twice() -> None:
    cluster = Cluster()
    second = job(type="batch", command="finish", group=ONCE).split('group "app"', 1)[1].rsplit("}", 1)[0]
    text = job(type="batch", command="crash", group=ONCE).rsplit("}", 1)[0] + f'  group "other"{second}}}\n'
    cluster.commit(text, policy=OFF)
    report = cluster.live("web", minutes=1)
    assert "1 of 2 completed and would run twice" in report.message, report.message
    cluster.ask("web", Verb.RECONCILE)
    report = cluster.live("web", minutes=3)
    assert (report.step, report.reason) == (Step.LEFT_FAILED, "RunFailed")
    assert (cluster.registers, versions(cluster)) == (1, [0])


def test_a_failed_service_is_judged_anew_and_its_recovery_counts_as_good() -> None:
    cluster = Cluster()
    cluster.commit(job(command="slow", update=FAST), policy=OFF)
    report = cluster.live("web", minutes=2)
    assert report.step is Step.LEFT_FAILED
    cluster.ask("web", Verb.RECONCILE)
    assert cluster.records.get(key("web")).attempt is not None
    report = cluster.live("web", minutes=10)
    record = cluster.records.get(key("web"))
    assert (record.again, cluster.registers) == ("", 1)
    assert (report.step is Step.LEFT_FAILED) == bool(record.failed), "the failure is not forgotten"


def test_nothing_is_stopped_where_only_looking_is_allowed() -> None:
    cluster = Cluster()
    failed_run(cluster)
    cluster.rules = replace(cluster.rules, mode=Mode.OBSERVE)
    cluster.restart()
    cluster.ask("web", Verb.RECONCILE)
    assert "would stop the job" in cluster.live("web", minutes=1).message
    assert sum(cluster.writes.values()) == 1


def test_another_spec_is_what_counts_and_not_the_run_that_was_asked_for() -> None:
    cluster = Cluster()
    failed_run(cluster)
    cluster.commit(job(type="batch", command="finish", group=ONCE), policy=OFF)
    cluster.ask("web", Verb.RECONCILE)
    assert cluster.live("web", minutes=2).reason == "Completed"
    cluster.commit(job(type="batch", command="crash", group=ONCE), policy=OFF)
    cluster.live("web", minutes=5)
    assert cluster.registers == 3


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_a_kill_anywhere_runs_it_again_once_or_not_at_all(kept: int) -> None:
    """The process ends after so many writes to its store; a new one goes on."""

    class Killed(Exception):
        pass

    class Mortal(MemoryStore):
        left = 1000

        async def put(self, name: str, document: Document, *, expected: int) -> int:
            if self.left == 0:
                raise Killed
            self.left -= 1
            return await super().put(name, document, expected=expected)

    store = Mortal()
    cluster = Cluster(store=store)
    failed_run(cluster)
    store.left = 1 + kept
    try:
        cluster.ask("web", Verb.RECONCILE)
        cluster.live("web", minutes=1)
    except Killed:
        pass
    store.left = 1000
    cluster.restart()
    cluster.commit(job(type="batch", command="crash", group=ONCE), policy=OFF)
    report = cluster.live("web", minutes=5)
    assert (report.step, cluster.registers, len(versions(cluster))) == (Step.LEFT_FAILED, 2, 2)


def test_a_service_of_which_nothing_runs_is_started_again_with_one_register() -> None:
    """The image was mended meanwhile: a person asks, and it runs."""
    world = """
nodes: [{name: node-1}]
behaviours:
  - {command: "late", from_version: 1}
  - {command: "late", start_error: "unable to find user node: no matching entries in passwd file"}
"""
    cluster = Cluster(world=world)
    cluster.commit(job(command="late", update=FAST), policy=OFF)
    assert cluster.live("web", minutes=2).step is Step.LEFT_FAILED
    cluster.ask("web", Verb.RECONCILE)
    report = cluster.live("web", minutes=2)
    assert (report.ready, cluster.registers, cluster.records.get(key("web")).failed) == (Truth.TRUE, 2, ())
