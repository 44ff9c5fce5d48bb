"""What is told where nothing is to be done. Pure."""

from __future__ import annotations

from dataclasses import replace

from desired.reasons import Reason
from reconcilers import questions as ask
from reconcilers import repair_questions as repairs
from reconcilers.decision import LOOK_AGAIN, Condition, Decision, Remember, Rest, Step, Truth
from reconcilers.repair.closing import mended
from reconcilers.situation import Aim, Situation
from reconcilers.words import clock, decision


def suspended(s: Situation) -> Decision:
    message = "suspended by its manifest" if s.policy.suspend else "suspended; `resume` goes on"
    message = f"{message}; {_as_it_is(s)}"
    flags = (Condition.SUSPENDED,)
    return decision(s, Step.SUSPENDED, Rest(), Reason.SUSPENDED, message, ready=Truth.UNKNOWN, flags=flags)


def _as_it_is(s: Situation) -> str:
    if s.running.job is None:
        return "there is no job"
    return "its job is stopped" if s.stopped else ask.health(s).message


def own_job(s: Situation) -> Decision:
    message = "this is the operator's own job; it is left alone"
    return decision(s, Step.OWN_JOB, Rest(), Reason.OWN_JOB, message, ready=Truth.UNKNOWN)


def nothing_to_hold(s: Situation) -> Decision:
    problem = ask.desired_problem(s)
    reason, message = (problem.reason, problem.message) if problem else (Reason.PENDING, "not read yet")
    flags = (Condition.STALLED,)
    return decision(s, Step.NOTHING_TO_HOLD, Rest(), reason, message, flags=flags)


def completed(s: Situation) -> Decision:
    run, spec, last = s.record.run, s.target.spec, s.record.last_episode
    assert run is not None and spec is not None
    message = f"run finished at {clock(run.at)}"
    # A repair may lead to what has run already; and nothing but time can show whether it holds.
    record = mended(s.record, spec, s.now)
    if last is not None and repairs.proven(s):
        record = replace(s.record, last_episode=replace(last, durable=True))
    action = Rest() if record == s.record else Remember(record)
    return decision(s, Step.COMPLETED, action, Reason.COMPLETED, message, ready=Truth.TRUE)


def tell_unhealthy(s: Situation) -> Decision:
    health = ask.health(s)
    reason = health.reason if health.reason is not Reason.PROGRESSING else Reason.UNHEALTHY
    return decision(
        s, Step.UNHEALTHY, Rest(LOOK_AGAIN * 2, settled=False), reason, health.message, flags=(Condition.UNHEALTHY,)
    )


def rest(s: Situation) -> Decision:
    health = ask.health(s)
    failure = s.target.failure
    if s.target.aim is Aim.LAST_GOOD and failure is not None:
        message = f"the last good version is in force, the desired one failed: {failure.message}"
        again = failure.retry_at - s.now if failure.retry_at else None
        return decision(s, Step.STEADY, Rest(again), Reason.ROLLED_BACK, message, flags=(Condition.STALLED,))
    recheck = s.rules.settled_recheck
    return decision(s, Step.STEADY, Rest(recheck), health.reason, health.message, ready=Truth.TRUE)
