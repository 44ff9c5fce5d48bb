"""Which apps have to be looked at, by comparing two cheap lists with what was last decided. Pure.

A settled app whose file, indexes and health are what they were needs no call of its own. So a resync of a quiet fleet
costs the same two requests for ten apps and for a thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from desired.app import AppKey
from desired.state import DesiredState
from observers.running import Fleet, FleetEntry
from reconcilers.decision import Condition
from reconcilers.record import Record
from reconcilers.reports import AppReport

# What a job looked like when its app was last found settled; any difference is a reason to look.
Fingerprint = tuple[int, bool, str, tuple[tuple[str, int], ...], int, str]


def fingerprint(entry: FleetEntry | None) -> Fingerprint | None:
    """None where the job does not exist."""
    if entry is None:
        return None
    counts = tuple(sorted((status, number) for status, number in entry.counts.items() if number))
    return (entry.job_modify_index, entry.stop, entry.status, counts, entry.unhealthy, entry.deployment_status)


def keys_of(state: DesiredState | None, records: Iterable[Record], origin: str) -> set[AppKey]:
    """Every app there is something to say of: wanted, spoken of, or remembered from this source."""
    keys = {record.key for record in records if record.origin == origin}
    if state is not None:
        keys |= state.apps.keys() | state.conflicts.keys()
        keys |= {file.key for file in state.unreadable if file.key is not None}
    return keys


def moved_in_git(state: DesiredState, reports: Mapping[AppKey, AppReport], keys: Iterable[AppKey]) -> set[AppKey]:
    """Apps whose file is not the one of their last decision: new, changed, gone, or unclear by now; and those that wait
    for others: what they wait for, or the circle they stood in, may be what has changed."""
    moved = set()
    for key in keys:
        report = reports.get(key)
        app = state.apps.get(key)
        waits = report is not None and Condition.DEPENDENCY_NOT_READY in report.conditions
        if report is None or app is None or app.source_hash != report.source_hash or waits:
            moved.add(key)
    return moved


@dataclass(frozen=True, slots=True)
class Comparison:
    """`moved` has to be looked at; `seen` is what every settled app looked like, for the next comparison."""

    moved: frozenset[AppKey]
    seen: Mapping[AppKey, Fingerprint | None]


def moved_in_nomad(
    fleet: Fleet, seen: Mapping[AppKey, Fingerprint | None], reports: Mapping[AppKey, AppReport], keys: Iterable[AppKey]
) -> Comparison:
    """Apps that are not settled, or whose job does not look as it did when they were.

    An app settled since the last comparison is taken as it stands if its job is the one that was decided on; its health
    may have changed in between, but then an event has woken it.
    """
    moved, now_seen = set(), {}
    for key in keys:
        report = reports.get(key)
        entry = fleet.entries.get(key)
        if report is None or not report.settled:
            moved.add(key)
            continue
        looks = fingerprint(entry)
        decided_on = (entry.job_modify_index if entry else 0) == report.job_modify_index
        if decided_on and (key not in seen or seen[key] == looks):
            now_seen[key] = looks
        else:
            moved.add(key)
    return Comparison(frozenset(moved), now_seen)
