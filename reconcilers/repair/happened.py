"""What a change of a record says about repairs: for metrics, the log and whoever listens. Pure.

Derived from the record before and after, so that what is counted is exactly what was remembered, once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from desired.app import AppKey
from reconcilers.record import Record
from reconcilers.repair.episode import Episode, Outcome, Try, TryState

_ENDED = frozenset({TryState.VERIFIED, TryState.FAILED})
_IN_FORCE = _ENDED | {TryState.OPEN}


@dataclass(frozen=True, slots=True)
class Opened:
    """A failure was named."""

    key: AppKey
    episode: Episode


@dataclass(frozen=True, slots=True)
class Proposed:
    """A rung had an answer: it is in force, waits for a person, or was turned down by the guard."""

    key: AppKey
    episode: Episode
    attempt: Try
    first: bool  # of this episode


@dataclass(frozen=True, slots=True)
class Approved:
    """A person wants a proposal that waited: by a command, or by committing it."""

    key: AppKey
    episode: Episode
    attempt: Try


@dataclass(frozen=True, slots=True)
class Ended:
    """A repair that was in force was verified, or did not help."""

    key: AppKey
    episode: Episode
    attempt: Try


@dataclass(frozen=True, slots=True)
class Closed:
    """An episode is over."""

    key: AppKey
    episode: Episode


@dataclass(frozen=True, slots=True)
class Lasted:
    """What became of a repair within half an hour: it held, or a person or another failure undid it."""

    key: AppKey
    episode: Episode


Happened = Opened | Proposed | Approved | Ended | Closed | Lasted


def happened(before: Record, after: Record) -> Iterator[Happened]:
    """In the order in which it happened."""
    yield from _lasted(before, after)
    known = {one.id: one for one in (before.episode, before.last_episode) if one is not None}
    for now in _changed(before, after):
        was = known.get(now.id)
        if was is None:
            yield Opened(after.key, now)
        yield from _tries(after.key, was, now)
        if now.outcome is not None and (was is None or was.outcome is None):
            yield Closed(after.key, now)


def _changed(before: Record, after: Record) -> Iterator[Episode]:
    for one in (after.last_episode, after.episode):
        if one is not None and one not in (before.episode, before.last_episode):
            yield one


def _tries(key: AppKey, was: Episode | None, now: Episode) -> Iterator[Happened]:
    before = was.tries if was is not None else ()
    for number, one in enumerate(now.tries):
        if number >= len(before):
            yield Proposed(key, now, one, first=number == 0)
        elif before[number].state is TryState.WAITING and one.state in _IN_FORCE:
            yield Approved(key, now, one)
        if one.state in _ENDED and (number >= len(before) or before[number].state is not one.state):
            yield Ended(key, now, one)


def _lasted(before: Record, after: Record) -> Iterator[Lasted]:
    was, now = before.last_episode, after.last_episode
    if was is None or was.durable is not None or was.outcome is not Outcome.REPAIRED:
        return
    if now is not None and now.id == was.id:
        if now.durable is not None:
            yield Lasted(after.key, now)
    else:
        # Another failure has ended since: the episode of the repair gave way to its.
        yield Lasted(after.key, replace(was, durable=False, undone="failure"))
