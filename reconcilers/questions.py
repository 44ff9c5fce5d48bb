"""The conditions of the state table, one question each. Pure; each reads as the sentence its row tells.

The order of the table matters: a question may rely on all rows above it having answered no.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from desired.cause import Cause
from desired.policy import Drift
from desired.reasons import Reason
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from observers.nomad.needs import has_native_checks
from observers.running import Deployment, TaskState
from reconcilers.came_up import least, steady_since
from reconcilers.decision import LOOK_AGAIN
from reconcilers.health import Health, Phase, judge
from reconcilers.record import Attempt, Record
from reconcilers.situation import Adopt, Aim, Situation, Unclear, Wanted, Withdrawn
from reconcilers.verify import Continue, Failed, Verdict, Verified, verify

# How long what failed is left unseen while it runs: the longer it has failed, the seldomer it is looked at.
_RECOVERS_AT_MOST = timedelta(minutes=10)


def always(s: Situation) -> bool:
    return True


def suspended(s: Situation) -> bool:
    return not isinstance(s.desire, Withdrawn) and (s.record.suspended or s.policy.suspend)


def own_job(s: Situation) -> bool:
    return s.key == s.rules.own_job


# -- withdrawn


def withdrawn(s: Situation) -> bool:
    return isinstance(s.desire, Withdrawn)


def pruned(s: Situation) -> bool:
    return withdrawn(s) and (s.running.job is None or s.stopped)


def left_running(s: Situation) -> bool:
    """Not ours, told not to prune, or somebody else's by now: it is never stopped."""
    record = s.record
    return withdrawn(s) and (record.applied is None or not record.prune or record.suspended or taken_over(s))


def taken_over(s: Situation) -> bool:
    """Somebody has written it since we did, and it is not what we held it to: an edit, or another operator's job."""
    applied = s.record.applied
    if applied is None or applied.job_modify_index == s.job_index:
        return False
    return s.plan is None or not s.plan.settled


def prune_held(s: Situation) -> bool:
    if not isinstance(s.desire, Withdrawn):
        return False
    withdrawal = s.record.withdrawal
    if withdrawal is None or s.desire.held:
        return True
    return s.now - withdrawal.since < s.rules.prune_grace


# -- what is wanted


def nothing_to_hold(s: Situation) -> bool:
    return s.target.spec is None


# -- an open attempt


def doubtful(s: Situation) -> bool:
    """Interrupted in the middle of a register, and something else is wanted by now: did it happen?"""
    attempt = s.record.attempt
    return attempt is not None and attempt.spec is not None and attempt_of_target(s) is None and s.plan is not None


def attempt_of_target(s: Situation) -> Attempt | None:
    attempt = s.record.attempt
    return attempt if attempt is not None and s.target.spec and attempt.spec_hash == s.target.spec.hash else None


def superseded(s: Situation) -> bool:
    return s.record.attempt is not None and attempt_of_target(s) is None


def interrupted(s: Situation) -> bool:
    """The register is not known to have happened, and nothing contradicts that it did or can be done now."""
    attempt = attempt_of_target(s)
    if attempt is None or attempt.job_modify_index != 0 or s.plan is None:
        return False
    return s.job_index == attempt.planned_index or (s.plan.settled and not s.stopped)


def moved(s: Situation) -> bool:
    """The job is not the one we registered any more."""
    attempt = attempt_of_target(s)
    return attempt is not None and (s.job_index != attempt.job_modify_index or s.stopped)


def reverted(s: Situation) -> bool:
    """Nomad says so: the deployment of what we registered failed and went back. Whoever edits a job cancels it.

    Nomad forgets deployments: where it holds none of ours any more, being back at the last good version has to do.
    """
    attempt, good = s.record.attempt, s.record.last_good
    if attempt is None or not moved(s) or s.running.job is None or s.stopped:
        return False
    ours = [one for one in s.deployments if _deploys(one, attempt, s.job_index)]
    if ours:
        return any(one.went_back for one in ours)
    return good is not None and good.spec.hash != attempt.spec_hash and s.plan is not None and s.plan.settled


def _deploys(deployment: Deployment, attempt: Attempt, job_index: int) -> bool:
    """An attempt whose answer was lost has no index: its deployment is one between the plan and what is there now."""
    if attempt.job_modify_index > 0:
        return deployment.spec_index == attempt.job_modify_index
    return attempt.planned_index < deployment.spec_index < job_index


def overtaken(s: Situation) -> bool:
    return moved(s)


def verdict(s: Situation) -> Verdict | None:
    attempt = attempt_of_target(s)
    return None if attempt is None else _verdict(s, attempt)


def _verdict(s: Situation, attempt: Attempt) -> Verdict:
    """What the evidence proves is not waited for; what it names is told in the place of a symptom."""
    found = verify(attempt, _under_way(attempt, health(s)), s.running, s.policy.verify, s.now)
    named = s.diagnoses[0] if s.diagnoses else None
    if named is None or isinstance(found, Verified):
        return found
    message = f"{named.failure.value}: {named.words}"
    if isinstance(found, Failed):
        return Failed(found.reason, message, found.cause if named.cause in _SAYS_NOTHING else named.cause)
    if named.conclusive and named.cause in _WILL_NOT_PASS:
        return Failed(Reason.ALLOCATIONS_FAILED, message, named.cause)
    return found


def _under_way(attempt: Attempt, found: Health) -> Health:
    if attempt.patient and found.reason is Reason.DEPLOYMENT_FAILED:
        return replace(found, phase=Phase.PROGRESSING, reason=Reason.PROGRESSING)
    return found


def named(s: Situation) -> Diagnosis | None:
    """What is wrong, as far as it has a name by now; it need not be proven yet."""
    found = s.diagnoses[0] if s.diagnoses else None
    return None if found is None or found.failure is FailureClass.UNKNOWN or found.cause is Cause.NONE else found


# A placement that the cluster cannot give may come, and what is passing passes: those are waited for.
_WILL_NOT_PASS = frozenset({Cause.SPEC, Cause.EXTERNAL})
_SAYS_NOTHING = frozenset({Cause.UNKNOWN, Cause.NONE})


def health(s: Situation) -> Health:
    """While what we have registered is verified, what its deployment has given up on has failed."""
    attempt = s.record.attempt
    return judge(s.running, by_deployment=attempt is not None and not attempt.found)


def checks_fail(s: Situation) -> bool:
    return any(check.status == "failure" for check in s.running.checks or ())


def may_fail_unheard(s: Situation) -> bool:
    """No event tells of a check's results, nor that a task still waits for what its template reads."""
    job = s.running.job
    if job is None:
        return False
    checked = has_native_checks(job.body)
    return any(
        (checked and one.client_status == "running" and one.healthy is None) or any(map(_waits, one.tasks.values()))
        for one in s.running.allocations
        if one.job_version == job.version and not one.terminal
    )


def _waits(task: TaskState) -> bool:
    return task.state == "pending" and bool(task.events) and task.events[-1].type == "Template"


def failed(s: Situation) -> bool:
    return isinstance(verdict(s), Failed)


def verified(s: Situation) -> bool:
    return isinstance(verdict(s), Verified)


def soaking(s: Situation) -> bool:
    found = verdict(s)
    return isinstance(found, Continue) and found.attempt.healthy_since is not None


def verifying(s: Situation) -> bool:
    return verdict(s) is not None


# -- a failed spec without a way back


def left(s: Situation) -> bool:
    """Also when it is time to try again, but what failed still stands registered: there is nothing to write."""
    target = s.target
    return target.aim is Aim.LEFT or (target.aim is Aim.DESIRED and target.failure is not None and s.plan is None)


def recovered(s: Situation) -> bool:
    """It runs unchanged since we registered it, and is healthy now; what Nomad has judged unhealthy, for a while."""
    due = _well_from(s) if _stands_as_registered(s) else None
    return due is not None and left(s) and s.now >= due


def may_recover_in(s: Situation) -> timedelta | None:
    """When to look whether it has recovered: no event tells of a check that turns green. None while it does not run."""
    if not _stands_as_registered(s) or s.target.failure is None:
        return None
    if (due := _well_from(s)) is not None:
        return max(due - s.now, LOOK_AGAIN)
    job = s.running.job
    if job is None or job.status == "dead" or not any(one.client_status == "running" for one in s.running.allocations):
        return None
    return min(max((s.now - s.target.failure.at) / 4, LOOK_AGAIN), _RECOVERS_AT_MOST)


def _stands_as_registered(s: Situation) -> bool:
    applied = s.record.applied
    return (
        applied is not None
        and s.target.spec is not None
        and applied.spec_hash == s.target.spec.hash
        and applied.job_modify_index == s.job_index
        and not s.stopped
    )


def _well_from(s: Situation) -> datetime | None:
    """From when on it counts as healthy: between two crashes everything looks well. None where it does not."""
    if health(s).phase not in (Phase.HEALTHY, Phase.DONE):
        return None
    due = [s.now]
    for one in s.running.allocations:
        if one.desired_status != "run" or one.healthy or one.client_status != "running":
            continue
        since = steady_since(s.running, one)
        if since is not None:
            due.append(since + max(s.policy.verify.soak, least(s.running, one)))
    return max(due)


# -- a person wants tried again what stands registered

# An allocation of which nothing is known may run.
_ALIVE = ("pending", "running", "unknown")


def judged_again(s: Situation) -> bool:
    """Unchanged since we registered it, and nothing else is known of it now."""
    applied = s.record.applied
    return (
        s.record.again != ""
        and applied is not None
        and s.target.spec is not None
        and s.target.failure is None
        and s.record.again == s.target.spec.hash == applied.spec_hash
        and applied.job_modify_index == s.job_index
        and not s.stopped
    )


def run_again(s: Situation) -> bool:
    """It failed altogether: nothing that has completed would be done twice, and nothing that runs is stopped.

    Nomad places nothing more of a deployment that has failed, whoever asks. Source: scheduler/reconciler (2.0.5),
    partOfFailedDeployment.
    """
    if not judged_again(s) or s.target.spec is None:
        return False
    if not s.target.spec.batch:
        return not any(one.desired_status == "run" and one.client_status in _ALIVE for one in s.running.allocations)
    found = health(s)
    return found.reason is Reason.RUN_FAILED and found.healthy == 0


# -- nothing is open


def completed(s: Situation) -> bool:
    """Whatever became of the job since: putting it back would run it again."""
    run, spec = s.record.run, s.target.spec
    return run is not None and spec is not None and spec.batch and run.spec_hash == spec.hash


def adoptable(s: Situation) -> bool:
    return _unknown_job(s) and s.plan is not None and s.plan.settled and not s.stopped


def foreign(s: Situation) -> bool:
    """There before us and different; or work with an end that is absent after our memory was lost."""
    if s.record.adopt or s.rules.adopt is Adopt.ALWAYS:
        return False
    if s.running.job is None:
        has_an_end = s.target.spec is not None and s.target.spec.batch
        return s.after_state_loss and has_an_end and not s.record.ours
    return _unknown_job(s)


def _unknown_job(s: Situation) -> bool:
    if s.running.job is None or s.record.applied is not None:
        return False
    return not (s.record.stopped_index and s.job_index == s.record.stopped_index)


def as_desired(s: Situation) -> bool:
    """Changed since we looked, but a plan finds nothing to do, or only what is ignored; or a repair led back to it."""
    if trial_in_force(s):
        return True
    if s.plan is None or s.running.job is None or s.stopped:
        return False
    return s.plan.settled or (applied_is_target(s) and not s.drift_changes)


def trial_in_force(s: Situation) -> bool:
    """What is tried is what was in force before: there is nothing to register, and it has to prove itself."""
    episode, spec, applied = s.record.episode, s.target.spec, s.record.applied
    one = episode.open_try if episode is not None else None
    return (
        one is not None
        and spec is not None
        and applied is not None
        and s.record.attempt is None
        and s.target.failure is None
        and not s.stopped
        and s.running.job is not None
        and one.spec_hash == spec.hash == applied.spec_hash
        and applied.job_modify_index == s.job_index
    )


def applied_is_target(s: Situation) -> bool:
    return _applies(s.record, s.target.spec.hash if s.target.spec else "")


def _applies(record: Record, spec_hash: str) -> bool:
    return record.applied is not None and record.applied.spec_hash == spec_hash


def still_no_room(s: Situation) -> bool:
    return s.target.failure is not None and s.target.aim is Aim.DESIRED and s.plan is not None and bool(s.plan.failed)


def waits_for_others(s: Situation) -> bool:
    """Only something new waits: what already runs is put back without asking."""
    return s.plan is not None and bool(s.unready or s.cycle) and not applied_is_target(s)


def drifted(s: Situation) -> bool:
    return s.plan is not None and applied_is_target(s)


def drift_is_told(s: Situation) -> bool:
    return drifted(s) and (s.policy.drift is Drift.WARN or contested(s))


def contested(s: Situation) -> bool:
    return any(
        s.record.contested(change.path, change.old, s.now, within=s.rules.contest_within) for change in s.drift_changes
    )


def differs(s: Situation) -> bool:
    return s.plan is not None


def unhealthy(s: Situation) -> bool:
    return health(s).phase not in (Phase.HEALTHY, Phase.DONE)


def desired_problem(s: Situation) -> Unclear | None:
    return s.desire if isinstance(s.desire, Unclear) else None


def wanted(s: Situation) -> Wanted | None:
    return s.desire if isinstance(s.desire, Wanted) else None
