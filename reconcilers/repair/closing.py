"""How an episode ends, and what is left of it in the overlay: by verification, by git, and by people. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from desired.operations.operation import Operation
from desired.operations.same_job import digest
from desired.reasons import Reason
from reconcilers.record import Record
from reconcilers.repair.episode import APPROVED, Episode, Kept, Outcome, TryState
from reconcilers.spec import Spec


def mended(record: Record, spec: Spec, now: datetime) -> Record:
    """A trial that stayed healthy joins the overlay; a spec that became healthy without one has healed."""
    episode = record.episode
    if episode is None:
        return record
    last = episode.open_try
    if last is not None and spec.hash == last.spec_hash:
        kept = tuple(Kept(one, last.reason, last.rung, episode.id, now) for one in episode.trial)
        closed = episode.with_try(replace(last, state=TryState.VERIFIED, ended_at=now))
        return replace(
            record,
            overlay=_kept(record.overlay, kept),
            episode=None,
            last_episode=closed.ended(Outcome.REPAIRED, last.reason, now),
        )
    if spec.hash == episode.spec_hash:
        ended = episode.ended(Outcome.HEALED, "it became healthy by itself", now)
        return replace(record, episode=None, last_episode=ended)
    return record


def _kept(overlay: tuple[Kept, ...], kept: tuple[Kept, ...]) -> tuple[Kept, ...]:
    found = list(overlay)
    for one in kept:
        operation = one.operation
        same = next(
            (at for at, known in enumerate(found)
             if (known.operation.kind, known.operation.at) == (operation.kind, operation.at)
             and known.operation.new == operation.old),
            None,
        )  # fmt: skip
        if same is None:
            found.append(one)
        else:
            found[same] = replace(one, operation=replace(operation, old=found[same].operation.old))
    return tuple(found)


def settle(record: Record, written: Spec, standing: tuple[Kept, ...], contradicted: bool, now: datetime) -> Record:
    """Git says something new: what it contradicts or holds already is dropped, an episode about the old spec ends."""
    episode, last = record.episode, record.last_episode
    if episode is not None and (merged := _merged(episode, written, now)) is not None:
        episode = merged
    elif episode is not None and episode.written_hash != written.hash:
        last = episode.ended(Outcome.SUPERSEDED, "something else is wanted by now", now)
        episode = None
    elif contradicted and last is not None and last.outcome is Outcome.REPAIRED and last.durable is None:
        last = replace(last, durable=False, undone="person", told=f"{last.told}; then changed by a person in git")
    return replace(record, overlay=standing, episode=episode, last_episode=last)


def admitted(record: Record, spec_hash: str, now: datetime) -> Record:
    """A spec that counted as failed before it was registered, and that nobody objects to by now, has not failed."""
    failure, episode, last = record.failure_of(spec_hash), record.episode, record.last_episode
    if failure is None or failure.reason is not Reason.VALUE_MISSING:
        return record
    if episode is not None and episode.spec_hash == spec_hash and not episode.trial:
        last, episode = episode.ended(Outcome.HEALED, "what it reads is there by now", now), None
    return replace(record.without_failure(spec_hash), episode=episode, last_episode=last)


def _merged(episode: Episode, written: Spec, now: datetime) -> Episode | None:
    """Git says exactly what waits for approval, or what is being tried: whoever committed that has approved it."""
    one = episode.waiting or episode.open_try
    if one is None or episode.written_hash == written.hash:
        return None
    if one.spec_hash != written.hash and (not one.job_digest or one.job_digest != digest(written.body)):
        return None
    # What people write may list ports in another order: the same job, and another spec.
    one = replace(one, spec_hash=written.hash)
    if one.state is TryState.WAITING:
        one = replace(one, state=TryState.OPEN, told=f"{APPROVED}: it was committed", at=now)
    return replace(episode.with_try(one), written_hash=written.hash, trial=())


def approved(record: Record, proposal: str, now: datetime) -> Record:
    """In force, if the proposal is still the one that was approved; else nothing happens."""
    episode = record.episode
    waiting = episode.waiting if episode else None
    if episode is None or waiting is None or (proposal and proposal != waiting.hash):
        return record
    one = replace(waiting, state=TryState.OPEN, told=APPROVED, at=now)
    return replace(record, episode=replace(episode.with_try(one), trial=one.trial))


def rejected(record: Record, now: datetime) -> Record:
    episode = record.episode
    waiting = episode.waiting if episode else None
    if episode is None or waiting is None:
        return record
    closed = episode.with_try(replace(waiting, state=TryState.REJECTED, told="turned down by a person", ended_at=now))
    ended = closed.ended(Outcome.REJECTED, "turned down by a person", now)
    return replace(record, episode=None, last_episode=ended)


def taken_back(record: Record, now: datetime) -> Record:
    """A person does not want what was repaired: the job is as written again, and is not repaired again unasked."""
    last = record.last_episode
    if not record.overlay and record.episode is None:
        return record
    if record.episode is not None:
        last = record.episode.ended(Outcome.REJECTED, "taken back by a person", now)
    elif last is not None:
        last = replace(
            last, outcome=Outcome.REJECTED, durable=False, undone="person", told="taken back by a person", ended_at=now
        )
    good = record.last_good if record.last_good is not None and not record.last_good.repaired else None
    declined = record.applied.source_hash if record.applied else ""
    return replace(record, overlay=(), episode=None, last_episode=last, declined=declined, last_good=good, failed=())


def rolled_back(record: Record, now: datetime) -> Record:
    """The second, explicit step of the kill switch: a trial is put back. What only waits was never in force."""
    if record.episode is None or (record.episode.open_try is None and not record.episode.trial):
        return record
    ended = record.episode.ended(Outcome.STOPPED, "repairs were stopped, and rolled back", now)
    return replace(record, episode=None, last_episode=ended)


def joined(first: tuple[Operation, ...], then: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """Both, in order; two steps of one value become one."""
    found = list(first)
    for one in then:
        same = next((at for at, known in enumerate(found) if (known.kind, known.at) == (one.kind, one.at)), None)
        if same is not None and found[same].new == one.old:
            found[same] = replace(found[same], new=one.new)
        else:
            found.append(one)
    return tuple(found)
