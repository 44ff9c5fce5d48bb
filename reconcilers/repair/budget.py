"""How much may be repaired at once, and in an hour: a wrong idea must not walk through a whole fleet.

What was used stands in the records, so a restart forgets nothing. A repair is reserved before it is remembered, so that
two passes at the same time cannot take the same place. Who waits for one is woken when it is free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from desired.app import AppKey
from reconcilers.record import Record
from reconcilers.repair.episode import Episode

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """Of the whole fleet. 0 means none at all."""

    per_hour: int = 30
    at_once: int = 5


class Budget:
    """`records` are all that are known, read anew at each question. `wake` is for who waited longest."""

    def __init__(
        self, *, settings: BudgetSettings, records: Iterable[Record], wake: Callable[[AppKey], None] | None = None
    ) -> None:
        self._settings = settings
        self._records = records
        self._wake = wake
        self._reserved: set[AppKey] = set()
        self._turned_away: dict[AppKey, None] = {}  # in the order in which they came

    def refusal(self, key: AppKey, now: datetime) -> str:
        """Why there is no room for another repair; empty where there is."""
        told = self._refusal(key, now)
        if told:
            self._turned_away.setdefault(key)
        else:
            self._turned_away.pop(key, None)
        return told

    def _refusal(self, key: AppKey, now: datetime) -> str:
        reserved = self._reserved - {key}
        open_now = self._under_way() - {key}
        if len(open_now | reserved) >= self._settings.at_once:
            return f"{self._settings.at_once} repairs are under way already"
        used = sum(_acted_since(record, now - _HOUR) for record in self._records) + len(reserved - open_now)
        if used >= self._settings.per_hour:
            return f"{self._settings.per_hour} repairs were made in the last hour already"
        return ""

    def reserve(self, key: AppKey, now: datetime) -> str:
        """Empty: the place is taken until `release`. Else why there is none."""
        told = self.refusal(key, now)
        if not told:
            self._reserved.add(key)
        return told

    def release(self, key: AppKey) -> None:
        """The repair is remembered in its record, or was not made."""
        self._reserved.discard(key)
        self._next()

    def saved(self, before: Record, after: Record) -> None:
        """A listener of the records."""
        if _on_trial(before) and not _on_trial(after):
            self._next()

    def _next(self) -> None:
        """Only the first: the others would find the place taken, and each look asks Nomad for all the evidence."""
        if self._wake is None or not self._turned_away:
            return
        if len(self._under_way() | self._reserved) < self._settings.at_once:
            first = next(iter(self._turned_away))
            del self._turned_away[first]
            self._wake(first)

    def _under_way(self) -> set[AppKey]:
        return {record.key for record in self._records if _on_trial(record)}


def _on_trial(record: Record) -> bool:
    return record.episode is not None and bool(record.episode.trial)


def _acted_since(record: Record, since: datetime) -> int:
    return sum(_acted(one, since) for one in (record.episode, record.last_episode) if one is not None)


def _acted(episode: Episode, since: datetime) -> int:
    return sum(1 for one in episode.tries if one.acted and one.at >= since)
