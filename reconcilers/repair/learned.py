"""What an episode teaches: one memory for each try whose end is known. Pure; the same episode, the same memories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from desired.app import AppKey
from reconcilers.repair.episode import Episode, Outcome, Try, TryState
from reconcilers.repair.remembered import Learned, Remembered

# What the guard says of the moment, not of the repair.
_OF_THE_MOMENT = frozenset({"repeated", "precondition"})


@dataclass(frozen=True, slots=True)
class Where:
    """Which cluster this is, and who remembers."""

    cluster: str
    version: str = ""
    nomad_version: str = ""


def learned(key: AppKey, episode: Episode, where: Where) -> Iterator[Remembered]:
    """A repair that waits, or is being verified, teaches nothing yet."""
    for number, one in enumerate(episode.tries):
        outcome = _outcome(episode, number, one)
        if outcome is None or one.lesson is None:
            continue
        yield Remembered(
            key=f"{episode.id}-{number}",
            failure=one.diagnosis.failure.value,
            signature=one.lesson.signature,
            text=one.lesson.words,
            steps=one.lesson.steps,
            outcome=outcome,
            rung=one.rung.value,
            source=one.source,
            cluster=where.cluster,
            app=str(key),
            at=one.ended_at or one.at,
            approved=one.approved,
            version=where.version,
            nomad_version=where.nomad_version,
        )


def _outcome(episode: Episode, number: int, one: Try) -> Learned | None:
    match one.state:
        case TryState.VERIFIED:
            return _lasted(episode)
        case TryState.GUARDED:
            return None if _OF_THE_MOMENT.issuperset(one.violations) else Learned.GUARDED
        case TryState.REJECTED:
            return Learned.REJECTED if episode.outcome is Outcome.REJECTED else None
        case TryState.OPEN:
            return Learned.REVERTED if episode.outcome is Outcome.REJECTED else None
        case TryState.FAILED:
            return _failed(episode, number, one)
    return None


def _lasted(episode: Episode) -> Learned:
    if episode.undone == "person" or episode.outcome is Outcome.REJECTED:
        return Learned.REVERTED
    if episode.undone:
        return Learned.UNDONE
    return Learned.DURABLE if episode.durable else Learned.VERIFIED


def _failed(episode: Episode, number: int, one: Try) -> Learned | None:
    """What led on to a repair did not fail: it mended its own failure, or was a step of several.

    Only the end of the episode tells. What was written too early would stay in the memory.
    """
    if episode.outcome is None:
        return None
    later = [then for then in episode.tries[number + 1 :] if then.acted]
    mended = bool(later) and later[0].diagnosis.signature != one.diagnosis.signature and _part_of(one, later[0])
    if mended:
        return _lasted(episode) if episode.outcome is Outcome.REPAIRED else None
    if any(then.state is TryState.VERIFIED and _same_steps(then, one) for then in later):
        return None
    return Learned.FAILED


def _part_of(one: Try, then: Try) -> bool:
    return all(operation in then.trial for operation in one.operations)


def _same_steps(then: Try, one: Try) -> bool:
    return then.lesson is not None and one.lesson is not None and then.lesson.steps == one.lesson.steps
