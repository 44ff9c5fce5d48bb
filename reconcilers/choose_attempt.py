"""What is done about a register and its verification: follow it, fail it, or call it good. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from desired.cause import Cause
from desired.reasons import Reason
from observers.nomad.needs import has_native_checks
from reconcilers import questions as ask
from reconcilers.decision import Action, Condition, Decision, Register, Remember, Rest, Revive, Step, Truth
from reconcilers.health import because
from reconcilers.record import (
    Applied,
    Attempt,
    FailedSpec,
    LastGood,
    Run,
    retry_at,
    tried_again,
)
from reconcilers.repair.closing import mended
from reconcilers.repair.episode import Outcome
from reconcilers.situation import Aim, Situation, Wanted
from reconcilers.spec import Spec
from reconcilers.verify import Continue, Failed
from reconcilers.words import clock, decision

# Events wake an attempt that moves; this finds those whose event was lost. A thousand at once must not make Nomad
# answer us instead of starting them.
_WATCH_AGAIN = timedelta(seconds=60)
# No event tells of a check: whether it fails for good shows in its next results. One that has not failed yet is asked
# seldomer the longer it takes.
_WATCH_FAILING = timedelta(seconds=3)
_WATCH_UNHEARD = timedelta(seconds=15)
# An evaluation takes Nomad much less.
_REPLACED_WITHIN = timedelta(seconds=2)


def supersede(s: Situation) -> Decision:
    message = "a newer spec is wanted than the one being verified"
    return decision(
        s, Step.SUPERSEDED, Remember(replace(s.record, attempt=None)), Reason.PLANNING, message, ready=Truth.UNKNOWN
    )


def clear_up(s: Situation) -> Decision:
    """The job is the one we were about to register: it is ours. Else the register did not happen, or was overtaken."""
    attempt = s.record.attempt
    assert attempt is not None and s.plan is not None
    if s.plan.settled and s.running.job is not None and not s.stopped:
        return _registered(s, attempt, Step.CLEARED_UP)
    message = "what was about to be registered when we were interrupted is not there"
    gone = replace(s.record, attempt=None)
    return decision(s, Step.CLEARED_UP, Remember(gone), Reason.PLANNING, message, ready=Truth.UNKNOWN)


def resume(s: Situation) -> Decision:
    """The register did happen if the job moved and a plan finds nothing to do; else it is done now, as it was meant."""
    attempt = s.record.attempt
    assert attempt is not None and s.target.spec is not None and s.plan is not None
    if s.plan.settled and s.running.job is not None and not s.stopped:
        return _registered(s, attempt, Step.RESUMING)
    action = Register(s.target.spec, s.body or s.target.spec.body, s.plan.index, attempt)
    return decision(
        s, Step.RESUMING, action, Reason.PLANNING, "registering, after an interruption", flags=(Condition.RECONCILING,)
    )


def _registered(s: Situation, attempt: Attempt, step: Step) -> Decision:
    applied = Applied(attempt.spec_hash, s.job_index, attempt.source_hash, attempt.revision, s.now)
    record = replace(s.record, attempt=attempt.registered(s.job_index), applied=applied)
    return decision(
        s, step, Remember(record), Reason.PROGRESSING, "registered", flags=(Condition.RECONCILING,), ready=Truth.UNKNOWN
    )


def fail_reverted(s: Situation) -> Decision:
    """The allocations of the version that failed are still there, and their events say why."""
    version = s.running.job.version if s.running.job else 0
    failed = [one for one in s.running.allocations if one.job_version == version - 1]
    message = because("the deployment failed and Nomad went back to the version before", failed)
    return _fail(s, Step.REVERTED, Failed(Reason.DEPLOYMENT_FAILED, message, Cause.UNKNOWN))


def give_way(s: Situation) -> Decision:
    attempt = s.record.attempt
    assert attempt is not None
    if attempt.job_modify_index == 0 and s.record.last_good is not None:
        # It may have been registered and reverted while nobody looked: the next pass compares with the last good one.
        record = replace(s.record, attempt=attempt.registered(-1))
    else:
        record = replace(s.record, attempt=None)
    return decision(
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
    again = retry_at(tries, s.now) if tried_again(verdict.reason, verdict.cause) else None
    failure = FailedSpec(attempt.spec_hash, verdict.reason, verdict.message, verdict.cause, s.now, retry_at=again)
    record = s.record.with_failure(failure)
    return decision(
        s, step, Remember(record), verdict.reason, verdict.message, flags=(Condition.UNHEALTHY, Condition.STALLED)
    )


def verified(s: Situation) -> Decision:
    attempt, spec, job = s.record.attempt, s.target.spec, s.running.job
    assert attempt is not None and spec is not None
    record = replace(s.record.without_failure(spec.hash), attempt=None, adopt=False)
    record = mended(record, spec, s.now)
    health = ask.health(s)
    if spec.batch:
        record = replace(record, run=Run(spec.hash, s.now))
    if job is not None and not spec.batch:
        record = replace(record, last_good=LastGood(spec, job.version, s.now, repaired=_repaired(s, spec)))
    return decision(s, Step.VERIFIED, Remember(record), health.reason, health.message, ready=Truth.TRUE)


def _repaired(s: Situation, spec: Spec) -> bool:
    """It is not what a file says: an overlay is in it."""
    good = s.record.last_good
    if good is not None and good.spec.hash == spec.hash:
        return good.repaired
    return isinstance(s.desire, Wanted) and spec.hash != s.desire.written.hash


def revive(s: Situation) -> Decision:
    """Nomad has a moment for what it does by itself: an allocation that has to be another one is replaced unasked."""
    attempt = s.record.attempt
    assert attempt is not None
    since = s.now - attempt.started_at
    action: Action = Rest(_REPLACED_WITHIN - since, settled=False)
    if since >= _REPLACED_WITHIN:
        action = Revive(replace(s.record, attempt=replace(attempt, revived=True)))
    return decision(
        s, Step.REVIVING, action, Reason.PROGRESSING, "asking Nomad to start again what it had given up before",
        ready=Truth.UNKNOWN, flags=(Condition.RECONCILING,),
    )  # fmt: skip


def keep_watching(s: Situation) -> Decision:
    """Verifying and soaking: remember progress, or wait for more."""
    attempt, verdict, health = s.record.attempt, ask.verdict(s), ask.health(s)
    assert attempt is not None and isinstance(verdict, Continue)
    soaking = verdict.attempt.healthy_since is not None
    step = Step.SOAKING if soaking else Step.VERIFYING
    reason = Reason.SOAKING if soaking else health.reason
    if reason in (Reason.UNHEALTHY, Reason.DEPLOYMENT_FAILED):
        reason = Reason.PROGRESSING
    message = health.message
    if soaking and verdict.attempt.healthy_since is not None:
        ends = verdict.attempt.healthy_since + s.policy.verify.soak
        message = f"{health.message}; verified if it stays so until {clock(ends)}"
    elif (named := ask.named(s)) is not None:
        message = f"{health.message.partition('; ')[0]}; {named.failure.value}: {named.words}"
    if attempt.rollback:
        reason = Reason.ROLLING_BACK
    again_in = min(verdict.again_at - s.now, _next_look(s, attempt, soaking))
    action: Action = Rest(again_in, settled=False)
    if verdict.attempt != attempt:
        action = Remember(replace(s.record, attempt=verdict.attempt), again_in)
    return decision(s, step, action, reason, message, ready=Truth.UNKNOWN, flags=(Condition.RECONCILING,))


def _next_look(s: Situation, attempt: Attempt, soaking: bool) -> timedelta:
    if ask.checks_fail(s):
        return _WATCH_FAILING
    if soaking or not ask.may_fail_unheard(s):
        return _WATCH_AGAIN
    return min(max((s.now - attempt.progress_at) / 8, _WATCH_FAILING), _WATCH_UNHEARD)


def reopen(s: Situation) -> Decision:
    spec = s.target.spec
    assert spec is not None
    attempt = new_attempt(s, planned_index=s.job_index, job_modify_index=s.job_index)
    record = replace(s.record.without_failure(spec.hash), attempt=attempt)
    return decision(
        s, Step.RECOVERING, Remember(record), Reason.SOAKING, "healthy after all", ready=Truth.UNKNOWN,
        flags=(Condition.RECONCILING,),
    )  # fmt: skip


def leave_failed(s: Situation) -> Decision:
    failure = s.target.failure
    assert failure is not None
    # Once that time has come, what failed stands registered already: only a look can say more.
    again = failure.retry_at - s.now if failure.retry_at is not None and failure.retry_at > s.now else None
    if (look := ask.may_recover_in(s)) is not None:
        again = look if again is None else min(look, again)
    message = f"{failure.message}{_advice(s, failure)} ({_left(s, failure)})"
    return decision(
        s, Step.LEFT_FAILED, Rest(again), _SAYS_MORE.get(failure.reason, Reason.HELD_FAILED), message,
        flags=(Condition.STALLED, Condition.UNHEALTHY),
    )  # fmt: skip


# What was never registered is not held.
_SAYS_MORE = {one: one for one in (Reason.RUN_FAILED, Reason.VALIDATION_FAILED)}


def _advice(s: Situation, failure: FailedSpec) -> str:
    """Who can mend it, where nothing in the job can; what repairs came to otherwise is a condition of its own."""
    last = s.record.last_episode
    ours = last is None or last.spec_hash != failure.spec_hash or last.outcome is not Outcome.NOT_OURS
    return "" if ours or last is None else f"; {last.hint}"


def _ways_to_run_it(s: Situation) -> str:
    found = ask.health(s)
    if found.reason is not Reason.RUN_FAILED:
        return ""
    if not found.healthy:
        return f"; `nomad-operator reconcile {s.key}` runs it again"
    name = f"-namespace {s.key.namespace} {s.key.name}"
    return (
        f"; {found.healthy} of {found.wanted} completed and would run twice, "
        f"`nomad job eval -force-reschedule {name}` asks Nomad to run the others"
    )


def _left(s: Situation, failure: FailedSpec) -> str:
    if failure.reason is Reason.VALIDATION_FAILED and not ask.applied_is_target(s):
        kept = "" if s.running.job is None or s.stopped else ", what runs goes on"
        waits = f"; planned again at {clock(failure.retry_at)}" if failure.retry_at else ""
        return f"not registered{kept}: correct the job{waits}"
    if s.target.spec is not None and s.target.spec.batch:
        why = f"a run is not rolled back{_ways_to_run_it(s)}"
    elif s.record.last_good is None:
        why = "there is no earlier good version"
    else:
        why = "`onFailure` is hold, or it cannot go back"
    waits = "; Nomad places it as soon as there is room" if failure.reason is Reason.PLACEMENT_FAILED else ""
    return f"left as written: {why}{waits}"


def new_attempt(s: Situation, *, planned_index: int, job_modify_index: int) -> Attempt:
    assert s.target.spec is not None
    return Attempt(
        spec_hash=s.target.spec.hash,
        source_hash=s.target.source_hash,
        planned_index=planned_index,
        started_at=s.now,
        progress_at=s.now,
        revision=revision(s),
        rollback=s.target.aim is Aim.LAST_GOOD and s.target.failure is not None,
        job_modify_index=job_modify_index,
        spec=s.target.spec if job_modify_index == 0 else None,
        found=job_modify_index != 0,
        checked=has_native_checks(s.target.spec.body),
    )


def revision(s: Situation) -> str:
    return s.desire.spec.revision if isinstance(s.desire, Wanted) else ""
