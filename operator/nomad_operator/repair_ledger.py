"""Which failures have ended, and how: those of this process's life, and of each app the last one that its record holds.

Held in memory and bounded: a record remembers one ended episode of an app, so that after a restart the others are gone.
Metrics tell more, to whoever scrapes them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from desired.app import AppKey
from reconcilers.record import Record
from reconcilers.repair.episode import Episode
from reconcilers.repair.happened import Closed, Lasted, happened

# A story is some kilobytes.
MOST = 500


@dataclass(frozen=True, slots=True)
class Past:
    """One episode that is over."""

    key: AppKey
    episode: Episode

    @property
    def ended_at(self) -> datetime:
        return self.episode.ended_at or self.episode.opened_at


class RepairLedger:
    """A listener of the records. `since` is when it began to listen."""

    def __init__(self, *, since: datetime, most: int = MOST) -> None:
        self.since = since
        self._most = most
        self._past: OrderedDict[str, Past] = OrderedDict()

    @property
    def full(self) -> bool:
        """Older ones have been forgotten."""
        return len(self._past) >= self._most

    def saved(self, before: Record, after: Record) -> None:
        for one in happened(before, after):
            match one:
                case Closed(key, episode):
                    self._past[episode.id] = Past(key, episode)
                    if len(self._past) > self._most:
                        self._past.popitem(last=False)
                case Lasted(key, episode):
                    if episode.id in self._past:
                        known = self._past[episode.id].episode
                        lasted = replace(known, durable=episode.durable, undone=episode.undone)
                        self._past[episode.id] = Past(key, lasted)

    def past(self, records: Iterable[Record]) -> list[Past]:
        """All that are known, the newest first; `records` hold what ended before this process began."""
        known = dict(self._past)
        for record in records:
            if (last := record.last_episode) is not None and last.id not in known:
                known[last.id] = Past(record.key, last)
        return sorted(known.values(), key=lambda one: one.ended_at, reverse=True)
