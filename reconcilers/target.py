"""What an app is held to now, and of which spec a plan is needed to decide. Pure."""

from __future__ import annotations

from datetime import datetime

from desired.policy import OnFailure, Policy
from observers.running import Running
from reconcilers.record import Record
from reconcilers.situation import Aim, Desire, Target, Unclear, Wanted
from reconcilers.spec import Spec


def choose_target(desire: Desire, record: Record, policy: Policy, now: datetime) -> Target:
    """The desired spec, or the last good one while the desired one is unreadable or known to fail.

    A spec that failed for the cluster's, an external or a passing cause comes up again at its `retry_at`.
    """
    good = record.last_good
    if isinstance(desire, Unclear):
        if good is None:
            return Target(Aim.NOTHING)
        return Target(Aim.LAST_GOOD, good.spec, record.applied.source_hash if record.applied else "")
    if not isinstance(desire, Wanted):
        return Target(Aim.NOTHING)
    spec, source_hash = desire.spec, desire.app.source_hash
    failure = record.failure_of(spec.hash)
    if failure is None or (failure.retry_at is not None and now >= failure.retry_at):
        return Target(Aim.DESIRED, spec, source_hash, failure)
    if (
        good is None
        or good.spec.hash == spec.hash
        or not spec.rolls_back
        or policy.on_failure is OnFailure.HOLD
        or record.failure_of(good.spec.hash) is not None
    ):
        if _holds_a_trial(record, spec):
            # Nothing helped: the job is put back as the person wrote it.
            return Target(Aim.DESIRED, spec, source_hash, failure)
        return Target(Aim.LEFT, spec, source_hash, failure)
    # Not the file's own hash: what is applied for it is not what it says, and must not be taken for that later.
    return Target(Aim.LAST_GOOD, good.spec, "", failure)


def _holds_a_trial(record: Record, spec: Spec) -> bool:
    """What is registered is a repair that did not help."""
    last, applied = record.last_episode, record.applied
    return (
        record.episode is None
        and last is not None
        and applied is not None
        and applied.spec_hash != spec.hash
        and applied.spec_hash in last.tried_specs
    )


def _still_ours(running: Running, record: Record) -> Spec | None:
    """Nobody wants it: what has moved the job since we wrote it may be a count alone, or Nomad's way back."""
    job, applied = running.job, record.applied
    if job is None or job.stop or applied is None or applied.job_modify_index == job.job_modify_index:
        return None
    return record.last_good.spec if record.last_good else None


def spec_to_plan(target: Target, running: Running, record: Record) -> Spec | None:
    """The one spec whose plan the decision needs; None where what is remembered already tells."""
    job, attempt, spec = running.job, record.attempt, target.spec
    if attempt is not None and attempt.spec is not None and (spec is None or spec.hash != attempt.spec_hash):
        # Something else is wanted by now. Whether this was registered decides whether the job is ours.
        return attempt.spec
    if target.aim is Aim.NOTHING:
        return _still_ours(running, record)
    if spec is None or target.aim is Aim.LEFT or (record.run is not None and record.run.spec_hash == spec.hash):
        return None
    if attempt is not None and attempt.spec_hash == spec.hash:
        index = job.job_modify_index if job else 0
        stopped = job is not None and job.stop
        if attempt.job_modify_index == 0:
            return spec
        if index == attempt.job_modify_index and not stopped:
            return None
        # Somebody changed the job while it was being verified: is it back at the last good version?
        if record.last_good is not None and record.last_good.spec.hash != spec.hash and job is not None:
            return record.last_good.spec
        return None
    if attempt is not None:
        return None
    applied = record.applied
    as_applied = (
        job is not None
        and not job.stop
        and applied is not None
        and applied.spec_hash == spec.hash
        and applied.job_modify_index == job.job_modify_index
    )
    return None if as_applied else spec
