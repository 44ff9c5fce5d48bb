"""How a decision is told: conditions that hold whatever the step, changes and times in words. Pure."""

from __future__ import annotations

from datetime import datetime

from desired.reasons import Reason
from observers.nomad.plan_values import readable
from observers.running import FieldChange
from reconcilers.decision import Action, Condition, Decision, Register, Rest, Revive, Step, Stop, Truth
from reconcilers.repair.episode import Outcome
from reconcilers.situation import Mode, Situation, Unclear

_KEPT = "the last good version stays in force until it is answered"
_UNCLEAR = {
    Reason.QUESTIONS_OPEN: Condition.QUESTIONS_OPEN,
    Reason.POLICY_VIOLATION: Condition.POLICY_VIOLATION,
    Reason.ROUTE_CONFLICT: Condition.ROUTE_CONFLICT,
    Reason.VALUE_MISSING: Condition.VALUE_MISSING,
    Reason.VALIDATION_FAILED: Condition.VALIDATION_FAILED,
    Reason.IMAGE_MISSING: Condition.IMAGE_MISSING,
    Reason.SECRET_EXPOSED: Condition.SECRET_EXPOSED,
}
# Each of these would be found out from the app's own failure otherwise.
_TOLD_BESIDE = frozenset({Reason.VALUE_MISSING, Reason.IMAGE_MISSING})
_TOLD_AT_ONCE = 4
_VERBS = {Register: "register the job", Stop: "stop the job", Revive: "have it placed anew"}


def decision(
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
        asks = s.desire.reason is Reason.QUESTIONS_OPEN
        unclear = _UNCLEAR.get(s.desire.reason, Condition.DESIRED_INVALID)
        # Whoever sees the question is to see as well that nothing was taken away by it.
        words = f"{s.desire.message}; {_KEPT}" if asks and s.target.spec is not None else s.desire.message
        shown[unclear] = (s.desire.reason, words)
        if ready is Truth.TRUE:
            ready, reason, message = Truth.FALSE, s.desire.reason, words
    warned = _warned(s)
    for condition, told in warned.items():
        shown.setdefault(condition, told)
    failure = s.target.failure
    if failure is not None and failure.reason is Reason.VALIDATION_FAILED:
        shown[Condition.VALIDATION_FAILED] = (failure.reason, failure.message)
    beside = next((words for why, words in warned.values() if why in _TOLD_BESIDE), "")
    if beside and (isinstance(action, Register) or ready is Truth.TRUE):
        message = f"{message}; {beside}"
    if (repair := _repairs(s)) is not None:
        condition, why, words = repair
        shown[condition] = (why, words)
        if condition is Condition.AWAITING_APPROVAL and ready is Truth.FALSE and isinstance(action, Rest):
            reason, message = why, f"a repair waits for approval: {words}"
    diff = s.plan.text if s.plan is not None and not s.plan.settled else ""
    named = None if ready is Truth.TRUE or not s.diagnoses else s.diagnoses[0]
    if s.barred and isinstance(action, Register | Stop | Revive):
        # Also a stop: what is stopped to be run again would stay down.
        shown.pop(Condition.RECONCILING, None)
        message = f"the last good version may not be registered any more: {s.barred}"
        shown[Condition.POLICY_VIOLATION] = (Reason.POLICY_VIOLATION, message)
        return Decision(step, Rest(), ready, Reason.POLICY_VIOLATION, message, shown, diff, named)
    if s.rules.mode is Mode.OBSERVE and isinstance(action, Register | Stop | Revive):
        verb = _VERBS[type(action)]
        return Decision(step, Rest(), ready, Reason.OBSERVE_ONLY, f"would {verb}: {message}", shown, diff, named)
    return Decision(step, action, ready, reason, message, shown, diff, named)


def _warned(s: Situation) -> dict[Condition, tuple[Reason, str]]:
    """What speaks against the job and holds nothing back, by the condition that tells it."""
    found: dict[Condition, tuple[Reason, list[str]]] = {}
    for one in s.objections:
        # What is wrong with the file alone, and harms nobody, is for `validate` to tell.
        condition = _UNCLEAR.get(one.reason)
        if condition is None:
            continue
        found.setdefault(condition, (one.reason, []))[1].append(f"{one.message}; {one.fix}".rstrip("; "))
    return {
        condition: (reason, "warning: " + "; ".join(told[:_TOLD_AT_ONCE]) + _and_more(len(told) - _TOLD_AT_ONCE))
        for condition, (reason, told) in found.items()
    }


def _and_more(number: int) -> str:
    return f"; and {number} more" if number > 0 else ""


def _repairs(s: Situation) -> tuple[Condition, Reason, str] | None:
    """What the open episode, or one that ended without a repair, says as long as the failure stands."""
    episode, last = s.record.episode, s.record.last_episode
    if episode is not None and (waiting := episode.waiting) is not None:
        message = f"{waiting.reason}; `nomad-operator repairs approve {s.key}` tries it ({waiting.hash})"
        return Condition.AWAITING_APPROVAL, Reason.AWAITING_APPROVAL, message
    if episode is not None:
        tried = episode.open_try
        message = tried.reason if tried else f"{episode.diagnosis.failure.value}: {episode.diagnosis.words}"
        return Condition.REPAIRING, Reason.REPAIRING, message
    if (
        last is not None
        and last.outcome in (Outcome.EXHAUSTED, Outcome.ROLLED_BACK)
        and s.target.failure is not None
        and s.target.failure.spec_hash == last.spec_hash
    ):
        message = f"{last.diagnosis.failure.value}: {last.told}; {last.hint}"
        return Condition.REPAIR_EXHAUSTED, Reason.REPAIR_EXHAUSTED, message
    return None


def changes(s: Situation, limit: int = 4) -> str:
    if s.running.job is None:
        return "the job is gone"
    shown = [_change(one) for one in s.drift_changes[:limit]]
    more = len(s.drift_changes) - limit
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _change(change: FieldChange) -> str:
    name = change.path.rpartition("/")[2]
    old, new = (_value(readable(name, value)) for value in (change.old, change.new))
    return f"{change.path} {old} → {new}"


def _value(text: str, limit: int = 60) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= limit else f"{line[: limit - 1]}…")


def clock(at: datetime) -> str:
    return at.strftime("%H:%M:%S UTC")
