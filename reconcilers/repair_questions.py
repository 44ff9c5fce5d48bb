"""The conditions of the repair rows of the state table. Pure; each reads as the sentence its row tells."""

from __future__ import annotations

from datetime import timedelta

from desired.cause import Cause
from desired.policy import RepairMode
from desired.state import JobBody
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from observers.running import Allocation, RunningJob
from reconcilers.health import Phase
from reconcilers.questions import health
from reconcilers.record import Record
from reconcilers.repair.episode import Episode, Outcome
from reconcilers.situation import Aim, Rules, Situation, Target, Wanted

# A repair that held this long is called durable.
DURABLE_AFTER = timedelta(minutes=30)
# These say that nothing more is to be tried for this spec.
_FINAL = frozenset({Outcome.REJECTED, Outcome.EXHAUSTED, Outcome.ROLLED_BACK, Outcome.STOPPED})


def repairable(s: Situation) -> bool:
    """The app is wanted, may be repaired, and nobody has stopped repairs."""
    return (
        isinstance(s.desire, Wanted)
        and s.policy.repair.mode is not RepairMode.OFF
        and not s.rules.repairs_stopped
        and s.desire.app.source_hash != s.record.declined
    )


def diagnosis(s: Situation) -> Diagnosis:
    """The most important one; `unknown` where the evidence names none."""
    if s.diagnoses:
        return s.diagnoses[0]
    words = s.target.failure.message if s.target.failure else health(s).message
    return Diagnosis(FailureClass.UNKNOWN, Cause.UNKNOWN, words)


def asks_for_evidence(s: Situation) -> bool:
    """The desired spec has failed, and whether and how it can be repaired is open."""
    return repairable(s) and (_to_be_named(s.record, s.target) or _to_be_climbed(s))


def _to_be_named(record: Record, target: Target) -> bool:
    failure, last = target.failure, record.last_episode
    if failure is None or target.spec is None or record.episode is not None or record.attempt is not None:
        return False
    if last is None or last.spec_hash != failure.spec_hash:
        return True
    return last.outcome not in _FINAL and last.ended_at is not None and last.ended_at < failure.at


def _to_be_climbed(s: Situation) -> bool:
    episode = s.record.episode
    return (
        episode is not None
        and s.record.attempt is None
        and episode.waiting is None
        and s.target.failure is not None
        and episode.attempts < s.policy.repair.max_attempts
    )


def unnamed(s: Situation) -> bool:
    """It failed, and no episode speaks of that."""
    return repairable(s) and s.evidence is not None and _to_be_named(s.record, s.target)


def climbing(s: Situation) -> bool:
    """What is in force has failed, and another attempt is left."""
    return repairable(s) and s.evidence is not None and _to_be_climbed(s)


def passing(s: Situation) -> bool:
    """A repair is in force as we registered it, and what is wrong now needs time alone. Not for longer than any version
    may stand still: then it has not helped."""
    episode, applied, spec = s.record.episode, s.record.applied, s.target.spec
    one = episode.open_try if episode is not None else None
    return (
        climbing(s)
        and one is not None
        and applied is not None
        and spec is not None
        and one.spec_hash == spec.hash == applied.spec_hash
        and applied.job_modify_index == s.job_index
        and not s.stopped
        and diagnosis(s).cause is Cause.TIME
        and s.now - one.at < s.policy.verify.timeout
    )


def exhausted(s: Situation) -> bool:
    """What is in force has failed, and it was the last attempt."""
    episode = s.record.episode
    return (
        repairable(s)
        and episode is not None
        and episode.waiting is None
        and s.record.attempt is None
        and s.target.failure is not None
        and episode.attempts >= s.policy.repair.max_attempts
    )


def frozen(s: Situation) -> bool:
    """The kill switch is on while a trial is in force: it is left as it stands, well or not."""
    return s.rules.repairs_stopped and on_trial(s.record) and (s.target.failure is not None or s.plan is not None)


def on_trial(record: Record) -> bool:
    return record.episode is not None and bool(record.episode.trial)


def given_up(s: Situation) -> bool:
    """Nomad has ended allocations of an older version for good, the new one may try them again, and to register it was
    not enough. Source: measured on Nomad 2.0.5: a new restart or reschedule policy places nothing.
    """
    attempt, job = s.record.attempt, s.running.job
    if attempt is None or attempt.revived or attempt.found or job is None or job.type != "service" or s.stopped:
        return False
    if attempt.spec_hash != (s.target.spec.hash if s.target.spec else "") or attempt.job_modify_index != s.job_index:
        return False
    if s.rules.repairs_stopped and on_trial(s.record):
        return False
    return any(_ended_for_good(one, job) for one in s.running.allocations)


def _ended_for_good(one: Allocation, job: RunningJob) -> bool:
    """Nomad places it anew only where its group may be rescheduled at all. Source: nomad/job_endpoint.go Evaluate."""
    if one.client_status != "failed" or one.desired_status != "run" or one.next_allocation or one.followup_evaluation:
        return False
    group: JobBody = next((each for each in job.body.get("TaskGroups") or () if each.get("Name") == one.group), {})
    policy = group.get("ReschedulePolicy") or {}
    return one.job_version < job.version and bool(policy.get("Unlimited") or policy.get("Attempts"))


def broken(s: Situation) -> bool:
    """As desired, not healthy any more, and the evidence says that the job itself must change."""
    found = s.diagnoses[0] if s.diagnoses else None
    return (
        repairable(s)
        and s.target.aim is Aim.DESIRED
        and s.target.failure is None
        and health(s).phase not in (Phase.HEALTHY, Phase.DONE)
        and found is not None
        and found.conclusive
        and found.cause is Cause.SPEC
    )


def foreseen(s: Situation) -> bool:
    """Not registered, for it would go wrong without a word, and a repair may be known."""
    return bool(s.refused)


def may_foresee(record: Record, spec_hash: str) -> bool:
    """No repair of this spec waits for a person or has been given up, and none of it is under way."""
    last, episode = record.last_episode, record.episode
    if record.attempt is not None or (episode is not None and episode.waiting is not None):
        return False
    return episode is not None or last is None or last.spec_hash != spec_hash or last.outcome not in _FINAL


def unplaceable(s: Situation) -> bool:
    """Not registered yet, nothing can hold it, and the spec is why, or a repair that was to help."""
    found = s.diagnoses[0] if s.diagnoses else None
    return (
        repairable(s)
        and s.plan is not None
        and bool(s.plan.failed)
        and s.target.aim is Aim.DESIRED
        and s.target.failure is None
        and not _given_up(s)
        and (_tried_in_vain(s) or (found is not None and found.conclusive and found.cause is Cause.SPEC))
    )


def _tried_in_vain(s: Situation) -> bool:
    """What is about to be tried finds no room either: registered, it would only wait for what the plan has said."""
    episode, spec = s.record.episode, s.target.spec
    one = episode.open_try if episode is not None and episode.trial else None
    if one is None or spec is None or s.plan is None or one.spec_hash != spec.hash:
        return False
    return one.diagnosis.group in s.plan.failed if one.diagnosis.group else bool(s.plan.failed)


def _given_up(s: Situation) -> bool:
    """No repair of this spec helped, or none was known: it is asked for as it is."""
    last, spec = s.record.last_episode, s.target.spec
    return last is not None and spec is not None and last.spec_hash == spec.hash and last.outcome in _FINAL


def proven(s: Situation) -> bool:
    """A repair has held for half an hour."""
    last = s.record.last_episode
    return (
        last is not None
        and last.outcome is Outcome.REPAIRED
        and last.durable is None
        and last.ended_at is not None
        and s.now - last.ended_at >= DURABLE_AFTER
        and s.target.failure is None
        and health(s).phase in (Phase.HEALTHY, Phase.DONE)
    )


def episode_of(record: Record, spec_hash: str) -> Episode | None:
    """The episode, open or closed, that speaks of this spec."""
    for one in (record.episode, record.last_episode):
        if one is not None and spec_hash in {one.spec_hash, *one.tried_specs}:
            return one
    return None


def stopped_by(rules: Rules) -> str:
    return "repairs are stopped: `nomad-operator repairs start` goes on, `repairs stop --rollback` puts trials back"
