"""How much of the time since the last look at an app counts: only while somebody looked.

A clock that was set, Nomad away for an hour, a process that was killed and comes back tomorrow: none of it is a lack of
progress, and none of it proves that anything stayed healthy. The looks are held in memory and nothing is written for
one: a process that has just begun has not looked yet, which is just what it has to know. Called by each pass with what
is remembered of its app; the record is only changed where time was lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from desired.app import AppKey
from reconcilers.record import Attempt, Record

# An open attempt is looked at every minute, and the longest pass takes two: a look that comes later was missed.
LATE = timedelta(minutes=3)
# What a missed look counts for. Not nothing: an attempt must end also where every look comes late.
LATE_COUNTS = timedelta(seconds=15)
# Below this a clock is being disciplined, not set.
_SET = timedelta(seconds=5)
# A process that is killed and started again and again would else never let an attempt end.
TAKEN_OVER_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Look:
    """An instant by both clocks: the one that people set, and a reading in seconds of one that only goes on."""

    at: datetime
    reading: float


def watched(record: Record, before: Look | None, this: Look) -> Record:
    """What is remembered, as it is to be read at `this` look. `before` is None at the first look of a process.

    Moves times so that what lies between them and now is what was watched; where nothing was lost it is the same.
    """
    if before is None:
        record = record.as_of(this.at)
        return replace(record, attempt=record.attempt and _taken_over(record.attempt, this.at))
    passed = timedelta(seconds=max(this.reading - before.reading, 0.0))
    jump = this.at - before.at - passed
    if abs(jump) <= _SET:
        jump = timedelta(0)
    unseen = passed - LATE_COUNTS if passed > LATE else timedelta(0)
    attempt, withdrawal = record.attempt, record.withdrawal
    if attempt is not None and (jump or unseen):
        since = attempt.healthy_since + jump if attempt.healthy_since and not unseen else None
        attempt = replace(attempt, progress_at=attempt.progress_at + jump + unseen, healthy_since=since)
    if withdrawal is not None and jump:
        # How long it has been withdrawn is known without a look; only the clock must not shorten it.
        withdrawal = replace(withdrawal, since=withdrawal.since + jump)
    return replace(record, attempt=attempt, withdrawal=withdrawal).as_of(this.at)


def _taken_over(attempt: Attempt, now: datetime) -> Attempt:
    """Another process was watching. Too often without progress in between, and the clock on the wall decides."""
    if attempt.taken_over >= TAKEN_OVER_AT_MOST:
        return attempt
    return replace(attempt, progress_at=now, healthy_since=None, taken_over=attempt.taken_over + 1)


class Watch:
    """The last look of this process at each app. `clock` only goes on, in seconds."""

    def __init__(self, *, now: Callable[[], datetime], clock: Callable[[], float]) -> None:
        self._now = now
        self._clock = clock
        self._looks: dict[AppKey, Look] = {}

    def look(self) -> Look:
        return Look(self._now(), self._clock())

    def watched(self, record: Record, this: Look) -> Record:
        """See the function. Asked twice it says the same, until `looked`."""
        return watched(record, self._looks.get(record.key), this)

    def looked(self, key: AppKey, this: Look) -> None:
        """To be told once what `watched` said is remembered: else the same time would be lost twice."""
        self._looks[key] = this

    def forget(self, key: AppKey) -> None:
        """Nothing is left of the app."""
        self._looks.pop(key, None)
