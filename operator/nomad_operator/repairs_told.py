"""Counts and logs what happens to repairs, as it is remembered."""

from __future__ import annotations

from datetime import datetime

from nomad_operator.log import Log
from nomad_operator.metrics import Metrics
from reconcilers.record import Record
from reconcilers.repair.episode import Episode, Outcome, TryState
from reconcilers.repair.happened import Closed, Ended, Lasted, Opened, Proposed, happened
from reconcilers.repair.proposal import Rung

_NO_RUNG = "none"
_RUNGS = (_NO_RUNG, Rung.RULE.value, Rung.MEMORY.value, Rung.MODEL.value)


class RepairsTold:
    """A listener of the records."""

    def __init__(self, *, metrics: Metrics, log: Log) -> None:
        self._metrics = metrics
        self._log = log

    def saved(self, before: Record, after: Record) -> None:
        """One line for what people want to know, and the numbers of all."""
        for one in happened(before, after):
            match one:
                case Opened(key, episode):
                    self._metrics.failure_met(episode.diagnosis.failure.value, _RUNGS, [one.value for one in Outcome])
                    self._metrics.repair_took(
                        "detect", _seconds(episode.failing_since, episode.opened_at),
                        episode.diagnosis.failure.value, _NO_RUNG,
                    )  # fmt: skip
                    self._log.warning(
                        "failure", app=str(key), failure=episode.diagnosis.failure.value,
                        cause=episode.diagnosis.cause.value, message=episode.diagnosis.words, advice=episode.hint,
                    )  # fmt: skip
                case Proposed(key, episode, attempt, first):
                    if first:
                        self._metrics.repair_took(
                            "propose", _seconds(episode.opened_at, attempt.at),
                            attempt.diagnosis.failure.value, attempt.rung.value,
                        )  # fmt: skip
                    for invariant in attempt.violations:
                        self._metrics.guarded(invariant)
                    self._log.info(
                        "repair", app=str(key), failure=attempt.diagnosis.failure.value, rung=attempt.rung.value,
                        state=attempt.state.value, reason=attempt.reason, told=attempt.told,
                    )  # fmt: skip
                case Ended(_, _, attempt):
                    outcome = "verified" if attempt.state is TryState.VERIFIED else "failed"
                    self._metrics.attempt_ended(attempt.diagnosis.failure.value, attempt.rung.value, outcome)
                case Closed(key, episode):
                    self._closed(str(key), episode)
                case Lasted(_, episode):
                    self._metrics.repair_lasted(
                        "" if episode.durable else episode.undone, episode.diagnosis.failure.value, _rung(episode)
                    )

    def _closed(self, app: str, episode: Episode) -> None:
        assert episode.outcome is not None and episode.ended_at is not None
        failure, rung = episode.diagnosis.failure.value, _rung(episode)
        self._metrics.episode_closed(failure, rung, episode.outcome.value)
        if episode.outcome is Outcome.REPAIRED:
            self._metrics.repair_took("healthy", _seconds(episode.opened_at, episode.ended_at), failure, rung)
        self._log.info(
            "episode over", app=app, failure=episode.diagnosis.failure.value, outcome=episode.outcome.value,
            attempts=episode.attempts, told=episode.told,
        )  # fmt: skip


def _rung(episode: Episode) -> str:
    """Whose repair was tried last."""
    acted = [one.rung.value for one in episode.tries if one.acted]
    return acted[-1] if acted else _NO_RUNG


def _seconds(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds()
