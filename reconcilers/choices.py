"""What each row of the state table does: one action, and the words that people read. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from desired.policy import Drift
from desired.reasons import Reason
from reconcilers import questions as ask
from reconcilers.decision import Action, Condition, Decision, Forget, Register, Remember, Rest, Step, Stop, Truth
from reconcilers.health import Phase, explain
from reconcilers.record import (
    Applied,
    Attempt,
    Cause,
    Correction,
    FailedSpec,
    LastGood,
    Run,
    Withdrawal,
    retry_at,
)
from reconcilers.situation import Aim, Mode, Situation, Unclear, Wanted
from reconcilers.verify import Continue, Failed

# While the event stream is silent an attempt is still looked at this often.
_LOOK_AGAIN = timedelta(seconds=15)

_TRIED_AGAIN = frozenset({Cause.CLUSTER, Cause.EXTERNAL, Cause.TIME})


def _decision(
    s: Situation,
    step: Step,
    action: Action,
    reason: Reason,
    message: str,
    *,
    ready: Truth = Truth.FALSE,
    flags: tuple[Condition, ...] = (),
) -> Decision:
    """Adds what holds whatever the step: problems of the file are always told, and `observe` writes nothing."""
    shown = dict.fromkeys(flags, (reason, message))
    if isinstance(s.desire, Unclear):
        shown[Condition.DESIRED_INVALID] = (s.desire.reason, s.desire.message)
        if ready is Truth.TRUE:
            ready, reason, message = Truth.FALSE, s.desire.reason, s.desire.message
    failure = s.target.failure
    if failure is not None and failure.reason is Reason.VALIDATION_FAILED:
        shown[Condition.VALIDATION_FAILED] = (failure.reason, failure.message)
    diff = s.plan.text if s.plan is not None and not s.plan.settled else ""
    if s.rules.mode is Mode.OBSERVE and isinstance(action, Register | Stop):
        verb = "stop the job" if isinstance(action, Stop) else "register the job"
        return Decision(step, Rest(), ready, Reason.OBSERVE_ONLY, f"would {verb}: {message}", shown, diff)
    return Decision(step, action, ready, reason, message, shown, diff)


# -- left alone


def suspended(s: Situation) -> Decision:
    message = "suspended by its manifest" if s.policy.suspend else "suspended; `resume` goes on"
    flags = (Condition.SUSPENDED,)
    return _decision(s, Step.SUSPENDED, Rest(), Reason.SUSPENDED, message, ready=Truth.UNKNOWN, flags=flags)


def own_job(s: Situation) -> Decision:
    message = "this is the operator's own job; it is left alone"
    return _decision(s, Step.OWN_JOB, Rest(), Reason.OWN_JOB, message, ready=Truth.UNKNOWN)


# -- withdrawn


def pruned(s: Situation) -> Decision:
    action: Action = Forget() if s.running.job is None else Rest()
    return _decision(s, Step.PRUNED, action, Reason.PRUNED, "withdrawn, and stopped", ready=Truth.UNKNOWN)


def left_running(s: Situation) -> Decision:
    why = "its manifest says `prune: false`" if s.record.applied and not s.record.prune else "it is not ours to stop"
    return _decision(
        s, Step.WITHDRAWN, Rest(), Reason.WITHDRAWN, f"no file asks for it any more; left running: {why}",
        ready=Truth.UNKNOWN,
    )  # fmt: skip


def prune_held(s: Situation) -> Decision:
    withdrawal = s.record.withdrawal
    if withdrawal is None:
        noticed = replace(s.record, withdrawal=Withdrawal(since=s.now, prune=s.record.prune))
        return _decision(
            s, Step.PRUNE_HELD, Remember(noticed), Reason.WITHDRAWN, "no file asks for it any more", ready=Truth.UNKNOWN
        )
    held = getattr(s.desire, "held", "")
    if held and not withdrawal.confirmed:
        return _decision(
            s, Step.PRUNE_HELD, Rest(_LOOK_AGAIN * 4), Reason.PRUNE_HELD, f"not pruned: {held}", ready=Truth.UNKNOWN
        )
    stops_at = withdrawal.since + s.rules.prune_grace
    return _decision(
        s, Step.PRUNE_HELD, Rest(stops_at - s.now, settled=False), Reason.WITHDRAWN,
        f"no file asks for it any more; its job is stopped at {_clock(stops_at)}", ready=Truth.UNKNOWN,
    )  # fmt: skip


def prune(s: Situation) -> Decision:
    return _decision(
        s, Step.PRUNING, Stop(s.job_index), Reason.WITHDRAWN, "no file asks for it any more", ready=Truth.UNKNOWN
    )


# -- what is wanted


def nothing_to_hold(s: Situation) -> Decision:
    problem = ask.desired_problem(s)
    reason, message = (problem.reason, problem.message) if problem else (Reason.PENDING, "not read yet")
    flags = (Condition.STALLED,)
    return _decision(s, Step.NOTHING_TO_HOLD, Rest(), reason, message, flags=flags)


# -- an open attempt


def supersede(s: Situation) -> Decision:
    message = "a newer spec is wanted than the one being verified"
    return _decision(
        s, Step.SUPERSEDED, Remember(replace(s.record, attempt=None)), Reason.PLANNING, message, ready=Truth.UNKNOWN
    )


def resume(s: Situation) -> Decision:
    """The register did happen if the job moved and a plan finds nothing to do; else it is done now, as it was meant."""
    attempt = s.record.attempt
    assert attempt is not None and s.target.spec is not None and s.plan is not None
    if s.plan.settled and s.running.job is not None and not s.stopped:
        return _registered(s, attempt, Step.RESUMING)
    action = Register(s.target.spec, s.body or s.target.spec.body, s.plan.index, attempt)
    return _decision(
        s, Step.RESUMING, action, Reason.PLANNING, "registering, after an interruption", flags=(Condition.RECONCILING,)
    )


def _registered(s: Situation, attempt: Attempt, step: Step) -> Decision:
    applied = Applied(attempt.spec_hash, s.job_index, attempt.source_hash, attempt.revision, s.now)
    record = replace(s.record, attempt=replace(attempt, job_modify_index=s.job_index), applied=applied)
    return _decision(
        s, step, Remember(record), Reason.PROGRESSING, "registered", flags=(Condition.RECONCILING,), ready=Truth.UNKNOWN
    )


def fail_reverted(s: Situation) -> Decision:
    said = s.running.job.status_description if s.running.job else ""
    message = "the deployment failed and Nomad went back to the version before" + (f" ({said})" if said else "")
    return _fail(s, Step.REVERTED, Failed(Reason.DEPLOYMENT_FAILED, message, Cause.UNKNOWN))


def give_way(s: Situation) -> Decision:
    attempt = s.record.attempt
    assert attempt is not None
    if attempt.job_modify_index == 0 and s.record.last_good is not None:
        # It may have been registered and reverted while nobody looked: the next pass compares with the last good one.
        record = replace(s.record, attempt=replace(attempt, job_modify_index=-1))
    else:
        record = replace(s.record, attempt=None)
    return _decision(
        s, Step.OVERTAKEN, Remember(record), Reason.DRIFTED, "the job was changed while it was verified",
        flags=(Condition.RECONCILING,),
    )  # fmt: skip


def fail(s: Situation) -> Decision:
    verdict = ask.verdict(s)
    assert isinstance(verdict, Failed)
    return _fail(s, Step.FAILED, verdict)


def _fail(s: Situation, step: Step, verdict: Failed) -> Decision:
    attempt = s.record.attempt
    assert attempt is not None
    before = s.record.failure_of(attempt.spec_hash)
    tries = before.tries + 1 if before else 1
    again = retry_at(tries, s.now) if verdict.cause in _TRIED_AGAIN else None
    failure = FailedSpec(attempt.spec_hash, verdict.reason, verdict.message, verdict.cause, s.now, retry_at=again)
    record = s.record.with_failure(failure)
    return _decision(
        s, step, Remember(record), verdict.reason, verdict.message, flags=(Condition.UNHEALTHY, Condition.STALLED)
    )


def verified(s: Situation) -> Decision:
    attempt, spec, job = s.record.attempt, s.target.spec, s.running.job
    assert attempt is not None and spec is not None
    record = replace(s.record.without_failure(spec.hash), attempt=None, adopt=False)
    health = ask.health(s)
    if spec.batch:
        record = replace(record, run=Run(spec.hash, s.now))
    if job is not None and not spec.batch:
        record = replace(record, last_good=LastGood(spec, job.version, s.now))
    return _decision(s, Step.VERIFIED, Remember(record), health.reason, health.message, ready=Truth.TRUE)


def keep_watching(s: Situation) -> Decision:
    """Verifying and soaking: remember progress, or wait for more."""
    attempt, verdict, health = s.record.attempt, ask.verdict(s), ask.health(s)
    assert attempt is not None and isinstance(verdict, Continue)
    soaking = verdict.attempt.healthy_since is not None
    step = Step.SOAKING if soaking else Step.VERIFYING
    reason = Reason.SOAKING if soaking else health.reason
    if reason is Reason.UNHEALTHY:
        reason = Reason.PROGRESSING
    message = health.message
    if soaking and verdict.attempt.healthy_since is not None:
        ends = verdict.attempt.healthy_since + s.policy.verify.soak
        message = f"{health.message}; verified if it stays so until {_clock(ends)}"
    if attempt.rollback:
        reason = Reason.ROLLING_BACK
    action: Action
    if verdict.attempt != attempt:
        action = Remember(replace(s.record, attempt=verdict.attempt))
    else:
        action = Rest(min(verdict.again_at - s.now, _LOOK_AGAIN), settled=False)
    return _decision(s, step, action, reason, message, ready=Truth.UNKNOWN, flags=(Condition.RECONCILING,))


# -- a failed spec without a way back


def reopen(s: Situation) -> Decision:
    spec = s.target.spec
    assert spec is not None
    attempt = _attempt(s, planned_index=s.job_index, job_modify_index=s.job_index)
    record = replace(s.record.without_failure(spec.hash), attempt=attempt)
    return _decision(
        s, Step.RECOVERING, Remember(record), Reason.SOAKING, "healthy after all", ready=Truth.UNKNOWN,
        flags=(Condition.RECONCILING,),
    )  # fmt: skip


def leave_failed(s: Situation) -> Decision:
    failure = s.target.failure
    assert failure is not None
    why = (
        "there is no earlier good version"
        if s.record.last_good is None
        else "`onFailure` is hold, or it cannot go back"
    )
    if s.target.spec is not None and s.target.spec.batch:
        why = "a run is not rolled back"
    message = f"{failure.message} (left as written: {why})"
    again = failure.retry_at - s.now if failure.retry_at else None
    reason = failure.reason if failure.reason is Reason.RUN_FAILED else Reason.HELD_FAILED
    return _decision(s, Step.LEFT_FAILED, Rest(again), reason, message, flags=(Condition.STALLED, Condition.UNHEALTHY))


# -- nothing is open


def completed(s: Situation) -> Decision:
    run = s.record.run
    assert run is not None
    message = f"run finished at {_clock(run.at)}"
    return _decision(s, Step.COMPLETED, Rest(), Reason.COMPLETED, message, ready=Truth.TRUE)


def adopt(s: Situation) -> Decision:
    attempt = _attempt(s, planned_index=s.job_index, job_modify_index=s.job_index)
    applied = Applied(attempt.spec_hash, s.job_index, attempt.source_hash, attempt.revision, s.now)
    record = replace(s.record, attempt=attempt, applied=applied)
    return _decision(
        s, Step.ADOPTING, Remember(record), Reason.PROGRESSING, "was there before, just as desired: adopted unchanged",
        ready=Truth.UNKNOWN, flags=(Condition.RECONCILING,),
    )  # fmt: skip


def ask_to_adopt(s: Situation) -> Decision:
    if s.running.job is None:
        what = "the operator's memory was lost, and this run may have happened before"
    else:
        what = "a job of this name was there before and differs"
    flags = (Condition.ADOPTION_REQUIRED, Condition.STALLED)
    message = f"{what}; `nomad-operator adopt {s.key}` takes it over"
    return _decision(s, Step.ADOPTION_REQUIRED, Rest(), Reason.ADOPTION_REQUIRED, message, flags=flags)


def catch_up(s: Situation) -> Decision:
    """Only the index is remembered. A spec not yet verified since it was applied keeps its place in the queue."""
    spec = s.target.spec
    assert spec is not None
    applied = Applied(spec.hash, s.job_index, s.target.source_hash, _revision(s), s.now)
    record = replace(s.record, applied=applied, adopt=False)
    good = record.last_good
    if good is None or good.spec.hash != spec.hash:
        attempt = _attempt(s, planned_index=s.job_index, job_modify_index=s.job_index)
        record = replace(record, attempt=attempt)
    return _decision(s, Step.CAUGHT_UP, Remember(record), Reason.PROGRESSING, "is as desired", ready=Truth.UNKNOWN)


def postpone(s: Situation) -> Decision:
    failure = s.target.failure
    assert failure is not None and s.plan is not None
    told = "; ".join(f"group {group}: {explain(one)}" for group, one in sorted(s.plan.failed.items()))
    again = replace(failure, at=s.now, message=f"still no room: {told}", retry_at=retry_at(failure.tries + 1, s.now))
    return _decision(
        s, Step.POSTPONED, Remember(s.record.with_failure(again)), Reason.PLACEMENT_FAILED, again.message,
        flags=(Condition.STALLED, Condition.UNHEALTHY),
    )  # fmt: skip


def wait_for_others(s: Situation) -> Decision:
    if s.cycle:
        path = " → ".join(str(key) for key in s.cycle)
        return _decision(
            s, Step.DEPENDENCIES, Rest(), Reason.DEPENDENCY_CYCLE, f"dependsOn goes in a circle: {path}",
            flags=(Condition.DEPENDENCY_NOT_READY, Condition.STALLED),
        )  # fmt: skip
    told = ", ".join(f"{key} ({why})" for key, why in sorted(s.unready.items()))
    return _decision(
        s, Step.DEPENDENCIES, Rest(_LOOK_AGAIN, settled=False), Reason.DEPENDENCY_NOT_READY, f"waits for {told}",
        flags=(Condition.DEPENDENCY_NOT_READY,),
    )  # fmt: skip


def tell_drift(s: Situation) -> Decision:
    if s.policy.drift is Drift.WARN and not ask.contested(s):
        message = f"changed by hand, not corrected (drift: warn): {_changes(s)}"
        health = ask.health(s)
        ready = Truth.TRUE if health.phase in (Phase.HEALTHY, Phase.DONE) else Truth.FALSE
        return _decision(s, Step.DRIFT_TOLD, Rest(), Reason.DRIFTED, message, ready=ready, flags=(Condition.DRIFTED,))
    message = f"corrected too often within an hour, somebody keeps changing it back: {_changes(s)}"
    flags = (Condition.DRIFTED, Condition.STALLED)
    return _decision(s, Step.DRIFT_TOLD, Rest(_LOOK_AGAIN * 40), Reason.DRIFT_CONTESTED, message, flags=flags)


def correct(s: Situation) -> Decision:
    corrections = tuple(Correction(change.path, change.old, s.now) for change in s.drift_changes)
    if s.running.job is None:
        corrections = (Correction("Job", "absent", s.now),)
    message = f"changed by hand, restoring: {_changes(s)}"
    return _register(s, Step.CORRECTING, Reason.DRIFTED, message, corrections, Condition.DRIFTED)


def register(s: Situation) -> Decision:
    assert s.plan is not None
    if s.target.aim is Aim.LAST_GOOD:
        failure = s.target.failure
        why = failure.message if failure else "the desired file cannot be read"
        return _register(s, Step.REGISTERING, Reason.ROLLING_BACK, f"restoring the last good version: {why}", ())
    message = "creating the job" if s.running.job is None else f"updating the job: {_changes(s)}"
    if s.plan.failed:
        told = "; ".join(f"group {group}: {explain(one)}" for group, one in sorted(s.plan.failed.items()))
        message += f"; nothing can hold it yet: {told}"
    return _register(s, Step.REGISTERING, Reason.PLANNING, message, ())


def _register(
    s: Situation, step: Step, reason: Reason, message: str, corrections: tuple[Correction, ...], *more: Condition
) -> Decision:
    spec, plan = s.target.spec, s.plan
    assert spec is not None and plan is not None
    attempt = _attempt(s, planned_index=plan.index, job_modify_index=0)
    action = Register(spec, s.body or spec.body, plan.index, attempt, corrections)
    return _decision(s, step, action, reason, message, flags=(Condition.RECONCILING, *more))


def tell_unhealthy(s: Situation) -> Decision:
    health = ask.health(s)
    reason = health.reason if health.reason is not Reason.PROGRESSING else Reason.UNHEALTHY
    return _decision(
        s, Step.UNHEALTHY, Rest(_LOOK_AGAIN * 2, settled=False), reason, health.message, flags=(Condition.UNHEALTHY,)
    )


def rest(s: Situation) -> Decision:
    health = ask.health(s)
    failure = s.target.failure
    if s.target.aim is Aim.LAST_GOOD and failure is not None:
        message = f"the last good version is in force, the desired one failed: {failure.message}"
        again = failure.retry_at - s.now if failure.retry_at else None
        return _decision(s, Step.STEADY, Rest(again), Reason.ROLLED_BACK, message, flags=(Condition.STALLED,))
    recheck = s.rules.settled_recheck
    return _decision(s, Step.STEADY, Rest(recheck), health.reason, health.message, ready=Truth.TRUE)


# -- small parts


def _attempt(s: Situation, *, planned_index: int, job_modify_index: int) -> Attempt:
    assert s.target.spec is not None
    return Attempt(
        spec_hash=s.target.spec.hash,
        source_hash=s.target.source_hash,
        planned_index=planned_index,
        started_at=s.now,
        progress_at=s.now,
        revision=_revision(s),
        rollback=s.target.aim is Aim.LAST_GOOD and s.target.failure is not None,
        job_modify_index=job_modify_index,
    )


def _revision(s: Situation) -> str:
    return s.desire.spec.revision if isinstance(s.desire, Wanted) else ""


def _changes(s: Situation, limit: int = 4) -> str:
    if s.running.job is None:
        return "the job is gone"
    shown = [f"{change.path} {_value(change.old)} → {_value(change.new)}" for change in s.drift_changes[:limit]]
    more = len(s.drift_changes) - limit
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _value(text: str, limit: int = 60) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= limit else f"{line[: limit - 1]}…")


def _clock(at: datetime) -> str:
    return at.strftime("%H:%M:%S UTC")
