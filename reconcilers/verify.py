"""Health over time: has an attempt stayed healthy for the soak, or stood still for too long? Pure.

Only more healthy allocations, and an image that is still being fetched, are progress; restarts are not. The deadline is
the larger of the job's own and the app's, counted from the last progress, so a slow rolling update is healthy. What
nobody watched does not lie between the times of an attempt and now: `reconcilers.watch` sees to that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from desired.cause import Cause
from desired.policy import Verify
from desired.reasons import Reason
from desired.state import JobBody
from observers.running import Allocation, Running, TaskState
from reconcilers.health import Health, Phase
from reconcilers.record import Attempt

# Source: Nomad api.DefaultUpdateStrategy: progress_deadline is 10 m where the job names none.
_NOMAD_PROGRESS_DEADLINE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Continue:
    """Not decided yet. `attempt` is to be remembered if it changed; look again at `again_at` at the latest."""

    attempt: Attempt
    again_at: datetime


@dataclass(frozen=True, slots=True)
class Verified:
    """It stayed healthy, or it is done."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It will not become healthy by itself."""

    reason: Reason
    message: str
    cause: Cause


Verdict = Continue | Verified | Failed


def verify(attempt: Attempt, health: Health, running: Running, policy: Verify, now: datetime) -> Verdict:
    """Judge an attempt whose job is registered and unchanged since."""
    match health.phase:
        case Phase.DONE:
            return Verified()
        case Phase.FAILED:
            return Failed(health.reason, health.message, Cause.UNKNOWN)
        case Phase.HEALTHY if health.reason is Reason.REGISTERED:
            return Verified()
        case Phase.HEALTHY:
            return _soak(attempt, health, running, policy, now)
        case Phase.PROMOTION:
            # A person decides; the time that takes is not a lack of progress.
            waiting = replace(attempt, progress_at=now, healthy_since=None)
            return Continue(waiting if now - attempt.progress_at > timedelta(minutes=1) else attempt, _later(now, 60))
    if health.reason is Reason.RUNNING:
        # How long a batch run takes is its own business.
        return Continue(attempt, _later(now, 60))
    return _progress(attempt, health, running, policy, now)


def _soak(attempt: Attempt, health: Health, running: Running, policy: Verify, now: datetime) -> Verdict:
    since = attempt.healthy_since
    if since is None or _restarted_since(running.allocations, attempt.newest_start):
        started = replace(
            attempt,
            healthy_since=now,
            progress_at=now if health.healthy > attempt.best else attempt.progress_at,
            best=max(attempt.best, health.healthy),
            newest_start=_newest_start(running.allocations),
        )
        return Continue(started, now + policy.soak)
    if now - since >= policy.soak:
        return Verified()
    return Continue(attempt, since + policy.soak)


def _progress(attempt: Attempt, health: Health, running: Running, policy: Verify, now: datetime) -> Verdict:
    if attempt.healthy_since is not None:
        attempt = replace(attempt, healthy_since=None)
    if health.healthy > attempt.best:
        attempt = replace(attempt, best=health.healthy, progress_at=now, taken_over=0)
    deadline = deadline_of(running.job.body if running.job else {}, policy)
    if health.pulling and now - attempt.progress_at > deadline / 2:
        attempt = replace(attempt, progress_at=now)
    gives_up_at = attempt.progress_at + deadline
    if now < gives_up_at:
        return Continue(attempt, gives_up_at)
    if health.phase is Phase.UNPLACED:
        return Failed(Reason.PLACEMENT_FAILED, health.message, Cause.CLUSTER)
    waited = int((now - attempt.progress_at).total_seconds())
    return Failed(Reason.NO_PROGRESS, f"no progress for {waited} s: {health.message}", Cause.UNKNOWN)


def deadline_of(body: JobBody, policy: Verify) -> timedelta:
    """How long an attempt may stand still; the job's own progress deadline if that is longer."""
    own = [
        _nanoseconds(group["Update"].get("ProgressDeadline"))
        for group in body.get("TaskGroups") or ()
        if group.get("Update")
    ]
    return max([policy.timeout, *own])


def _nanoseconds(value: int | None) -> timedelta:
    return _NOMAD_PROGRESS_DEADLINE if value is None else timedelta(microseconds=value / 1000)


def _restarted_since(allocations: tuple[Allocation, ...], newest_start: datetime | None) -> bool:
    """A task that restarted after the soak began did not stay healthy, even if nobody saw it fall.

    Only times that Nomad told are compared: our clock may be hours off.
    """
    return any(
        state.restarts > 0 and (newest_start is None or state.started_at > newest_start)
        for state in _wanted(allocations)
        if state.started_at is not None
    )


def _newest_start(allocations: tuple[Allocation, ...]) -> datetime | None:
    return max((state.started_at for state in _wanted(allocations) if state.started_at is not None), default=None)


def _wanted(allocations: tuple[Allocation, ...]) -> Iterator[TaskState]:
    for allocation in allocations:
        if allocation.desired_status == "run":
            yield from allocation.tasks.values()


def _later(now: datetime, seconds: int) -> datetime:
    return now + timedelta(seconds=seconds)
