"""Tokens of an hour and of a purse: reserved before they are spent, and never more than there are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.model.token_budget import OutOfTokens, Reservation, TokenBudget


class Clock:
    """Stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_reserved_counts_until_it_is_settled() -> None:
    budget = TokenBudget(per_hour=100, per_purse=100, clock=Clock())
    first = budget.reserve(80)
    with pytest.raises(OutOfTokens, match="30 tokens"):
        budget.reserve(30)
    first.settle(10)
    budget.reserve(90)
    assert budget.spent == 100


def test_a_reservation_that_nobody_speaks_of_again_stays_spent() -> None:
    budget = TokenBudget(per_hour=100, per_purse=100, clock=Clock())
    budget.reserve(100)
    with pytest.raises(OutOfTokens):
        budget.reserve(1)


def test_what_was_never_asked_is_given_back() -> None:
    budget = TokenBudget(per_hour=100, per_purse=100, clock=Clock())
    budget.reserve(100, purse="e1").release()
    budget.reserve(100, purse="e1")


def test_what_cost_more_than_was_set_aside_is_counted_whole() -> None:
    budget = TokenBudget(per_hour=100, per_purse=100, clock=Clock())
    budget.reserve(10).settle(500)
    with pytest.raises(OutOfTokens):
        budget.reserve(1)


def test_an_hour_later_there_is_room_and_it_was_said_when() -> None:
    clock = Clock()
    budget = TokenBudget(per_hour=100, per_purse=1000, clock=clock)
    budget.reserve(40)
    clock.now = 600
    budget.reserve(60)
    with pytest.raises(OutOfTokens) as told:
        budget.reserve(30)
    assert told.value.retry_after == timedelta(seconds=3000)
    with pytest.raises(OutOfTokens) as told:
        budget.reserve(50)
    assert told.value.retry_after == timedelta(seconds=3600)
    clock.now = 3600
    budget.reserve(40)


def test_what_an_hour_can_never_pay_is_not_promised_for_later() -> None:
    with pytest.raises(OutOfTokens) as told:
        TokenBudget(per_hour=100, per_purse=1000, clock=Clock()).reserve(101)
    assert told.value.retry_after is None and "TOKENS_PER_HOUR" in told.value.hint


def test_a_purse_is_empty_for_itself_and_an_hour_does_not_fill_it() -> None:
    clock = Clock()
    budget = TokenBudget(per_hour=1000, per_purse=100, clock=clock)
    budget.reserve(100, purse="e1")
    budget.reserve(100, purse="e2")
    budget.reserve(500)
    for clock.now in (0, 3601, 80_000):
        with pytest.raises(OutOfTokens, match="for e1") as told:
            budget.reserve(1, purse="e1")
        assert told.value.retry_after is None and "TOKENS_PER_EPISODE" in told.value.hint


def test_a_refusal_sets_nothing_aside() -> None:
    budget = TokenBudget(per_hour=100, per_purse=50, clock=Clock())
    for _ in range(5):
        with pytest.raises(OutOfTokens):
            budget.reserve(60, purse="e1")
    assert budget.spent == 0
    budget.reserve(50, purse="e1")


def test_purses_that_nobody_used_for_a_day_are_forgotten() -> None:
    clock = Clock()
    budget = TokenBudget(per_hour=10**6, per_purse=10, clock=clock)
    for number in range(100):
        budget.reserve(10, purse=f"e{number}")
    clock.now = 86_401
    budget.reserve(10, purse="later")
    assert list(budget._purses) == ["later"]


_step = st.tuples(
    st.sampled_from(["reserve", "settle", "release", "wait"]),
    st.integers(0, 60),
    st.sampled_from(["", "a", "b"]),
    st.integers(0, 5),
)


@given(st.lists(_step, max_size=60))
def test_no_order_of_calls_overdraws_a_budget(steps: list[tuple[str, int, str, int]]) -> None:
    """Settled at most at what was set aside, neither the hour nor a purse is ever above its bound."""
    clock = Clock()
    budget = TokenBudget(per_hour=100, per_purse=70, clock=clock)
    made: list[tuple[Reservation, float, str]] = []
    for what, amount, purse, which in steps:
        if what == "wait":
            clock.now += amount * 60
        elif what == "reserve":
            try:
                made.append((budget.reserve(amount, purse=purse), clock.now, purse))
            except OutOfTokens:
                continue
        elif made:
            one = made[which % len(made)][0]
            one.settle(min(amount, one.tokens)) if what == "settle" else one.release()
        assert sum(one.tokens for one, at, _ in made if at > clock.now - 3600) == budget.spent <= 100
        for name in ("a", "b"):
            # Within a day of its last use; the steps above do not last longer than sixty hours in all.
            assert sum(one.tokens for one, at, of in made if of == name and at > clock.now - 86_400) <= 70
