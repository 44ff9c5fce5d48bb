"""How repairs went, from what is remembered: defined as the metrics do, and what cannot be judged yet is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nomad_operator.page.chart import HEIGHT, WIDTH, chart
from nomad_operator.page.repairs_view import Fate, fate, repairs_view
from reconcilers.repair.episode import Outcome

NOW = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)


def ended(hours_ago: float = 1, outcome: str = "repaired", durable: bool | None = True, **more: Any) -> dict[str, Any]:
    at = (NOW - timedelta(hours=hours_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"class": "oom_killed", "rung": "rule", "outcome": outcome, "durable": durable, "endedAt": at, **more}


@pytest.mark.parametrize(
    ("outcome", "durable", "is_"),
    [
        ("repaired", True, Fate.HELD), ("repaired", None, Fate.WATCHED), ("repaired", False, Fate.NOT_REPAIRED),
        ("rolled_back", None, Fate.NOT_REPAIRED), ("exhausted", None, Fate.NOT_REPAIRED),
        ("rejected", None, Fate.NOT_REPAIRED), ("healed", None, Fate.NOT_COUNTED),
        ("superseded", None, Fate.NOT_COUNTED), ("stopped", None, Fate.NOT_COUNTED),
        ("not_ours", None, Fate.NOT_COUNTED),
    ],
)  # fmt: skip
def test_every_end_has_a_fate(outcome: str, durable: bool | None, is_: Fate) -> None:
    assert Outcome(outcome) and fate(ended(outcome=outcome, durable=durable)) is is_


def test_what_cannot_be_judged_yet_is_in_no_rate() -> None:
    view = repairs_view(
        [ended(), ended(durable=None), ended(outcome="exhausted", rung="none"), ended(outcome="healed")], NOW
    )
    assert (view.overall.percent, view.overall.watched, view.overall.left_out) == (50, 1, 1)
    assert (view.precision.held, view.precision.counted) == (1, 1)
    assert repairs_view([], NOW).overall.percent is None


def test_rates_stand_by_class_and_by_rung_that_was_tried() -> None:
    past = [ended(), ended(outcome="rolled_back", **{"class": "crash"}), ended(outcome="exhausted", rung="none")]
    view = repairs_view(past, NOW)
    assert {one.label: one.percent for one in view.by_class} == {"oom_killed": 50, "crash": 0}
    assert [one.label for one in view.by_rung] == ["rule"], "what nobody tried to repair has no rung"


def test_hours_while_they_say_more_and_days_after() -> None:
    hours = repairs_view([ended(0.1), ended(1.2), ended(30)], NOW)
    assert (hours.by_day, len(hours.bars), hours.older) == (False, 24, 1)
    assert [bar.numbers.get(Fate.HELD, 0) for bar in hours.bars[-2:]] == [1, 1]
    days = repairs_view([ended(0.1), ended(24 * 10), ended(24 * 60)], NOW)
    assert (days.by_day, len(days.bars), days.older) == (True, 30, 1)
    assert days.bars[-1].at == NOW.replace(hour=0, minute=0)


def test_bars_stay_in_the_picture_and_are_as_high_as_their_numbers() -> None:
    past = [ended(0.1) for _ in range(7)] + [ended(0.2, outcome="exhausted") for _ in range(14)] + [ended(20)]
    view = repairs_view(past, NOW)
    drawn = chart(view.bars, by_day=view.by_day)
    for one in drawn.pieces:
        assert one.x >= 0 and one.x + one.width <= WIDTH and one.y >= 0 and one.y + one.height <= HEIGHT
    held, failed = (
        next(one for one in drawn.pieces[1:] if one.fate is wanted) for wanted in (Fate.HELD, Fate.NOT_REPAIRED)
    )
    assert failed.height == pytest.approx(2 * held.height, abs=0.2)
    assert failed.y + failed.height == pytest.approx(held.y, abs=0.2), "one stands on the other"
    assert all(float(one.text).is_integer() for one in drawn.lines)


def test_nothing_to_draw_is_an_empty_picture() -> None:
    assert not chart(repairs_view([], NOW).bars, by_day=False).pieces
