"""The breaker: when it opens, when it tries again, and that it says so once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from desired.errors import OperatorError, Unavailable
from prompts.model.breaker import Breaker, BreakerSettings, Call

GONE = Unavailable("the connection was refused", hint="is it running?")


class Bench:
    """A breaker that opens at 3 failures for 30 s, then 60, 100 at most, with its clock and what it told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[str] = []
        cool = BreakerSettings(failures=3, cool=timedelta(seconds=30), cool_at_most=timedelta(seconds=100))
        self.breaker = Breaker(clock=lambda: self.now, watcher=self._watch, settings=cool)

    def _watch(self, error: OperatorError | None) -> None:
        self.told.append(error.message if error else "back")

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            self.breaker.admit().failed(GONE)

    def refused(self) -> str:
        with pytest.raises(Unavailable) as told:
            self.breaker.admit()
        return told.value.message


def test_it_opens_after_failures_in_a_row_and_says_so_once() -> None:
    bench = Bench()
    bench.fail(2)
    bench.breaker.admit().worked()
    bench.fail(2)
    assert not bench.breaker.open and bench.told == []
    bench.fail()
    assert bench.breaker.open and bench.told == [GONE.message]
    assert (
        "failed 3 times in a row" in bench.refused()
        and GONE.message in bench.refused()
        and "in 30 s" in bench.refused()
    )


def test_one_question_is_the_trial_and_the_others_wait_for_it() -> None:
    bench = Bench()
    bench.fail(3)
    bench.now = 30
    trial = bench.breaker.admit()
    assert "by another question just now" in bench.refused()
    trial.worked()
    assert bench.told == [GONE.message, "back"]
    bench.breaker.admit()
    bench.breaker.admit()


def test_a_trial_that_fails_makes_the_next_one_wait_longer_up_to_a_bound_and_says_nothing() -> None:
    bench = Bench()
    bench.fail(3)
    for wait in (30, 60, 100, 100):
        bench.now += wait - 1
        bench.refused()
        bench.now += 1
        bench.fail()
    assert bench.told == [GONE.message]
    bench.now += 100
    bench.breaker.admit().worked()
    bench.fail(3)
    bench.now += 30
    bench.breaker.admit()


def test_a_trial_that_was_given_up_leaves_its_place_to_the_next() -> None:
    bench = Bench()
    bench.fail(3)
    bench.now = 30
    bench.breaker.admit().let_go()
    bench.breaker.admit().worked()
    assert bench.told == [GONE.message, "back"]


def test_questions_from_before_it_opened_neither_close_it_nor_keep_it_open_longer() -> None:
    bench = Bench()
    late, later = bench.breaker.admit(), bench.breaker.admit()
    bench.fail(3)
    late.worked()
    bench.now = 20
    later.failed(GONE)
    assert "in 10 s" in bench.refused() and bench.told == [GONE.message]


def test_only_the_first_word_of_a_question_counts() -> None:
    bench = Bench()
    call: Call = bench.breaker.admit()
    call.worked()
    for _ in range(5):
        call.failed(GONE)
        call.let_go()
    assert not bench.breaker.open
