"""Watched time: what counts between two looks, by tables and by properties over histories of looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from reconcilers.record import Attempt, Record, Withdrawal
from reconcilers.watch import LATE, LATE_COUNTS, TAKEN_OVER_AT_MOST, Look, Watch, watched

START = datetime(2026, 1, 1, tzinfo=UTC)
KEY = AppKey("default", "web")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def _record(
    *, idle: timedelta = MINUTE, healthy: timedelta | None = None, withdrawn: timedelta | None = None
) -> Record:
    """As it stands at START: so long without progress, healthy or withdrawn."""
    attempt = Attempt(
        "spec", "src", 1, START - idle, START - idle, job_modify_index=2,
        healthy_since=None if healthy is None else START - healthy,
    )  # fmt: skip
    withdrawal = None if withdrawn is None else Withdrawal(START - withdrawn, prune=True)
    return Record(KEY, "here", attempt=attempt, withdrawal=withdrawal)


def _after(passed: timedelta, *, jump: timedelta = timedelta(0)) -> Look:
    return Look(START + passed + jump, passed.total_seconds())


BEFORE = Look(START, 0.0)


@pytest.mark.parametrize(
    ("passed", "jump", "idle", "healthy"),
    [
        (MINUTE, timedelta(0), 2 * MINUTE, 2 * MINUTE),
        (LATE, timedelta(0), MINUTE + LATE, MINUTE + LATE),
        (MINUTE, HOUR, 2 * MINUTE, 2 * MINUTE),
        (MINUTE, -HOUR, 2 * MINUTE, 2 * MINUTE),
        (MINUTE, timedelta(days=-400), 2 * MINUTE, 2 * MINUTE),
        (HOUR, timedelta(0), MINUTE + LATE_COUNTS, None),
        (HOUR, HOUR, MINUTE + LATE_COUNTS, None),
        (HOUR, -HOUR, MINUTE + LATE_COUNTS, None),
        (HOUR, -2 * HOUR, MINUTE + LATE_COUNTS, None),
        (timedelta(0), HOUR, MINUTE, MINUTE),
    ],
    ids=["in time", "just in time", "set on", "set back", "set back a year", "late", "late and set on",
         "late and set back by as much", "late and set back by more", "set on in no time"],
)  # fmt: skip
def test_what_lies_between_a_time_and_now_is_what_was_watched(
    passed: timedelta, jump: timedelta, idle: timedelta, healthy: timedelta | None
) -> None:
    this = _after(passed, jump=jump)
    attempt = watched(_record(healthy=MINUTE), BEFORE, this).attempt
    assert attempt is not None
    assert this.at - attempt.progress_at == idle
    assert (this.at - attempt.healthy_since if attempt.healthy_since else None) == healthy
    assert attempt.started_at <= this.at


@pytest.mark.parametrize("seconds", [-5, -1, 1, 5])
def test_a_clock_that_is_disciplined_changes_nothing_that_would_have_to_be_written(seconds: int) -> None:
    record = _record(idle=HOUR, healthy=MINUTE, withdrawn=MINUTE)
    assert watched(record, BEFORE, _after(MINUTE, jump=timedelta(seconds=seconds))) == record


@pytest.mark.parametrize(("jump", "passed"), [(HOUR, MINUTE), (-HOUR, MINUTE), (HOUR, HOUR)])
def test_an_app_is_withdrawn_for_as_long_as_time_has_passed_watched_or_not(jump: timedelta, passed: timedelta) -> None:
    this = _after(passed, jump=jump)
    withdrawal = watched(_record(withdrawn=MINUTE), BEFORE, this).withdrawal
    assert withdrawal is not None and this.at - withdrawal.since == MINUTE + passed


def test_a_new_process_begins_to_watch_and_after_a_few_in_vain_the_clock_on_the_wall_decides() -> None:
    record, this = _record(healthy=MINUTE), BEFORE
    for process in range(1, TAKEN_OVER_AT_MOST + 1):
        this = _after(process * HOUR)
        record = watched(record, None, this)
        assert record.attempt is not None
        assert (record.attempt.progress_at, record.attempt.healthy_since) == (this.at, None)
    assert watched(record, None, _after(100 * HOUR)) == record


def test_the_same_time_is_not_lost_twice_and_a_pass_that_could_not_remember_loses_it_again() -> None:
    now, reading = START, 0.0
    watch = Watch(now=lambda: now, clock=lambda: reading)
    watch.looked(KEY, watch.look())
    now, reading = START + HOUR, HOUR.total_seconds()
    record, look = _record(), watch.look()
    moved = watch.watched(record, look)
    assert moved != record
    assert watch.watched(record, look) == moved
    watch.looked(KEY, look)
    assert watch.watched(moved, watch.look()) == moved
    watch.forget(KEY)
    assert watch.watched(moved, watch.look()) != moved


@given(
    st.lists(
        st.tuples(
            st.floats(0, 20_000),  # seconds that pass
            st.one_of(st.just(0.0), st.floats(-1e6, 1e6)),  # seconds by which the clock is set
        ),
        max_size=30,
    )
)
def test_after_any_history_of_looks_and_clocks_just_what_was_watched_counts(
    history: list[tuple[float, float]],
) -> None:
    record = _record(idle=timedelta(0), healthy=timedelta(0))
    before, seen, slack = BEFORE, timedelta(0), timedelta(0)
    for passed, set_by in history:
        jump = timedelta(seconds=set_by)
        this = Look(before.at + timedelta(seconds=passed) + jump, before.reading + passed)
        record = watched(record, before, this)
        # Below five seconds nobody can tell a clock that is set from one that is disciplined.
        slack += min(abs(jump), timedelta(seconds=5)) + timedelta(milliseconds=1)
        seen += min(timedelta(seconds=passed), LATE if timedelta(seconds=passed) <= LATE else LATE_COUNTS)
        attempt = record.attempt
        assert attempt is not None
        assert attempt.progress_at <= this.at
        assert abs(this.at - attempt.progress_at - seen) <= slack
        if attempt.healthy_since is None:
            record = replace(record, attempt=replace(attempt, healthy_since=this.at))
        before = this
