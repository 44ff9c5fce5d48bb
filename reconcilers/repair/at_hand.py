"""What a pass has read anyway, as evidence of what is wrong with the target. Pure; nothing is redacted yet.

Which allocations speak of the target is decided here: a job that was refused or never placed has none, one that Nomad
has reverted has those of the version before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from desired.reasons import Reason
from desired.state import JobBody
from observers.evidence import Evidence
from observers.running import Allocation, Deployment, FieldChange, PlacementFailure, RunningJob
from reconcilers import nowhere
from reconcilers.repair.job_changes import job_changes
from reconcilers.situation import Situation, Wanted

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What of an older version goes on with the newer one: that a task runs, and what it waits for.
_GOES_ON = frozenset({"Received", "Task Setup", "Driver", "Template", "Started"})


def at_hand(s: Situation) -> Evidence:
    """The target of the situation must be known."""
    assert s.target.spec is not None
    failure = s.target.failure
    refused = failure is not None and failure.reason is Reason.VALIDATION_FAILED
    planned = s.plan is not None and bool(s.plan.failed) and not _in_force(s)
    allocations = () if refused or planned else _of_the_target(s)
    placement = s.plan.failed if planned and s.plan is not None else _waiting(s, refused)
    since = _since(s, allocations)
    return Evidence(
        id=hashlib.sha256(f"{s.key}\0{_spec_hash(s)}\0{s.now.isoformat()}".encode()).hexdigest()[:12],
        key=s.key,
        at=s.now,
        body=_body(s),
        since=since,
        allocations=allocations,
        placement=placement,
        checks=None if refused or planned else s.running.checks,
        deployment=None if refused or planned else _deployment(s),
        refusal=failure.message if refused and failure is not None else "",
        warnings=s.plan.warnings if s.plan is not None else "",
        changes=_since_it_was_good(s),
    )


def _waiting(s: Situation, refused: bool) -> Mapping[str, PlacementFailure]:
    return {} if refused else nowhere.placement(s.running, _body(s)) if _in_force(s) else s.running.placement


def last_good(s: Situation) -> JobBody:
    """The job that ran well before; empty where there is none, or where it is this one."""
    good = s.record.last_good
    return good.spec.body if good is not None and good.spec.hash != _spec_hash(s) else {}


def _since_it_was_good(s: Situation) -> tuple[FieldChange, ...]:
    good = last_good(s)
    return job_changes(good, _body(s)) if good else ()


def _spec_hash(s: Situation) -> str:
    failure = s.target.failure
    return failure.spec_hash if failure else s.target.spec.hash if s.target.spec else ""


def _body(s: Situation) -> JobBody:
    """Of the spec that failed, which is not the target where that is the last good one."""
    spec = s.desire.spec if s.target.failure is not None and isinstance(s.desire, Wanted) else s.target.spec
    return spec.body if spec else {}


def _in_force(s: Situation) -> bool:
    """What is registered is the target."""
    applied = s.record.applied
    return applied is not None and applied.spec_hash == _spec_hash(s)


def _of_the_target(s: Situation) -> tuple[Allocation, ...]:
    job = s.running.job
    if job is None or not _in_force(s):
        return ()
    version = _version(s, job)
    return tuple(one for one in s.running.allocations if one.job_version == version)


def _version(s: Situation, job: RunningJob) -> int:
    """Of the job, whose allocations and deployment speak of what we registered: Nomad may have gone back since."""
    applied = s.record.applied
    moved = applied is not None and applied.job_modify_index != job.job_modify_index
    return job.version - 1 if moved else job.version


def _deployment(s: Situation) -> Deployment | None:
    """Until Nomad has looked at a register, the newest deployment is that of the version before."""
    job, found = s.running.job, s.running.deployment
    if job is None or found is None or not _in_force(s) or found.job_version != _version(s, job):
        return None
    return found


def since_registered(allocations: Iterable[Allocation], body: JobBody) -> tuple[Allocation, ...]:
    """The same without the ends of older versions: what is updated in place keeps its events.

    `body` is the job as the server holds it. Only times that Nomad told are compared.
    """
    submitted = _at(body.get("SubmitTime"))
    if submitted is None:
        return tuple(allocations)
    return tuple(_since_then(one, submitted) for one in allocations)


def _since_then(allocation: Allocation, submitted: datetime) -> Allocation:
    if allocation.created_at is None or allocation.created_at >= submitted:
        return allocation
    tasks = {
        name: replace(state, events=tuple(one for one in state.events if one.time >= submitted or one.type in _GOES_ON))
        for name, state in allocation.tasks.items()
    }
    return replace(allocation, tasks=tasks)


def _at(nanoseconds: object) -> datetime | None:
    if not isinstance(nanoseconds, int) or nanoseconds <= 0:
        return None
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _since(s: Situation, allocations: tuple[Allocation, ...]) -> datetime:
    if s.record.attempt is not None:
        return s.record.attempt.started_at
    made = [one.created_at for one in allocations if one.created_at is not None]
    return min(made, default=s.target.failure.at if s.target.failure else s.now)
