"""Stories of repairs: from a failure to a proven repair, or back, on the embedded Nomad in virtual time."""

from __future__ import annotations

from datetime import timedelta

from desired.operations.operation import Kind
from desired.policy import Policy, Repair, RepairMode
from desired.reasons import Reason
from reconcilers.decision import Condition, Truth
from reconcilers.repair.episode import Outcome, TryState
from reconcilers.requests import Verb
from tests.integration.loop.cluster import FAST, Cluster, job, key, run

WORLD = """
nodes: [{name: node-1}, {name: node-2}]
behaviours:
  - {command: "hungry", needs_memory: 200}
  - {command: "ravenous", needs_memory: 5000}
  - {command: "crash", runs_for: 300ms, exit_code: 1, stderr: "it crashed\\n"}
"""


def memory(cluster: Cluster, name: str = "web") -> int:
    found = cluster.running(name).job
    assert found is not None
    return int(found.body["TaskGroups"][0]["Tasks"][0]["Resources"]["MemoryMB"])


def test_a_job_that_is_killed_for_want_of_memory_gets_more_until_it_is_healthy() -> None:
    cluster = Cluster(world=WORLD)
    cluster.commit(job(command="hungry", memory=64, update=FAST))
    report = cluster.live("web", minutes=8)
    assert report.ready is Truth.TRUE
    assert memory(cluster) == 256
    record = cluster.records.get(key("web"))
    assert record.episode is None and record.last_episode is not None
    assert record.last_episode.outcome is Outcome.REPAIRED
    assert record.last_episode.diagnosis.failure.value == "oom_killed"
    (kept,) = record.overlay
    assert (kept.operation.kind, kept.operation.at, kept.operation.old, kept.operation.new) == (
        Kind.MEMORY, ("app", "app"), 64, 256,
    )  # fmt: skip


def test_a_repair_that_held_for_half_an_hour_is_durable() -> None:
    cluster = Cluster(world=WORLD)
    cluster.commit(job(command="hungry", memory=128, update=FAST))
    cluster.live("web", minutes=10)
    registers = cluster.registers
    cluster.live("web", minutes=35)
    last = cluster.records.get(key("web")).last_episode
    assert last is not None and last.durable is True
    assert cluster.registers == registers


def test_when_no_attempt_helps_the_last_good_version_comes_back_and_is_left_in_peace() -> None:
    cluster = Cluster(world=WORLD)
    cluster.commit(job(command="serve", memory=64, update=FAST))
    cluster.live("web", minutes=5)
    cluster.commit(job(command="ravenous", memory=64, update=FAST))
    report = cluster.live("web", minutes=20)
    assert memory(cluster) == 64
    last = cluster.records.get(key("web")).last_episode
    assert last is not None and last.outcome is Outcome.ROLLED_BACK
    assert last.attempts == 3
    assert report.conditions[Condition.REPAIR_EXHAUSTED].status is Truth.TRUE
    registers = cluster.registers
    cluster.live("web", minutes=60)
    assert cluster.registers == registers


def test_when_no_attempt_helps_and_nothing_was_good_the_job_is_as_it_was_written() -> None:
    cluster = Cluster(world=WORLD)
    cluster.commit(job(command="ravenous", memory=64, update=FAST))
    cluster.live("web", minutes=30)
    assert memory(cluster) == 64
    last = cluster.records.get(key("web")).last_episode
    assert last is not None and last.outcome is Outcome.EXHAUSTED
    registers = cluster.registers
    cluster.live("web", minutes=120)
    assert cluster.registers == registers


def test_a_new_commit_ends_the_episode_and_what_contradicts_a_repair_takes_its_place() -> None:
    cluster = Cluster(world=WORLD)
    cluster.commit(job(command="hungry", memory=128, update=FAST))
    cluster.live("web", minutes=8)
    assert memory(cluster) == 256
    cluster.commit(job(command="hungry", memory=300, update=FAST))
    cluster.live("web", minutes=5)
    assert memory(cluster) == 300
    assert cluster.records.get(key("web")).overlay == ()


def test_what_reached_git_is_no_overlay_any_more_and_nothing_is_registered_for_it() -> None:
    cluster = Cluster(world=WORLD)
    cluster.commit(job(command="hungry", memory=128, update=FAST))
    cluster.live("web", minutes=8)
    registers = cluster.registers
    cluster.commit(job(command="hungry", memory=256, update=FAST))
    report = cluster.live("web", minutes=5)
    assert cluster.records.get(key("web")).overlay == ()
    assert cluster.registers == registers
    assert report.ready is Truth.TRUE


PROPOSE = Policy(repair=Repair(mode=RepairMode.PROPOSE))


def test_in_propose_a_repair_waits_for_a_person_and_is_tried_once_approved() -> None:
    cluster = Cluster(world=WORLD)
    cluster.commit(job(command="hungry", memory=128, update=FAST), policy=PROPOSE)
    report = cluster.live("web", minutes=10)
    assert report.conditions[Condition.AWAITING_APPROVAL].status is Truth.TRUE
    assert (report.reason, report.ready) == (Reason.AWAITING_APPROVAL, Truth.FALSE)
    assert memory(cluster) == 128
    cluster.ask("web", Verb.APPROVE)
    report = cluster.live("web", minutes=5)
    assert memory(cluster) == 256
    assert report.ready is Truth.TRUE


def test_a_repair_that_a_person_turns_down_is_not_tried_and_not_proposed_again() -> None:
    cluster = Cluster(world=WORLD)
    cluster.commit(job(command="hungry", memory=128, update=FAST), policy=PROPOSE)
    cluster.live("web", minutes=10)
    cluster.ask("web", Verb.REJECT)
    report = cluster.live("web", minutes=60)
    assert memory(cluster) == 128
    last = cluster.records.get(key("web")).last_episode
    assert last is not None and last.outcome is Outcome.REJECTED
    assert last.tries[-1].state is TryState.REJECTED
    assert Condition.AWAITING_APPROVAL not in report.conditions


def test_a_repair_that_is_taken_back_leaves_the_job_as_written() -> None:
    cluster = Cluster(world=WORLD)
    cluster.commit(job(command="hungry", memory=128, update=FAST.replace("auto_revert", "# auto_revert")))
    cluster.live("web", minutes=8)
    cluster.ask("web", Verb.REVERT)
    cluster.live("web", minutes=20)
    assert memory(cluster) == 128


def test_with_repairs_off_a_failed_job_is_left_and_told() -> None:
    cluster = Cluster(world=WORLD)
    cluster.commit(job(command="hungry", memory=128, update=FAST), policy=Policy(repair=Repair(mode=RepairMode.OFF)))
    report = cluster.live("web", minutes=10)
    assert memory(cluster) == 128
    assert "oom_killed" in report.message
    assert cluster.registers == 1


def test_a_crash_that_nothing_explains_is_not_repaired() -> None:
    cluster = Cluster(world=WORLD)
    cluster.commit(job(command="crash", update=FAST))
    cluster.live("web", minutes=20)
    last = cluster.records.get(key("web")).last_episode
    assert last is not None and last.attempts == 0
    assert cluster.registers == 1


def test_the_kill_switch_leaves_a_trial_as_it_stands_until_it_is_put_back() -> None:
    cluster = Cluster(world=WORLD)
    cluster.commit(job(command="ravenous", memory=64, update=FAST))
    for _ in range(200):
        cluster.passes("web")
        if cluster.records.get(key("web")).episode and memory(cluster) > 64:
            break
        cluster.let(timedelta(seconds=1))
    run(cluster.switch.stop(cluster.now))
    trial = memory(cluster)
    registers = cluster.registers
    cluster.live("web", minutes=30)
    assert (memory(cluster), cluster.registers) == (trial, registers)
    cluster.ask("web", Verb.ROLL_BACK)
    cluster.live("web", minutes=5)
    assert memory(cluster) == 64


def test_putting_trials_back_leaves_what_only_waits_for_a_person() -> None:
    cluster = Cluster(world=WORLD)
    cluster.commit(job(command="hungry", memory=128, update=FAST), policy=PROPOSE)
    cluster.live("web", minutes=10)
    run(cluster.switch.stop(cluster.now))
    cluster.ask("web", Verb.ROLL_BACK)
    cluster.live("web", minutes=5)
    run(cluster.switch.start())
    cluster.ask("web", Verb.APPROVE)
    report = cluster.live("web", minutes=5)
    assert memory(cluster) == 256
    assert report.ready is Truth.TRUE


def test_an_approval_is_of_one_repair_of_one_job() -> None:
    """The same operation on another version of the job, or on another app, is another decision."""
    cluster = Cluster(world=WORLD)
    hashes = []
    for name, priority in (("web", 50), ("web", 60), ("other", 50)):
        text = job(command="hungry", memory=128, update=FAST).replace('job "web"', f'job "{name}"', 1)
        cluster.commit(text.replace("{", f"{{\n  priority = {priority}", 1), policy=PROPOSE)
        cluster.live(name, minutes=10)
        episode = cluster.records.get(key(name)).episode
        assert episode is not None and episode.waiting is not None
        hashes.append(episode.waiting.hash)
    assert len(set(hashes)) == 3


def test_a_restart_in_the_middle_of_a_repair_goes_on_where_it_was() -> None:
    cluster = Cluster(world=WORLD)
    cluster.commit(job(command="hungry", memory=64, update=FAST))
    for _ in range(40):
        cluster.passes("web")
        cluster.restart()
        cluster.let(timedelta(seconds=10))
    record = cluster.records.get(key("web"))
    assert record.last_episode is not None and record.last_episode.outcome is Outcome.REPAIRED
    assert record.last_episode.attempts == 2
    assert memory(cluster) == 256
