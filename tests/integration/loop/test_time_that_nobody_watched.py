"""Clocks that are set, outages and long downtimes in the middle of a verification: nothing good is rolled back by them.

`slow` takes 100 s to come up, and `never` never does; the version before was good: who counts wrongly goes back to it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from desired.errors import Unavailable
from desired.policy import Policy, Verify
from desired.reasons import Reason
from observers.running import Running
from reconcilers.decision import Step, Truth
from reconcilers.memory_store import MemoryStore
from reconcilers.store import Document
from reconcilers.watch import TAKEN_OVER_AT_MOST
from tests.integration.loop.cluster import Cluster, job, key, run

HOUR = timedelta(hours=1)
# Nomad's own deadlines are long, so that only ours decides; ours is longer than `slow` needs.
PATIENT = """update {
      min_healthy_time  = "1s"
      healthy_deadline  = "2m"
      progress_deadline = "150s"
      auto_revert       = false
    }"""
# It never gets healthy, and Nomad does not end it: only the time without progress does.
STUCK = """update {
      min_healthy_time  = "1s"
      healthy_deadline  = "10h"
      progress_deadline = "0s"
      auto_revert       = false
    }"""
WORLD = """
nodes: [{name: node-1}]
behaviours:
  - {command: "slow", starts_after: 100s}
  - {command: "never", starts_after: 100h}
  - {command: "once", from_attempt: 1}
  - {command: "once", runs_for: 20s, exit_code: 1}
"""
POLICY = Policy(verify=Verify(soak=timedelta(seconds=60), timeout=timedelta(seconds=160)))


class Counting(MemoryStore):
    puts = 0

    async def put(self, name: str, document: Document, *, expected: int) -> int:
        self.puts += 1
        return await super().put(name, document, expected=expected)


def _deploying(*, seconds: int = 30, command: str = "slow", update: str = PATIENT) -> Cluster:
    """`one` was good; `two` has been coming up for so long."""
    cluster = Cluster(world=WORLD, store=Counting())
    cluster.commit(job(), policy=POLICY)
    assert cluster.live("web", minutes=3).ready is Truth.TRUE
    cluster.commit(job(command=command, value="two", update=update), policy=POLICY)
    cluster.live("web", minutes=seconds / 60)
    report = cluster.reports.get(key("web"))
    assert report is not None and report.step is Step.VERIFYING, report
    return cluster


def _set_on(cluster: Cluster) -> None:
    cluster.set_clock(HOUR)


def _set_back(cluster: Cluster) -> None:
    cluster.set_clock(-HOUR)


def _down(cluster: Cluster) -> None:
    """Killed, and started again after an hour."""
    cluster.let_only_us(HOUR)
    cluster.restart()


def _asleep(cluster: Cluster) -> None:
    """An hour without a pass of this process."""
    cluster.let_only_us(HOUR)


def _nothing(cluster: Cluster) -> None:
    return


EVENTS = pytest.mark.parametrize("event", [_nothing, _set_on, _set_back, _down, _asleep])


@EVENTS
def test_a_good_deployment_becomes_good_whatever_time_was_lost(event: Callable[[Cluster], None]) -> None:
    cluster = _deploying()
    event(cluster)
    report = cluster.live("web", minutes=5)
    assert (report.step, report.ready, report.reason) == (Step.STEADY, Truth.TRUE, Reason.HEALTHY.value)
    assert cluster.env("web")["VALUE"] == "two"
    assert cluster.registers == 2


@EVENTS
def test_a_deployment_that_stands_still_is_given_up_after_the_time_that_was_watched(
    event: Callable[[Cluster], None],
) -> None:
    cluster = _deploying(command="never", update=STUCK)
    event(cluster)
    cluster.live("web", minutes=95 / 60)
    assert cluster.env("web")["VALUE"] == "two"
    cluster.live("web", minutes=2)
    assert cluster.env("web")["VALUE"] == "one"
    assert cluster.registers == 3


@EVENTS
def test_what_was_not_watched_for_the_whole_soak_is_not_verified(event: Callable[[Cluster], None]) -> None:
    cluster = Cluster()
    cluster.commit(job(), policy=POLICY)
    cluster.live("web", minutes=30 / 60)
    report = cluster.reports.get(key("web"))
    assert report is not None and report.step is Step.SOAKING
    event(cluster)
    report = cluster.passes("web")
    assert report is not None and report.step is Step.SOAKING
    cluster.let(timedelta(seconds=10))
    report = cluster.passes("web")
    assert report is not None and report.step is Step.SOAKING
    assert cluster.live("web", minutes=2).ready is Truth.TRUE


def test_a_clock_behind_nomads_does_not_soak_for_ever_what_restarted_once() -> None:
    """Of a task that has restarted, Nomad's time of its start lies in our future."""
    cluster = Cluster(world=WORLD)
    cluster.set_clock(-3 * HOUR)
    cluster.commit(job(command="once", update=PATIENT), policy=POLICY)
    report = cluster.live("web", minutes=8)
    tasks = [state for one in cluster.running("web").allocations for state in one.tasks.values()]
    assert any(state.restarts > 0 for state in tasks), "else it shows nothing"
    assert (report.step, report.ready) == (Step.STEADY, Truth.TRUE)


def test_an_hour_in_which_nomad_was_away_is_no_lack_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = _deploying()

    async def away(*_: object, **__: object) -> Running:
        raise Unavailable("Nomad is away")

    with monkeypatch.context() as patched:
        patched.setattr(cluster.client, "running", away)
        for _ in range(12):
            with pytest.raises(Unavailable):
                run(cluster.reconciler.reconcile(key("web")))
            cluster.let_only_us(timedelta(minutes=5))
    report = cluster.live("web", minutes=5)
    assert report.ready is Truth.TRUE
    assert cluster.env("web")["VALUE"] == "two"
    assert cluster.registers == 2


def test_a_process_that_is_killed_again_and_again_still_ends_the_attempt() -> None:
    cluster = _deploying(command="never", update=STUCK)
    lives = 0
    while cluster.env("web")["VALUE"] == "two":
        lives += 1
        assert lives < 15, "it never ends"
        cluster.let(timedelta(seconds=60))
        cluster.restart()
        cluster.passes("web")
    assert lives >= TAKEN_OVER_AT_MOST, "a few restarts are no reason to give up"
    assert cluster.registers == 3


def test_a_look_is_not_a_write() -> None:
    cluster = _deploying(seconds=10)
    store = cluster.store
    assert isinstance(store, Counting)
    before = store.puts
    cluster.live("web", minutes=1)
    assert store.puts == before
    cluster.set_clock(HOUR)
    cluster.passes("web")
    assert store.puts == before + 1, "what time does not count is remembered once"
    cluster.passes("web")
    cluster.restart()
    cluster.passes("web")
    assert store.puts == before + 2, "and once that another process took over"
