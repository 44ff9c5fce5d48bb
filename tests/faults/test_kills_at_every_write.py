"""A walk over the writes of a story: killed before and after each, started again, it ends as it would have ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from desired.reasons import Reason
from reconcilers.decision import Truth
from reconcilers.requests import Verb
from reconcilers.situation import Rules
from tests.faults.mortal import Died, MortalCluster
from tests.integration.loop.cluster import FAST, job, key

OPERATOR_RESTORES = FAST.replace("auto_revert       = true", "auto_revert       = false")


@dataclass(frozen=True)
class Story:
    """`given` is done in peace; what follows from `when` is what the walk dies in.

    `registers` are the values that are registered at most so often; `stops` likewise.
    """

    given: Callable[[MortalCluster], None]
    when: Callable[[MortalCluster], None]
    then: Callable[[MortalCluster], None]
    registers: tuple[str, ...] = ()
    stops: int = 0


def nothing(cluster: MortalCluster) -> None:
    pass


def committed(value: str = "one", **more: str) -> Callable[[MortalCluster], None]:
    return lambda cluster: cluster.commit(job(value=value, **more))


def settled(value: str = "one", **more: str) -> Callable[[MortalCluster], None]:
    def do(cluster: MortalCluster) -> None:
        cluster.commit(job(value=value, **more))
        assert cluster.live("web", minutes=3).ready is Truth.TRUE

    return do


def runs(value: str, reason: Reason = Reason.HEALTHY) -> Callable[[MortalCluster], None]:
    def check(cluster: MortalCluster) -> None:
        report = cluster.reports.get(key("web"))
        assert report is not None
        assert report.reason == reason.value, report.message
        assert cluster.env("web") == {"VALUE": value}
        running = cluster.running("web")
        assert running.job is not None and not running.job.stop

    return check


def withdrawn(cluster: MortalCluster) -> None:
    cluster.commit(job("other"))


def is_stopped(cluster: MortalCluster) -> None:
    running = cluster.running("web")
    assert running.job is not None and running.job.stop


def edited(cluster: MortalCluster) -> None:
    found = cluster.running("web").job
    assert found is not None
    (group,) = found.body["TaskGroups"]
    (task,) = group["Tasks"]
    groups = [{**group, "Tasks": [{**task, "Env": {"VALUE": "by hand"}}]}]
    cluster.http("POST", "/v1/jobs", {"Job": {**found.body, "TaskGroups": groups}})


def purged(cluster: MortalCluster) -> None:
    cluster.http("DELETE", "/v1/job/web", purge="true")


def there_before(cluster: MortalCluster) -> None:
    cluster.register_by_hand(job(value="theirs"))


def adopted(cluster: MortalCluster) -> None:
    cluster.commit(job())
    cluster.passes("web")
    cluster.ask("web", Verb.ADOPT)


STORIES = {
    "create": Story(nothing, committed(), runs("one"), ("one",)),
    "update": Story(settled(), committed("two"), runs("two"), ("two",)),
    "adopt as it is": Story(lambda c: c.register_by_hand(job()), committed(), runs("one")),
    "adopt on request": Story(there_before, adopted, runs("one"), ("one",)),
    "drift": Story(settled(), edited, runs("one"), ("one",)),
    "purged by hand": Story(settled(), purged, runs("one"), ("one",)),
    "nomad reverts": Story(
        settled(update=FAST),
        committed("bad", update=FAST, command="crash"),
        runs("one", Reason.ROLLED_BACK),
        ("bad",),
    ),
    "the operator restores": Story(
        settled(update=OPERATOR_RESTORES),
        committed("bad", update=OPERATOR_RESTORES, command="crash"),
        runs("one", Reason.ROLLED_BACK),
        ("bad", "one"),
    ),
    "batch": Story(nothing, committed(type="batch", command="finish"), runs("one", Reason.COMPLETED), ("one",)),
    "prune": Story(settled(), withdrawn, is_stopped, (), stops=1),
}


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
@pytest.mark.parametrize("story", STORIES)
def test_killed_at_any_write_it_ends_the_same_way_and_repeats_nothing(story: str, after: bool) -> None:
    told = STORIES[story]
    steps = 0
    while _lived_through(told, steps + 1, after):
        steps += 1
        assert steps < 30, "the story does not end"
    assert steps >= 1, "nobody died: the walk walks nowhere"


def _lived_through(told: Story, write: int, after: bool) -> bool:
    """False if the story has fewer writes than that."""
    cluster = MortalCluster(rules=Rules(prune_grace=timedelta(minutes=1)))
    told.given(cluster)
    cluster.watched.registered.clear()
    cluster.fate.die_at(write, after=after)
    died = False
    try:
        told.when(cluster)
        cluster.live("web", minutes=5)
    except Died:
        died = True
        cluster.restart()
        # A person's command that was not answered did not happen: they give it again.
        if told.when is adopted:
            told.when(cluster)
        cluster.live("web", minutes=8)
    told.then(cluster)
    accepted = Counter(value for _, value in cluster.watched.registered)
    assert all(accepted[value] == 1 for value in told.registers), (write, accepted)
    assert set(accepted) <= set(told.registers), (write, accepted)
    assert len(cluster.watched.stopped) == told.stops, (write, cluster.watched.stopped)
    return died


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
@pytest.mark.parametrize("story", ["create", "update", "batch"])
def test_a_newer_commit_that_came_while_it_was_dead_goes_through(story: str, after: bool) -> None:
    told = STORIES[story]
    for write in range(1, 30):
        cluster = MortalCluster()
        told.given(cluster)
        cluster.fate.die_at(write, after=after)
        try:
            told.when(cluster)
            cluster.live("web", minutes=5)
        except Died:
            cluster.restart()
        else:
            assert write > 1
            return
        # A job never changes its type.
        newest = {"type": "batch", "command": "finish"} if story == "batch" else {}
        cluster.commit(job(value="newest", **newest))
        assert cluster.live("web", minutes=5).ready is Truth.TRUE, write
        assert cluster.env("web") == {"VALUE": "newest"}
        assert max(Counter(cluster.watched.registered).values()) == 1, (write, cluster.watched.registered)
        assert cluster.watched.stopped == []


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
def test_an_app_withdrawn_while_it_was_dead_leaves_nothing_running(after: bool) -> None:
    for write in range(1, 30):
        cluster = MortalCluster(rules=Rules(prune_grace=timedelta(minutes=1)))
        cluster.fate.die_at(write, after=after)
        try:
            cluster.commit(job())
            cluster.live("web", minutes=5)
        except Died:
            cluster.restart()
        else:
            assert write > 3
            return
        cluster.commit(job("other"))
        for _ in range(20):
            cluster.passes("web")
            cluster.let(timedelta(seconds=10))
        running = cluster.running("web")
        assert running.job is None or running.job.stop, write
        assert len(cluster.watched.registered) <= 1
