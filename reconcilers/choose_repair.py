"""What is done about a failure that is named: open an episode, climb the ladder, end it. Pure.

A repair is only another spec: what git asks for, with the overlay and the trial applied. It is planned, registered and
verified like any other; here is only what leads to it and what follows from it.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from desired.cause import Cause
from desired.operations.operation import Kind, Operation
from desired.operations.same_job import digest
from desired.policy import OnFailure, RepairMode
from desired.reasons import Reason
from observers.evidence_words import told_lines
from observers.failures.diagnosis import Diagnosis
from observers.failures.table import advice
from reconcilers import repair_questions as ask
from reconcilers.choose_attempt import new_attempt
from reconcilers.decision import Climb, Condition, Decision, Remember, Rest, Step, Truth
from reconcilers.record import FailedSpec, Record, retry_at, tried_again
from reconcilers.repair.closing import joined
from reconcilers.repair.episode import KEPT_EVIDENCE, Episode, Outcome, Try, TryState
from reconcilers.repair.ladder import Climbed
from reconcilers.repair.lesson import lesson
from reconcilers.repair.overlay import overlaid
from reconcilers.repair.proposal import Case, Proposal
from reconcilers.situation import Situation, Wanted
from reconcilers.spec import Spec
from reconcilers.words import decision

# Until another look at whether there is room in the budget.
_BUDGET_AGAIN = timedelta(minutes=1)
_NOT_THE_SPECS = frozenset({Cause.CLUSTER, Cause.EXTERNAL, Cause.TIME, Cause.NONE})
# More of the same may help where the first step was too small; anything else that did not help was wrong.
_BY_STEPS = frozenset(
    {Kind.MEMORY, Kind.MEMORY_MAX, Kind.CPU, Kind.DISK, Kind.HEALTHY_DEADLINE, Kind.PROGRESS_DEADLINE,
     Kind.CHECK_GRACE, Kind.RESTART_ATTEMPTS, Kind.RESTART_DELAY, Kind.RESTART_INTERVAL}
)  # fmt: skip


def name_it(s: Situation) -> Decision:
    """An episode begins. Where nothing in the job can mend it, it ends at once, with who can."""
    failure, found = s.target.failure, ask.diagnosis(s)
    assert failure is not None and isinstance(s.desire, Wanted) and s.evidence is not None
    last = s.record.last_episode
    if (
        last is not None
        and last.spec_hash == failure.spec_hash
        and last.outcome is Outcome.NOT_OURS
        and last.diagnosis.signature == found.signature
    ):
        # Tried again, and still not ours: the same episode goes on.
        return _told(s, replace(s.record, last_episode=replace(last, ended_at=s.now)), failure, found)
    return _told(s, _opened(s, failure), failure, found)


def _opened(s: Situation, failure: FailedSpec) -> Record:
    """With an episode of its own, open, or over at once where nothing in the job can mend it."""
    found, last = ask.diagnosis(s), s.record.last_episode
    assert isinstance(s.desire, Wanted) and s.evidence is not None
    episode = Episode(
        id=_id(s, failure),
        spec_hash=failure.spec_hash,
        written_hash=s.desire.written.hash,
        diagnosis=found,
        hint=advice(found),
        opened_at=s.now,
        failing_since=min(s.evidence.since, s.now),
        evidence=told_lines(s.evidence, limit=KEPT_EVIDENCE),
    )
    record = replace(s.record, last_episode=_not_durable(last, found, s.now))
    if found.cause in _NOT_THE_SPECS:
        return replace(record, last_episode=episode.ended(Outcome.NOT_OURS, episode.hint, s.now))
    return replace(record, episode=episode)


def _told(s: Situation, record: Record, failure: FailedSpec, found: Diagnosis) -> Decision:
    """The failure carries its name from now on, and is tried again by itself where that may help."""
    cause = failure.cause if found.cause is Cause.UNKNOWN else found.cause
    again = retry_at(failure.tries, s.now) if tried_again(failure.reason, cause) else None
    message = f"{found.failure.value}: {found.words}" if s.diagnoses else failure.message
    named = replace(failure, cause=cause, message=message, retry_at=again)
    return decision(
        s, Step.NAMED, Remember(record.with_named(named)), failure.reason, message,
        flags=(Condition.UNHEALTHY, Condition.STALLED),
    )  # fmt: skip


def _not_durable(last: Episode | None, found: Diagnosis, now: datetime) -> Episode | None:
    """A repair after which something fails before half an hour has passed did not last."""
    if last is None or last.outcome is not Outcome.REPAIRED or last.durable is not None:
        return last
    return replace(last, durable=False, undone="failure")


def _id(s: Situation, failure: FailedSpec) -> str:
    return hashlib.sha256(f"{s.key}\0{failure.spec_hash}\0{s.now.isoformat()}".encode()).hexdigest()[:12]


def climb_unplaceable(s: Situation) -> Decision:
    """The spec counts as failed before it was registered; only this pass has the plan that says why."""
    s = with_failure(s, Reason.PLACEMENT_FAILED)
    failure = s.target.failure
    assert failure is not None
    if s.record.episode is None:
        s = replace(s, record=_opened(s, failure))
    episode = s.record.episode
    if episode is not None and episode.attempts >= s.policy.repair.max_attempts:
        return _exhausted(s, Step.UNPLACEABLE)
    return _climb(s, Step.UNPLACEABLE)


def climb_foreseen(s: Situation) -> Decision:
    """The spec counts as failed although it was never registered: it would go wrong, and nobody would say so."""
    s = with_failure(s, Reason.VALUE_MISSING)
    failure = s.target.failure
    assert failure is not None
    if s.record.episode is None:
        s = replace(s, record=_opened(s, failure))
    episode = s.record.episode
    if episode is not None and episode.attempts >= s.policy.repair.max_attempts:
        return _exhausted(s, Step.FORESEEN)
    return _climb(s, Step.FORESEEN)


def name_while_running(s: Situation) -> Decision:
    """As desired and broken: the spec counts as failed from now on, although it was good once."""
    s = with_failure(s, Reason.UNHEALTHY)
    failure = s.target.failure
    assert failure is not None
    return decision(s, Step.BROKEN, Remember(s.record), failure.reason, failure.message, flags=(Condition.UNHEALTHY,))


def with_failure(s: Situation, reason: Reason) -> Situation:
    """The same, once the target is known to have failed."""
    found, spec = ask.diagnosis(s), s.target.spec
    assert spec is not None
    failure = FailedSpec(spec.hash, reason, f"{found.failure.value}: {found.words}", found.cause, s.now)
    return replace(s, record=s.record.with_failure(failure), target=replace(s.target, failure=failure))


def wait_it_out(s: Situation) -> Decision:
    """Nomad goes on trying; putting the repair back would take away what lets it."""
    spec, found = s.target.spec, ask.diagnosis(s)
    assert spec is not None
    attempt = replace(new_attempt(s, planned_index=s.job_index, job_modify_index=s.job_index), patient=True)
    record = replace(s.record.without_failure(spec.hash), attempt=attempt)
    return decision(
        s, Step.WAITING_IT_OUT, Remember(record), Reason.PROGRESSING, f"{found.failure.value}: it passes by itself",
        flags=(Condition.REPAIRING,), ready=Truth.UNKNOWN,
    )  # fmt: skip


def climb(s: Situation) -> Decision:
    """The rungs are asked about the job that failed; what did not help is taken out of it first."""
    return _climb(s, Step.CLIMBING)


def _climb(s: Situation, step: Step) -> Decision:
    episode, found = s.record.episode, ask.diagnosis(s)
    assert episode is not None and s.evidence is not None and isinstance(s.desire, Wanted)
    # Before anything is registered, what was tried has mended what it was for, or it would be named again.
    builds_on = _builds_on(episode, found) or (step is Step.FORESEEN and _another(episode, found))
    body = s.desire.spec.body if builds_on else _base(s).body
    if s.budget_refusal:
        message = f"{found.failure.value}: a repair waits, {s.budget_refusal}"
        return decision(
            s, step, Rest(_BUDGET_AGAIN, settled=False), Reason.UNHEALTHY, message,
            flags=(Condition.UNHEALTHY, Condition.REPAIRING),
        )  # fmt: skip
    case = Case(
        key=s.key,
        body=body,
        diagnosis=found,
        evidence=s.evidence,
        tried=tuple(one.as_tried for one in episode.tries),
        limits=dict(s.policy.repair.limits),
        runs=any(one.client_status == "running" and one.desired_status == "run" for one in s.running.allocations),
        episode=episode.id,
    )
    return decision(
        s, step, Climb(case, s.record), Reason.UNHEALTHY, f"{found.failure.value}: looking for a repair",
        flags=(Condition.UNHEALTHY, Condition.REPAIRING),
    )  # fmt: skip


def _builds_on(episode: Episode, found: Diagnosis) -> bool:
    """The trial solved the failure that it was made for, or was a step that may have been too small."""
    last = episode.open_try
    if last is None or not episode.trial:
        return True
    return found.signature != last.diagnosis.signature or all(one.kind in _BY_STEPS for one in last.operations)


def _another(episode: Episode, found: Diagnosis) -> bool:
    last = episode.open_try
    return last is not None and last.diagnosis.facts.get("field") != found.facts.get("field")


def _base(s: Situation) -> Spec:
    """What git asks for with the overlay: no trial."""
    assert isinstance(s.desire, Wanted)
    return overlaid(s.desire.written, tuple(kept.operation for kept in s.record.overlay))


def climbed(s: Situation, case: Case, result: Climbed) -> Record:
    """The record after the rungs have answered: a trial in force, a proposal that waits, or the end."""
    episode = s.record.episode
    assert episode is not None
    builds_on = _builds_on(episode, case.diagnosis) or (bool(s.refused) and _another(episode, case.diagnosis))
    kept = episode.trial if builds_on else ()
    episode = _closed_try(episode, s)
    for turned_down in result.turned_down:
        one = _try(s, case, turned_down.proposal, kept, TryState.GUARDED, result.trace)
        episode = replace(
            episode,
            tries=(
                *episode.tries,
                replace(
                    one,
                    told=turned_down.verdict.told,
                    violations=tuple(sorted({each.invariant for each in turned_down.verdict.violations})),
                    ended_at=s.now,
                ),
            ),
        )
    if result.proposal is None or result.verdict is None:
        choices = tuple(choice for one in result.candidates for choice in one.choices)
        turned_down_for = [f"{one.proposal.reason}, but {one.verdict.told}" for one in result.turned_down]
        told = "; ".join([*(one.reason for one in result.candidates), *turned_down_for, *result.silent])
        return _given_up(s, replace(episode, choices=choices), told or "no rung knows a repair")
    waits = s.policy.repair.mode is RepairMode.PROPOSE or bool(result.verdict.approval)
    state = TryState.WAITING if waits else TryState.OPEN
    one = replace(_try(s, case, result.proposal, kept, state, result.trace), told=result.verdict.approval)
    trial = () if waits else one.trial
    return replace(s.record, episode=replace(episode, tries=(*episode.tries, one), trial=trial))


def _try(
    s: Situation, case: Case, proposal: Proposal, kept: tuple[Operation, ...], state: TryState, trace: str
) -> Try:  # fmt: skip
    trial = joined(kept, proposal.operations)
    assert isinstance(s.desire, Wanted)
    spec_hash = job_digest = ""
    if state is not TryState.GUARDED:
        made = overlaid(s.desire.written, (*(one.operation for one in s.record.overlay), *trial))
        spec_hash, job_digest = made.hash, digest(made.body)
    return Try(
        state=state,
        diagnosis=case.diagnosis,
        operations=proposal.operations,
        trial=trial,
        rung=proposal.rung,
        source=proposal.source,
        reason=proposal.reason,
        hash=proposal.hash_for(case),
        at=s.now,
        spec_hash=spec_hash,
        job_digest=job_digest,
        lesson=lesson(case, proposal.operations),
        trace=trace,
        prompt=proposal.prompt,
    )


def _closed_try(episode: Episode, s: Situation) -> Episode:
    """The trial that was in force has failed."""
    last = episode.open_try
    if last is None:
        return episode
    told = s.target.failure.message if s.target.failure else ""
    return episode.with_try(replace(last, state=TryState.FAILED, told=told, ended_at=s.now))


def give_up(s: Situation) -> Decision:
    return _exhausted(s, Step.EXHAUSTED)


def _exhausted(s: Situation, step: Step) -> Decision:
    episode = s.record.episode
    assert episode is not None
    record = _given_up(s, _closed_try(episode, s), f"{episode.attempts} attempts did not help")
    return decision(
        s, step, Remember(record), Reason.REPAIR_EXHAUSTED, _exhausted_words(record),
        flags=(Condition.STALLED, Condition.UNHEALTHY, Condition.REPAIR_EXHAUSTED),
    )  # fmt: skip


def _given_up(s: Situation, episode: Episode, told: str) -> Record:
    base, good = _base(s), s.record.last_good
    back = (
        good is not None
        and good.spec.hash != base.hash
        and base.rolls_back
        and s.policy.on_failure is OnFailure.ROLLBACK
        and s.record.failure_of(good.spec.hash) is None
    )
    failure, applied = s.record.failure_of(base.hash), s.record.applied
    registered = applied is not None and applied.spec_hash == base.hash
    if failure is not None and failure.reason is Reason.VALUE_MISSING and not registered:
        # It is refused as long as what it reads is not there, and no longer.
        ended = episode.ended(Outcome.EXHAUSTED, told, s.now)
        return replace(s.record.without_failure(base.hash), episode=None, last_episode=ended)
    if failure is not None and failure.reason is Reason.PLACEMENT_FAILED and not registered:
        # Nomad places it when there is room, and keeps what runs until then: that is better than not to ask for it.
        ended = episode.ended(Outcome.EXHAUSTED, f"{told}; Nomad places it when there is room", s.now)
        return replace(s.record.without_failure(base.hash), episode=None, last_episode=ended)
    outcome = Outcome.ROLLED_BACK if back else Outcome.EXHAUSTED
    return replace(s.record, episode=None, last_episode=episode.ended(outcome, told, s.now))


def _exhausted_words(record: Record) -> str:
    last = record.last_episode
    assert last is not None
    return f"{last.diagnosis.failure.value}: not repaired, {last.told}"


def stay_frozen(s: Situation) -> Decision:
    message = ask.stopped_by(s.rules)
    return decision(
        s, Step.FROZEN, Rest(settled=True), Reason.REPAIRS_STOPPED, message,
        flags=(Condition.STALLED, Condition.REPAIRING),
    )  # fmt: skip


def hold_proven(s: Situation) -> Decision:
    last = s.record.last_episode
    assert last is not None
    record = replace(s.record, last_episode=replace(last, durable=True))
    return decision(s, Step.PROVEN, Remember(record), Reason.HEALTHY, "the repair has held", ready=Truth.TRUE)
