"""The reconcile contract.

`reconcile(key) -> Result` makes one app a little more as it is wanted. A key is all it gets: create, update, delete,
failure and restart take this one path. It observes (completely, or it raises), decides (purely), takes at most one
step, and reports. It never sleeps or polls; what takes time is waited for by coming back. `Settled` and `Waiting` are
values, failures are exceptions. A second pass over an unchanged world writes nothing. Unknown is not absent: what
cannot be read raises, and only a complete observation may lead to a stop. Every write is compare-and-set, and what is
about to be written is remembered before, so that a kill at any point makes no attempt happen twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, assert_never

from desired import spans
from desired.app import AppKey
from desired.errors import Conflict, InvalidDesired, Rejected, StateUnusable, StillReading, TerminalError
from desired.objection import Objection, problems_of
from desired.operations.words import line
from desired.problem import Problem
from desired.reasons import Reason
from desired.state import DesiredApp, DesiredState, JobBody
from desired.template_examiner import RULE as TEMPLATE_RULE
from observers.evidence import Evidence
from observers.failures.diagnosis import Diagnosis
from observers.running import Plan, Running
from reconcilers import dependencies, nowhere
from reconcilers import questions as when
from reconcilers import repair_questions as repairs
from reconcilers.admission import Admission, Examined
from reconcilers.choose_repair import climbed
from reconcilers.decision import Climb, Condition, Decision, Forget, Register, Remember, Rest, Revive, Step, Stop, Truth
from reconcilers.health import Phase, judge
from reconcilers.ports import DesiredView, Nomad, Reporter, Submission
from reconcilers.prune import Withdrawals
from reconcilers.record import Applied, Record, refused
from reconcilers.records import Records
from reconcilers.repair.budget import Budget
from reconcilers.repair.closing import admitted, settle
from reconcilers.repair.ladder import Climbed, Ladder
from reconcilers.repair.overlay import overlaid, sort
from reconcilers.repair.proposal import Case
from reconcilers.repair.switch import Switch
from reconcilers.requests import Requests, noted
from reconcilers.result import Result, Settled, Waiting
from reconcilers.situation import Aim, Desire, Rules, Situation, Target, Unclear, Wanted, Withdrawn
from reconcilers.spec import Spec, scaled_groups, with_counts
from reconcilers.specs import Specs
from reconcilers.steps import decide
from reconcilers.target import choose_target, spec_to_plan
from reconcilers.watch import Look, Watch

_AT_ONCE = timedelta(0)
_LOOK_AGAIN = timedelta(seconds=15)
# A register needs a moment before there is anything new to see; events wake the key sooner.
_AFTER_REGISTER = timedelta(seconds=1)
_EXAMINED_AGAIN = timedelta(minutes=1)
# A terminal error is looked at again now and then: what caused it may be outside what we watch (an ACL policy).
_STALLED_RECHECK = timedelta(minutes=5)


_TOLD_AT_ONCE = 4
_NOTHING_TO_NAME = frozenset({Phase.HEALTHY, Phase.DONE, Phase.PROMOTION})


class EvidenceSource(Protocol):
    """Where a pass gets its evidence from."""

    async def collect(self, situation: Situation) -> tuple[Evidence, tuple[Diagnosis, ...]]:
        """Everything that can be read about the failure of the target, without secrets, and what it is. Raises where
        Nomad is away."""
        ...

    async def foreseen(self, situation: Situation) -> tuple[Evidence, tuple[Diagnosis, ...]]:
        """Why its tasks would get wrong values, where the job could mend that; nothing of it is registered."""
        ...

    async def at_hand(self, situation: Situation) -> tuple[Diagnosis, ...]:
        """What it is by what the pass has read anyway, what was heard before, and the log of what has crashed: a few
        requests for each crash, and none else."""
        ...

    def hidden(self, running: Running, wanted: JobBody) -> Running:
        """The same without secrets: what a pass says, remembers and logs is made of it."""
        ...

    def hidden_plan(self, plan: Plan, wanted: JobBody) -> Plan:
        """The same, of a plan's words."""
        ...

    def refusal(self, error: Rejected, wanted: JobBody) -> Rejected:
        """Nomad's words about a job without what is secret in it."""
        ...

    def hidden_answer(self, result: Climbed, body: JobBody) -> Climbed:
        """What the rungs answered, as it may be remembered and told."""
        ...


@dataclass(frozen=True, slots=True)
class Repairs:
    """What a pass needs to name and mend failures."""

    evidence: EvidenceSource
    ladder: Ladder
    budget: Budget
    switch: Switch


class Reconciler:
    """One pass at a time per key; different keys may run at once."""

    def __init__(
        self,
        *,
        nomad: Nomad,
        desired: DesiredView,
        withdrawn: Callable[[], Withdrawals],
        records: Records,
        requests: Requests,
        specs: Specs,
        reporter: Reporter,
        repairs: Repairs,
        rules: Rules,
        watch: Watch,
        now: Callable[[], datetime],
        after_state_loss: Callable[[], bool],
        admission: Admission | None = None,
    ) -> None:
        self._admission = admission
        self._nomad = nomad
        self._desired = desired
        self._withdrawn = withdrawn
        self._records = records
        self._requests = requests
        self._specs = specs
        self._reporter = reporter
        self._repairs = repairs
        self._rules = rules
        self._watch = watch
        self._now = now
        self._after_state_loss = after_state_loss

    async def reconcile(self, key: AppKey) -> Result:
        """One pass; see the module."""
        await self._note_requests(key)
        state = self._desired.state
        if state is None:
            return Waiting(Reason.PENDING, _LOOK_AGAIN)
        app = state.apps.get(key)
        running = await self._nomad.running(key, checks=True)
        try:
            with spans.step("observe") as told:
                situation = await self._observe(key, state, app, running)
                _tell_seen(situation, told)
            with spans.step("decide") as told:
                decision = decide(situation)
                _tell_decided(decision, told)
            again = _examined_again(situation, await self._act(situation, decision))
        except Rejected as error:
            # The next pass holds the app to its last good version, or leaves it, and tells why.
            decision, again = _stalled(error), Waiting(error.reason, _AT_ONCE)
        except StateUnusable as error:
            # Nothing tells that the disk has room again, and it concerns every app.
            decision = replace(_stalled(error), action=Rest(settled=False))
            again = Waiting(error.reason, _LOOK_AGAIN)
        except TerminalError as error:
            decision, again = _stalled(error), Settled(error.reason, _STALLED_RECHECK)
        with spans.step("report"):
            if isinstance(decision.action, Forget):
                self._reporter.gone(key)
            else:
                self._reporter.decided(key, decision, app=app, running=running)
        return again

    async def look(self, key: AppKey, state: DesiredState) -> tuple[Situation, Decision]:
        """A dry run: observe, decide, stop. Rejected if Nomad refuses the job; nothing is written to it."""
        running = await self._nomad.running(key, checks=True)
        situation = await self._observe(key, state, state.apps.get(key), running)
        return situation, decide(situation)

    async def _note_requests(self, key: AppKey) -> None:
        with self._requests.taken(key) as asked:
            record = self._records.get(key)
            for request in asked:
                record = noted(record, request, self._now())
            if asked:
                await self._records.save(record)

    # -- observe

    async def _observe(self, key: AppKey, state: DesiredState, app: DesiredApp | None, running: Running) -> Situation:
        look = self._watch.look()
        now = look.at
        record = await self._noted(self._records.get(key), app, look)
        desire = await self._desire(key, state, app, record)
        if isinstance(desire, Wanted):
            desire, record = await self._with_repairs(desire, record, now)
        examined = await self._examined(key, desire, record)
        if isinstance(desire, Wanted) and not examined.refusals:
            record = await self._admitted(record, desire.spec, now)
        if judge(running, by_deployment=True).phase not in _NOTHING_TO_NAME:
            wanted = desire.spec.body if isinstance(desire, Wanted) else {}
            running = self._repairs.evidence.hidden(running, wanted)
        situation = Situation(
            key=key,
            desire=desire,
            running=running,
            record=record,
            rules=replace(self._rules, repairs_stopped=self._repairs.switch.stopped),
            now=now,
            after_state_loss=self._after_state_loss(),
            objections=examined.warnings,
            unread=examined.unread,
        )
        if isinstance(desire, Wanted) and examined.refusals:
            situation = await self._refused(situation, desire, examined.refusals)
            desire = situation.desire
        target = choose_target(situation.desire, record, situation.policy, now)
        situation = replace(situation, target=target, barred=await self._barred(key, desire, target.spec))
        if when.moved(situation):
            situation = replace(situation, deployments=await self._nomad.deployments(key))
        if app is not None:
            situation = replace(
                situation,
                unready=dependencies.unready(app, state.apps, self._reporter.ready),
                cycle=dependencies.circle(key, lambda one: _depends_on(state, one)),
            )
        to_plan = spec_to_plan(target, running, record)
        if to_plan is None:
            return await self._diagnosed(situation)
        body = self._with_live_counts(to_plan, situation)
        try:
            plan = await self._nomad.plan(key, body)
        except Rejected as error:
            told = self._repairs.evidence.refusal(error, body)
            await self._records.save(record.with_failure(refused(record, to_plan, told, now)))
            raise told from error
        plan = nowhere.told(plan, body)
        if plan.failed or plan.warnings:
            plan = self._repairs.evidence.hidden_plan(plan, body)
        return await self._diagnosed(replace(situation, plan=plan, body=body))

    async def _with_repairs(self, desire: Wanted, record: Record, now: datetime) -> tuple[Wanted, Record]:
        """What is wanted with the overlay and the trial applied. What git says otherwise by now, or says itself, is
        dropped."""
        if not record.overlay and record.episode is None:
            return desire, record
        found = sort(record.overlay, desire.written.body)
        settled = settle(record, desire.written, found.standing, bool(found.contradicted), now)
        if settled != record:
            await self._records.save(settled)
        trial = settled.episode.trial if settled.episode else ()
        operations = (*(kept.operation for kept in settled.overlay), *trial)
        return replace(desire, spec=overlaid(desire.written, operations)), settled

    async def _examined(self, key: AppKey, desire: Desire, record: Record) -> Examined:
        if self._admission is None or not isinstance(desire, Wanted):
            return Examined()
        examined = await self._admission.examine(key, desire.spec.body)
        return examined.of_what_stands if record.stands(desire.spec.hash) else examined

    async def _refused(self, s: Situation, wanted: Wanted, refusals: tuple[Objection, ...]) -> Situation:
        """What somebody objects to is held back as what cannot be read is: what was good before stays in force.

        But where it would only get wrong values, the ladder is asked before: it may know the right ones' names.
        """
        told = problems_of(refusals, wanted.app)
        held = replace(s, desire=Unclear(refusals[0].reason, _told(told), passing=True))
        foreseeable = all(one.reason is Reason.VALUE_MISSING or one.rule == TEMPLATE_RULE for one in refusals)
        if not foreseeable or not repairs.repairable(s) or not repairs.may_foresee(s.record, wanted.spec.hash):
            return held
        aimed = replace(s, target=Target(Aim.DESIRED, wanted.spec, wanted.app.source_hash))
        evidence, diagnoses = await self._repairs.evidence.foreseen(aimed)
        if not diagnoses:
            return held
        refusal = self._repairs.budget.refusal(s.key, s.now)
        return replace(s, refused=refusals, evidence=evidence, diagnoses=diagnoses, budget_refusal=refusal)

    async def _admitted(self, record: Record, spec: Spec, now: datetime) -> Record:
        """Nobody objects any more to what was named before it was registered."""
        found = admitted(record, spec.hash, now)
        if found != record:
            await self._records.save(found)
        return found

    async def _barred(self, key: AppKey, desire: Desire, spec: Spec | None) -> str:
        """Why the version that the app is held to instead may not be written either: rules may be newer than it.

        What others object to speaks of what is new: what was good before may go on in spite of it.
        """
        if self._admission is None or spec is None or (isinstance(desire, Wanted) and desire.spec.hash == spec.hash):
            return ""
        refusals = (await self._admission.examine(key, spec.body)).refusals
        return _said(one for one in refusals if one.reason is Reason.POLICY_VIOLATION)

    async def _diagnosed(self, s: Situation) -> Situation:
        """Name what is wrong: from what was read anyway, and from all there is where a repair depends on it."""
        if not isinstance(s.desire, Wanted) or s.target.spec is None or s.refused:
            return s
        unplaced = s.plan is not None and bool(s.plan.failed) and s.target.failure is None
        if repairs.asks_for_evidence(s) or (unplaced and repairs.repairable(s)):
            evidence, diagnoses = await self._repairs.evidence.collect(s)
            refusal = self._repairs.budget.refusal(s.key, s.now)
            return replace(s, evidence=evidence, diagnoses=diagnoses, budget_refusal=refusal)
        if when.health(s).phase in _NOTHING_TO_NAME:
            return s
        return replace(s, diagnoses=await self._repairs.evidence.at_hand(s))

    async def _noted(self, record: Record, app: DesiredApp | None, look: Look) -> Record:
        """What must be known once the file is gone is noted while it is there, and what time does not count."""
        noted = self._watch.watched(record, look)
        if app is not None:
            noted = self._noted_of_file(noted, app)
        if noted != record and record.key in self._records:
            await self._records.save(noted)
        self._watch.looked(record.key, look)
        return noted

    def _noted_of_file(self, record: Record, app: DesiredApp) -> Record:
        return replace(
            record,
            origin=self._records.origin,
            path=app.path,
            kind=app.kind.value,
            prune=app.policy.prune,
            policy=app.policy,
            withdrawal=None,
        )

    async def _desire(self, key: AppKey, state: DesiredState, app: DesiredApp | None, record: Record) -> Desire:
        if app is not None:
            try:
                spec = await self._specs.of(app, record, state.revision)
                return Wanted(app, spec, written=spec)
            except InvalidDesired as error:
                return Unclear(error.reason, f"{app.path}: {error.message}")
        if key in state.conflicts:
            return Unclear(Reason.DESIRED_CONFLICT, state.conflict(key))
        for file in state.unreadable:
            if file.key == key:
                if file.pending:
                    raise StillReading(f"{key}: {file.problems[0]}")
                return Unclear(file.reason, _told(file.problems))
        withdrawn = self._withdrawn()
        if not state.complete and record.withdrawal is None:
            return Unclear(Reason.DESIRED_UNREADABLE, f"no file asks for it, but {withdrawn.held}")
        return Withdrawn(held=withdrawn.holds(key))

    def _with_live_counts(self, spec: Spec, situation: Situation) -> JobBody:
        body = spec.body
        job = situation.running.job
        if job is None:
            return body
        groups = scaled_groups(body)
        if "count" in situation.policy.drift_ignore:
            groups |= job.counts.keys()
        return with_counts(body, job.counts, groups)

    # -- act

    async def _act(self, s: Situation, decision: Decision) -> Result:
        if not isinstance(decision.action, Rest):
            spans.acts(decision.step.value, decision.reason.value)
        with spans.step("act", asked={"action": type(decision.action).__name__.lower()}):
            return await self._do(s, decision)

    async def _do(self, s: Situation, decision: Decision) -> Result:
        action = decision.action
        match action:
            case Rest(again_in, settled):
                if settled:
                    return Settled(decision.reason, again_in)
                return Waiting(decision.reason, again_in if again_in is not None else _LOOK_AGAIN)
            case Remember(record, again_in):
                await self._records.save(record)
                return Waiting(decision.reason, again_in)
            case Register():
                await self._register(s, action)
                return Waiting(decision.reason, _AFTER_REGISTER)
            case Stop():
                await self._stop(s)
                return Waiting(decision.reason, _AT_ONCE)
            case Revive(record):
                await self._records.save(s.record, anew=True)
                await self._nomad.revive(s.key)
                await self._records.save(record)
                return Waiting(decision.reason, _AFTER_REGISTER)
            case Forget():
                await self._records.forget(s.key)
                self._watch.forget(s.key)
                return Settled(decision.reason)
            case Climb(case, record):
                return await self._climb(replace(s, record=record), case, decision.reason)
            case _:
                assert_never(action)

    async def _climb(self, s: Situation, case: Case, reason: Reason) -> Result:
        """The place in the budget is taken before a repair is remembered, and remembered before it is made."""
        budget = self._repairs.budget
        if budget.reserve(s.key, s.now):
            return Waiting(reason, _LOOK_AGAIN)
        try:
            with spans.step("climb", asked=case.diagnosis.words) as told:
                result = self._repairs.evidence.hidden_answer(await self._repairs.ladder.climb(case), case.body)
                _tell_climbed(result, told)
            await self._records.save(climbed(s, case, replace(result, trace=spans.under_way())))
        finally:
            budget.release(s.key)
        return Waiting(reason, _AT_ONCE)

    async def _register(self, s: Situation, action: Register) -> None:
        """Remember the attempt, write, remember that it happened. A kill in between is resolved by the next pass."""
        spec, attempt = action.spec, action.attempt
        record = replace(s.record, attempt=attempt, run=None, stopped_index=0, again="")
        record = record.with_corrections(action.corrections)
        await self._records.save(record)
        submission = Submission(
            spec.text, spec.format, spec.variables, (("git_revision", spec.revision), ("path", spec.path))
        )
        try:
            registration = await self._nomad.register(action.body, index=action.index, submission=submission)
        except Conflict:
            # Definitely not written: the attempt did not happen, and the next pass plans anew.
            await self._records.save(replace(record, attempt=s.record.attempt if s.record.attempt != attempt else None))
            raise
        except Rejected as error:
            told = self._repairs.evidence.refusal(error, action.body)
            await self._records.save(record.with_failure(refused(record, spec, told, self._now())))
            raise told from error
        applied = Applied(spec.hash, registration.job_modify_index, attempt.source_hash, attempt.revision, self._now())
        registered = attempt.registered(registration.job_modify_index)
        await self._records.save(replace(record, attempt=registered, applied=applied, adopt=False))

    async def _stop(self, s: Situation) -> None:
        """Nomad's stop knows no compare-and-set: the job was read in this very pass, and it is ours.

        That it was withdrawn is remembered; that we stopped it is remembered after, if the state can be written.
        """
        await self._records.save(s.record, anew=True)
        await self._nomad.stop(s.key)
        stopped = await self._nomad.running(s.key)
        index = stopped.job.job_modify_index if stopped.job else 0
        await self._records.save(replace(s.record, applied=None, attempt=None, stopped_index=index))


def _tell_seen(s: Situation, told: spans.Told) -> None:
    job, wanted = s.running.job, s.desire.spec.body if isinstance(s.desire, Wanted) else None
    spans.hides(wanted, s.body, s.target.spec.body if s.target.spec is not None else None, job.body if job else None)
    if told.recorded:
        seen = {"aim": s.target.aim.value, "job": job.version if job else None, "plan": s.plan and s.plan.diff_type}
        told.answered({**seen, "diagnoses": [f"{one.failure.value}: {one.words}" for one in s.diagnoses]})


def _tell_decided(decision: Decision, told: spans.Told) -> None:
    if told.recorded:
        what = {"step": decision.step.value, "action": type(decision.action).__name__.lower()}
        told.answered({**what, "reason": decision.reason.value, "message": decision.message})


def _tell_climbed(result: Climbed, told: spans.Told) -> None:
    if told.recorded:
        proposal = result.proposal
        told.answered({
            "rung": proposal.rung.value if proposal else None, "reason": proposal.reason if proposal else "",
            "operations": [line(one) for one in proposal.operations] if proposal else [],
            "turned_down": [one.proposal.reason for one in result.turned_down],
            "choices": [one.reason for one in result.candidates], "silent": list(result.silent),
        })  # fmt: skip


def _examined_again(s: Situation, result: Result) -> Result:
    """What is objected to may be allowed by tomorrow without a change of the file, and nobody tells."""
    passing = any(not one.lasting for one in s.objections)
    objected = s.unread or passing or s.barred or (isinstance(s.desire, Unclear) and s.desire.passing)
    if not objected or not isinstance(result, Settled) or result.recheck_in is not None:
        return result
    return Settled(result.reason, _EXAMINED_AGAIN)


def _told(problems: Sequence[Problem]) -> str:
    """The first few: `sources` and `questions` of the status have them all."""
    more = len(problems) - _TOLD_AT_ONCE
    return "; ".join(str(problem) for problem in problems[:_TOLD_AT_ONCE]) + (f"; and {more} more" if more > 0 else "")


def _said(objections: Iterable[Objection]) -> str:
    """The same of a version that stands in no file."""
    told = [f"{one.message} [{one.rule}]" for one in objections]
    more = len(told) - _TOLD_AT_ONCE
    return "; ".join(told[:_TOLD_AT_ONCE]) + (f"; and {more} more" if more > 0 else "")


def _depends_on(state: DesiredState, key: AppKey) -> tuple[AppKey, ...]:
    app = state.apps.get(key)
    return app.policy.depends_on if app else ()


def _stalled(error: TerminalError) -> Decision:
    """A refusal ends the pass; it is told as a condition, and tried again when something changes."""
    flags = {Condition.STALLED: (error.reason, error.message)}
    if isinstance(error, Rejected):
        flags[Condition.VALIDATION_FAILED] = (error.reason, error.message)
    message = f"{error.message} ({error.hint})" if error.hint else error.message
    return Decision(Step.NOTHING_TO_HOLD, Rest(), Truth.FALSE, error.reason, message, flags)
