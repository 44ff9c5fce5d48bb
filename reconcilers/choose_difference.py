"""What is done where the cluster does not hold what is wanted: adopt, register, correct, or ask. Pure."""

from __future__ import annotations

from dataclasses import replace

from desired.policy import Drift
from desired.reasons import Reason
from reconcilers import questions as ask
from reconcilers.choose_attempt import new_attempt, revision
from reconcilers.decision import LOOK_AGAIN, Condition, Decision, Register, Remember, Rest, Step, Truth
from reconcilers.health import Phase, explain
from reconcilers.record import (
    Applied,
    Correction,
    retry_at,
)
from reconcilers.situation import Aim, Situation
from reconcilers.words import changes, decision


def adopt(s: Situation) -> Decision:
    attempt = new_attempt(s, planned_index=s.job_index, job_modify_index=s.job_index)
    applied = Applied(attempt.spec_hash, s.job_index, attempt.source_hash, attempt.revision, s.now)
    record = replace(s.record, attempt=attempt, applied=applied)
    return decision(
        s, Step.ADOPTING, Remember(record), Reason.PROGRESSING, "was there before, just as desired: adopted unchanged",
        ready=Truth.UNKNOWN, flags=(Condition.RECONCILING,),
    )  # fmt: skip


def ask_to_adopt(s: Situation) -> Decision:
    if s.running.job is None:
        what = (
            "nothing is remembered, and other jobs of git run here already: at a first start, or after the memory was "
            f"lost, this run may have happened before; `nomad-operator adopt {s.key}` runs it"
        )
    else:
        what = f"a job of this name was there before and differs; `nomad-operator adopt {s.key}` takes it over"
    flags = (Condition.ADOPTION_REQUIRED, Condition.STALLED)
    message = f"{what}, NOMAD_OPERATOR_ADOPT=always does so for all"
    return decision(s, Step.ADOPTION_REQUIRED, Rest(), Reason.ADOPTION_REQUIRED, message, flags=flags)


def catch_up(s: Situation) -> Decision:
    """Only the index is remembered. A spec not yet verified since it was applied keeps its place in the queue."""
    spec = s.target.spec
    assert spec is not None
    applied = Applied(spec.hash, s.job_index, s.target.source_hash, revision(s), s.now)
    record = replace(s.record, applied=applied, adopt=False)
    good = record.last_good
    if good is None or good.spec.hash != spec.hash or ask.trial_in_force(s):
        attempt = new_attempt(s, planned_index=s.job_index, job_modify_index=s.job_index)
        record = replace(record, attempt=attempt)
    return decision(s, Step.CAUGHT_UP, Remember(record), Reason.PROGRESSING, "is as desired", ready=Truth.UNKNOWN)


def postpone(s: Situation) -> Decision:
    failure = s.target.failure
    assert failure is not None and s.plan is not None
    told = "; ".join(f"group {group}: {explain(one)}" for group, one in sorted(s.plan.failed.items()))
    # The same failure, not a new one: it keeps its time, and the name that it has got.
    again = replace(failure, message=f"still no room: {told}", retry_at=retry_at(failure.tries + 1, s.now))
    return decision(
        s, Step.POSTPONED, Remember(s.record.with_failure(again)), Reason.PLACEMENT_FAILED, again.message,
        flags=(Condition.STALLED, Condition.UNHEALTHY),
    )  # fmt: skip


def wait_for_others(s: Situation) -> Decision:
    if s.cycle:
        path = " → ".join(str(key) for key in s.cycle)
        return decision(
            s, Step.DEPENDENCIES, Rest(), Reason.DEPENDENCY_CYCLE, f"dependsOn goes in a circle: {path}",
            flags=(Condition.DEPENDENCY_NOT_READY, Condition.STALLED),
        )  # fmt: skip
    told = ", ".join(f"{key} ({why})" for key, why in sorted(s.unready.items()))
    return decision(
        s, Step.DEPENDENCIES, Rest(LOOK_AGAIN, settled=False), Reason.DEPENDENCY_NOT_READY, f"waits for {told}",
        flags=(Condition.DEPENDENCY_NOT_READY,),
    )  # fmt: skip


def tell_drift(s: Situation) -> Decision:
    if s.policy.drift is Drift.WARN and not ask.contested(s):
        message = f"changed by hand, not corrected (drift: warn): {changes(s)}"
        health = ask.health(s)
        ready = Truth.TRUE if health.phase in (Phase.HEALTHY, Phase.DONE) else Truth.FALSE
        return decision(s, Step.DRIFT_TOLD, Rest(), Reason.DRIFTED, message, ready=ready, flags=(Condition.DRIFTED,))
    message = f"corrected too often within an hour, somebody keeps changing it back: {changes(s)}"
    flags = (Condition.DRIFTED, Condition.STALLED)
    return decision(s, Step.DRIFT_TOLD, Rest(LOOK_AGAIN * 40), Reason.DRIFT_CONTESTED, message, flags=flags)


def correct(s: Situation) -> Decision:
    corrections = tuple(Correction(change.path, change.old, s.now) for change in s.drift_changes)
    if s.running.job is None:
        corrections = (Correction("Job", "absent", s.now),)
    message = f"changed by hand, restoring: {changes(s)}"
    return _register(s, Step.CORRECTING, Reason.DRIFTED, message, corrections, Condition.DRIFTED)


def register(s: Situation) -> Decision:
    assert s.plan is not None
    if s.target.aim is Aim.LAST_GOOD:
        failure = s.target.failure
        why = failure.message if failure else "the desired file cannot be read"
        return _register(s, Step.REGISTERING, Reason.ROLLING_BACK, f"restoring the last good version: {why}", ())
    message = "creating the job" if s.running.job is None else f"updating the job: {changes(s)}"
    if s.plan.failed:
        told = "; ".join(f"group {group}: {explain(one)}" for group, one in sorted(s.plan.failed.items()))
        message += f"; nothing can hold it yet: {told}"
    return _register(s, Step.REGISTERING, Reason.PLANNING, message, ())


def _register(
    s: Situation, step: Step, reason: Reason, message: str, corrections: tuple[Correction, ...], *more: Condition
) -> Decision:
    spec, plan = s.target.spec, s.plan
    assert spec is not None and plan is not None
    attempt = new_attempt(s, planned_index=plan.index, job_modify_index=0)
    action = Register(spec, s.body or spec.body, plan.index, attempt, corrections)
    return decision(s, step, action, reason, message, flags=(Condition.RECONCILING, *more))
