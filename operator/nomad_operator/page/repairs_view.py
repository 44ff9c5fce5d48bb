"""Repairs over time, from the episodes that are remembered: how many held, by class, by rung, by hour or day. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from reconcilers.repair.episode import Outcome

# The same as in the metrics' fix rate.
NOT_COUNTED = frozenset({
    Outcome.SUPERSEDED.value, Outcome.STOPPED.value, Outcome.HEALED.value, Outcome.NOT_OURS.value,
})  # fmt: skip
_HOURS, _DAYS = 24, 30
# Up to here hours say more than days.
_BY_HOUR = timedelta(hours=48)

Ended = Mapping[str, Any]


class Fate(StrEnum):
    """What became of a failure, as far as fix rates ask."""

    HELD = "held"
    WATCHED = "watched"
    NOT_REPAIRED = "not-repaired"
    NOT_COUNTED = "not-counted"


FATES = {
    Fate.HELD: "repaired, and it held for half an hour",
    Fate.WATCHED: "repaired, half an hour is not over",
    Fate.NOT_REPAIRED: "not repaired, or it did not hold",
    Fate.NOT_COUNTED: "not counted: healed by itself, superseded, stopped, or not the job's",
}


@dataclass(frozen=True, slots=True)
class Share:
    """Of `counted` failures that can be judged, `held` were repaired for good; None: there is none to judge."""

    label: str
    held: int
    counted: int
    watched: int
    left_out: int

    @property
    def percent(self) -> int | None:
        return round(100 * self.held / self.counted) if self.counted else None


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour or day; `at` is its beginning in UTC."""

    at: datetime
    numbers: Mapping[Fate, int]


@dataclass(frozen=True, slots=True)
class RepairsView:
    """`by_day` says what a bar is; `older` are episodes from before the first of them."""

    overall: Share
    precision: Share
    by_class: Sequence[Share]
    by_rung: Sequence[Share]
    bars: Sequence[Bar]
    by_day: bool
    older: int


def repairs_view(episodes: Sequence[Ended], now: datetime) -> RepairsView:
    """`episodes` as `past_repairs` tells them."""
    bars, by_day, older = _bars(episodes, now)
    tried = [one for one in episodes if one["rung"] != "none"]
    return RepairsView(
        overall=_share("all", episodes),
        precision=_share("tried", tried),
        by_class=_shares(episodes, lambda one: str(one["class"])),
        by_rung=_shares(tried, lambda one: str(one["rung"])),
        bars=bars,
        by_day=by_day,
        older=older,
    )


def fate(one: Ended) -> Fate:
    if one["outcome"] in NOT_COUNTED:
        return Fate.NOT_COUNTED
    if one["outcome"] == Outcome.REPAIRED.value and one["durable"] is not False:
        return Fate.HELD if one["durable"] else Fate.WATCHED
    return Fate.NOT_REPAIRED


def _share(label: str, episodes: Iterable[Ended]) -> Share:
    numbers = Counter(fate(one) for one in episodes)
    return Share(
        label=label,
        held=numbers[Fate.HELD],
        counted=numbers[Fate.HELD] + numbers[Fate.NOT_REPAIRED],
        watched=numbers[Fate.WATCHED],
        left_out=numbers[Fate.NOT_COUNTED],
    )


def _shares(episodes: Iterable[Ended], by: Callable[[Ended], str]) -> list[Share]:
    groups: defaultdict[str, list[Ended]] = defaultdict(list)
    for one in episodes:
        groups[by(one)].append(one)
    return sorted((_share(label, group) for label, group in groups.items()), key=lambda one: (-one.counted, one.label))


def _bars(episodes: Sequence[Ended], now: datetime) -> tuple[list[Bar], bool, int]:
    times = [datetime.fromisoformat(one["endedAt"]) for one in episodes]
    by_day = bool(times) and now - min(times) > _BY_HOUR
    size, number = (timedelta(days=1), _DAYS) if by_day else (timedelta(hours=1), _HOURS)
    whole = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    last = whole.replace(hour=0) if by_day else whole
    first = last - (number - 1) * size
    numbers: defaultdict[int, Counter[Fate]] = defaultdict(Counter)
    for one, at in zip(episodes, times, strict=True):
        numbers[(at - first) // size][fate(one)] += 1
    bars = [Bar(first + place * size, numbers[place]) for place in range(number)]
    return bars, by_day, sum(numbers[place].total() for place in [*numbers] if place < 0)
