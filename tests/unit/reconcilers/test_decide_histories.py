"""Long histories of one app: it converges, it harms nothing, and nothing happens twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desired.policy import Drift, OnFailure, Policy
from desired.reasons import Reason
from reconcilers.decision import Rest, Step, Truth
from reconcilers.record import Applied, Record
from reconcilers.situation import Adopt, Mode, Rules, Unclear
from reconcilers.steps import TABLE
from tests.unit.reconcilers.world import KEY, World, spec_named

GOOD, BETTER, BAD = spec_named("good"), spec_named("better"), spec_named("bad")
BAD_REVERTING, GOOD_REVERTING = spec_named("bad-r", auto_revert=True), spec_named("good-r", auto_revert=True)


def test_a_new_app_is_registered_once_and_becomes_ready_after_its_soak() -> None:
    world = World(wanted=GOOD)
    last = world.settle()
    assert (last.step, last.ready, last.reason) == (Step.STEADY, Truth.TRUE, Reason.HEALTHY)
    assert world.registers == {"good": 1}
    assert world.record.last_good is not None and world.record.last_good.spec == GOOD
    soaked = [one.step for one in world.steps]
    assert soaked.index(Step.SOAKING) < soaked.index(Step.VERIFIED)


def test_ready_is_not_said_before_the_soak_is_over() -> None:
    world = World(wanted=GOOD)
    ready_at = None
    registered_at = world.now
    while ready_at is None:
        decision = world.step()
        if isinstance(decision.action, Rest):
            world.fare()
            world.now += timedelta(seconds=5)
        if decision.ready is Truth.TRUE:
            ready_at = world.now
    assert ready_at - registered_at >= Policy().verify.soak


def test_a_second_pass_over_an_unchanged_world_changes_nothing() -> None:
    world = World(wanted=GOOD)
    world.settle()
    before = (world.record, world.index, dict(world.registers))
    for _ in range(5):
        assert isinstance(world.step().action, Rest)
    assert (world.record, world.index, dict(world.registers)) == before


def test_a_bad_commit_that_nomad_rolled_back_is_registered_once_in_an_hour() -> None:
    """The four existing tools register it again and again."""
    world = World(wanted=GOOD_REVERTING)
    world.settle()
    world.wanted = BAD_REVERTING
    last = world.settle(hours=1)
    assert world.registers == {"good-r": 1, "bad-r": 1}
    assert (last.ready, last.reason) == (Truth.FALSE, Reason.ROLLED_BACK)
    assert world.job is not None and world.job.spec == GOOD_REVERTING
    applied = world.record.applied
    assert applied is not None and applied.source_hash != "src-bad-r", "the file's spec is not what is applied for it"


def test_a_reverted_commit_is_not_fought_over_when_no_version_was_verified_yet() -> None:
    world = World(wanted=GOOD_REVERTING)
    while not world.registers:
        world.step()
    world.fare()
    world.wanted = BAD_REVERTING
    world.settle(hours=1)
    assert world.registers["bad-r"] == 1


def test_a_bad_commit_without_auto_revert_is_rolled_back_by_the_operator() -> None:
    world = World(wanted=GOOD)
    world.settle()
    world.wanted = BAD
    last = world.settle()
    assert world.registers == {"good": 2, "bad": 1}
    assert world.job is not None and world.job.spec == GOOD
    assert last.reason is Reason.ROLLED_BACK


def test_on_failure_hold_leaves_the_failed_version_as_written() -> None:
    world = World(wanted=GOOD, policy=Policy(on_failure=OnFailure.HOLD))
    world.settle()
    world.wanted = BAD
    last = world.settle()
    assert world.registers == {"good": 1, "bad": 1}
    assert (last.step, last.reason) == (Step.LEFT_FAILED, Reason.HELD_FAILED)


def test_a_fixing_commit_after_a_failed_one_goes_through() -> None:
    world = World(wanted=GOOD)
    world.settle()
    world.wanted = BAD
    world.settle()
    world.wanted = BETTER
    last = world.settle()
    assert last.ready is Truth.TRUE
    assert world.registers["better"] == 1


def test_a_first_version_that_fails_is_left_as_written_and_told() -> None:
    world = World(wanted=BAD)
    last = world.settle()
    assert world.registers == {"bad": 1}
    assert last.step is Step.LEFT_FAILED


def test_a_failed_version_that_recovers_by_itself_is_verified_after_all() -> None:
    world = World(wanted=BAD)
    world.settle()
    assert world.job is not None
    world.job.failed, world.job.healthy = False, True
    last = world.settle(fares=False)
    assert last.ready is Truth.TRUE
    assert world.registers == {"bad": 1}


@pytest.mark.parametrize("meddle", ["stop", "edit", "purge"])
def test_what_somebody_changed_by_hand_is_put_back(meddle: str) -> None:
    world = World(wanted=GOOD)
    world.settle()
    _meddle(world, meddle)
    last = world.settle()
    assert last.ready is Truth.TRUE
    assert world.job is not None and not world.job.stop and world.job.spec == GOOD
    assert world.registers == {"good": 2}


def test_drift_warn_tells_and_writes_nothing() -> None:
    world = World(wanted=GOOD, policy=Policy(drift=Drift.WARN))
    world.settle()
    world.put(spec_named("edited"))
    last = world.settle()
    assert (last.step, world.registers) == (Step.DRIFT_TOLD, {"good": 1})


def test_an_ignored_field_is_no_drift() -> None:
    world = World(wanted=GOOD, policy=Policy(drift_ignore=("env[v]",)))
    world.settle()
    world.put(spec_named("edited"))
    last = world.settle()
    assert last.ready is Truth.TRUE
    assert world.registers == {"good": 1}


def test_correcting_stops_after_three_times_within_an_hour_and_says_so() -> None:
    world = World(wanted=GOOD)
    world.settle()
    edited = spec_named("edited")
    for _ in range(10):
        world.put(edited)
        last = world.settle(hours=0.05)
    assert world.registers["good"] == 1 + 3
    assert last.reason is Reason.DRIFT_CONTESTED


def test_a_job_that_was_there_before_and_differs_is_asked_about() -> None:
    world = World(wanted=GOOD)
    world.put(spec_named("somebody-elses"))
    last = world.settle()
    assert last.reason is Reason.ADOPTION_REQUIRED
    assert not world.registers
    world.record = Record(key=KEY, origin="here", adopt=True)
    assert world.settle().ready is Truth.TRUE
    assert world.registers == {"good": 1}


def test_a_job_that_was_there_before_just_as_desired_is_adopted_without_a_write() -> None:
    world = World(wanted=GOOD)
    world.put(GOOD)
    last = world.settle()
    assert last.ready is Truth.TRUE
    assert not world.registers


def test_adopt_always_takes_over() -> None:
    world = World(wanted=GOOD, rules=Rules(adopt=Adopt.ALWAYS))
    world.put(spec_named("somebody-elses"))
    assert world.settle().ready is Truth.TRUE


def test_observe_mode_never_writes() -> None:
    world = World(wanted=GOOD, rules=Rules(mode=Mode.OBSERVE))
    last = world.settle()
    assert (last.reason, world.registers, world.stops) == (Reason.OBSERVE_ONLY, {}, 0)
    assert last.message.startswith("would register")


def test_a_finished_batch_run_is_not_run_again_when_nomad_has_collected_it() -> None:
    world = World(wanted=spec_named("report", type="batch"))
    assert world.settle().reason is Reason.COMPLETED
    world.job = None
    assert world.settle().reason is Reason.COMPLETED
    assert world.registers == {"report": 1}


@pytest.mark.parametrize("meddle", ["stop", "edit", "purge"])
def test_a_finished_batch_run_is_not_run_again_whatever_is_done_to_the_job(meddle: str) -> None:
    world = World(wanted=spec_named("report", type="batch"))
    world.settle()
    _meddle(world, meddle)
    world.settle()
    assert world.registers == {"report": 1}


def test_absent_batch_work_is_asked_about_after_the_memory_was_lost() -> None:
    world = World(wanted=spec_named("report", type="batch"), after_state_loss=True)
    assert world.settle().reason is Reason.ADOPTION_REQUIRED
    assert not world.registers


def test_a_withdrawn_app_is_stopped_once_after_the_grace_time() -> None:
    world = World(wanted=GOOD)
    world.settle()
    world.wanted = None
    world.step()
    world.now += Rules().prune_grace - timedelta(seconds=1)
    world.step()
    assert world.stops == 0
    world.now += timedelta(seconds=2)
    last = world.settle()
    assert (last.step, world.stops) == (Step.PRUNED, 1)


def test_a_withdrawn_app_is_never_stopped_while_a_guard_holds() -> None:
    world = World(wanted=GOOD)
    world.settle()
    world.wanted, world.held = None, "a file could not be read"
    world.settle(hours=5)
    assert world.stops == 0


def test_a_confirmation_does_not_outlast_a_guard_that_comes_after_it() -> None:
    """It answers the question of how many; a file that cannot be read by now is another one."""
    world = World(wanted=GOOD)
    world.settle()
    world.wanted, world.held = None, ""
    world.step()
    assert world.record.withdrawal is not None
    world.record = replace(world.record, withdrawal=replace(world.record.withdrawal, confirmed=True))
    world.held = "a file could not be read"
    world.settle(hours=5)
    assert world.stops == 0


def test_prune_false_is_remembered_when_the_manifest_is_gone() -> None:
    world = World(wanted=GOOD, policy=Policy(prune=False))
    world.settle()
    world.wanted = None
    world.settle()
    assert world.stops == 0


def test_a_withdrawn_app_that_was_never_ours_is_left_alone() -> None:
    world = World(wanted=GOOD)
    world.put(spec_named("somebody-elses"))
    world.settle()
    world.wanted = None
    world.settle(hours=5)
    assert world.stops == 0


def test_an_app_that_comes_back_after_pruning_runs_again() -> None:
    world = World(wanted=GOOD)
    world.settle()
    world.wanted = None
    world.settle()
    world.wanted = GOOD
    assert world.settle().ready is Truth.TRUE
    assert world.registers == {"good": 2}


def test_an_unreadable_file_changes_nothing_and_still_restores_drift() -> None:
    world = World(wanted=GOOD)
    world.settle()
    world.unclear = Unclear(Reason.DESIRED_INVALID, "web.nomad:3:1: no")
    world.put(spec_named("edited"))
    last = world.settle()
    assert world.job is not None and world.job.spec == GOOD
    assert (last.ready, last.reason) == (Truth.FALSE, Reason.DESIRED_INVALID)


def test_suspended_means_no_write_whatever_happens() -> None:
    world = World(wanted=GOOD, policy=Policy(suspend=True))
    world.settle()
    world.put(spec_named("edited"))
    world.settle()
    assert not world.registers


# -- properties

EVENTS = st.lists(
    st.sampled_from(
        ["want good", "want better", "want bad", "want bad-r", "withdraw", "unclear", "stop", "edit", "purge",
         "fare", "pass", "pass", "crash before", "crash after", "hour"]
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(events=EVENTS)
def test_after_any_history_a_good_commit_converges_and_then_nothing_is_written(events: list[str]) -> None:
    world = World(wanted=GOOD)
    for event in events:
        _happen(world, event)
    final = spec_named("final")
    world.unclear, world.wanted = None, final
    # Somebody else's job in the way is asked about: a person says yes.
    last = world.settle(hours=4)
    if last.reason is Reason.ADOPTION_REQUIRED:
        world.record = Record(key=KEY, origin="here", adopt=True)
        last = world.settle(hours=4)
    assert (last.ready, last.step) == (Truth.TRUE, Step.STEADY)
    assert world.job is not None and world.job.spec == final
    writes = (dict(world.registers), world.stops, world.record)
    world.settle(hours=1)
    assert (dict(world.registers), world.stops, world.record) == writes


@settings(max_examples=300, deadline=None)
@given(events=EVENTS)
def test_a_failed_spec_is_never_registered_twice_without_a_new_commit(events: list[str]) -> None:
    world = World(wanted=GOOD_REVERTING)
    world.settle()
    world.wanted = BAD_REVERTING
    for event in events:
        if not event.startswith(("want", "withdraw", "stop", "edit", "purge", "unclear")):
            _happen(world, event)
    world.settle()
    assert world.registers["bad-r"] <= 1


@settings(max_examples=200, deadline=None)
@given(events=EVENTS)
def test_every_step_follows_an_edge_of_the_table(events: list[str]) -> None:
    """Without meddling, a pass leads where its row says; a person or the cluster may put an app anywhere."""
    edges = {row.step: set(row.leads_to) for row in TABLE}
    world = World(wanted=GOOD)
    for event in events:
        if event in ("fare", "pass", "hour"):
            before = world.steps[-1] if world.steps else None
            _happen(world, event)
            after = world.steps[-1] if world.steps else None
            if event == "pass" and before is not None and after is not None and before.step != after.step:
                assert after.step in edges[before.step], f"{before.step} → {after.step} is not in the table"


def _happen(world: World, event: str) -> None:
    match event.split():
        case ["want", name]:
            world.unclear = None
            world.wanted = spec_named(name, auto_revert=name.endswith("-r"))
        case ["withdraw"]:
            world.wanted, world.unclear = None, None
        case ["unclear"]:
            world.unclear = Unclear(Reason.DESIRED_INVALID, "web.nomad:1:1: no")
        case ["fare"]:
            world.fare()
        case ["hour"]:
            world.now += timedelta(hours=1)
        case ["pass"]:
            world.step()
        case ["crash", when]:
            world.step(crash=when)
        case [meddle]:
            _meddle(world, meddle)


def _meddle(world: World, how: str) -> None:
    if world.job is None:
        return
    if how == "stop":
        world.put(world.job.spec, stop=True)
    elif how == "edit":
        world.put(spec_named("edited"))
    else:
        world.job = None


def test_a_register_that_was_interrupted_before_it_happened_is_made_once() -> None:
    world = World(wanted=GOOD)
    world.step(crash="before")
    assert not world.registers
    assert world.settle().ready is Truth.TRUE
    assert world.registers == {"good": 1}


def test_a_register_that_was_interrupted_after_it_happened_is_not_made_again() -> None:
    world = World(wanted=GOOD)
    world.step(crash="after")
    assert world.settle().ready is Truth.TRUE
    assert world.registers == {"good": 1}


def test_a_register_that_was_interrupted_and_reverted_while_nobody_looked_counts_as_failed() -> None:
    world = World(wanted=GOOD_REVERTING)
    world.settle()
    world.wanted = BAD_REVERTING
    world.step(crash="after")
    world.fare()
    last = world.settle()
    assert world.registers["bad-r"] == 1
    assert last.reason is Reason.ROLLED_BACK


def test_the_state_lost_means_adopting_what_is_as_desired_and_asking_about_the_rest() -> None:
    world = World(wanted=GOOD)
    world.settle()
    world.record = Record(key=KEY, origin="here")
    world.after_state_loss = True
    assert world.settle().ready is Truth.TRUE
    assert world.registers == {"good": 1}
    world.record = Record(key=KEY, origin="here")
    world.wanted = BETTER
    assert world.settle().reason is Reason.ADOPTION_REQUIRED


def test_an_index_that_went_back_after_a_snapshot_was_restored_is_not_fatal() -> None:
    world = World(wanted=GOOD)
    world.settle()
    assert world.job is not None and isinstance(world.record.applied, Applied)
    world.index = 2
    world.job.index = 2
    last = world.settle()
    assert last.ready is Truth.TRUE
    assert world.registers == {"good": 1}
