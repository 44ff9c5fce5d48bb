"""Is the job as it is now what somebody would call healthy, or done? A pure judgement by job type.

Every kind of job has its own idea: a service runs the wanted number of healthy allocations, a system job one on each
node that may hold it, a batch run ends, a periodic or parameterized job only has to be registered. Nothing here knows
of attempts, soak or timeouts: `reconcilers.verify` adds time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from desired.reasons import Reason
from observers.running import Allocation, Check, Deployment, PlacementFailure, Running, RunningJob, TaskEvent
from reconcilers.came_up import came_up
from reconcilers.spec import counts

# Nomad's own marker of the end of its retries, and events that follow a cause instead of naming one.
# Source: recordings of a real server; client/allocrunner/taskrunner/restarts.
_NOT_A_CAUSE = frozenset(
    {
        "Received",
        "Task Setup",
        "Started",
        "Restarting",
        "Not Restarting",
        "Killed",
        "Alloc Unhealthy",
        "Sibling Task Failed",
        "Leader Task Dead",
        "Main Tasks Dead",
        "Waiting for shutdown delay",
    }
)


class Phase(StrEnum):
    """How far a job has come."""

    PROGRESSING = "progressing"
    PROMOTION = "promotion"  # canaries are healthy and wait for a person
    UNPLACED = "unplaced"  # the scheduler found no room for some of it
    HEALTHY = "healthy"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Health:
    """`healthy` and `wanted` count allocations; `pulling` is True while an image is being fetched."""

    phase: Phase
    reason: Reason
    message: str
    healthy: int = 0
    wanted: int = 0
    pulling: bool = False


def judge(running: Running, *, by_deployment: bool = False) -> Health:
    """The job must exist and not be stopped.

    `by_deployment`: what its deployment has given up on has failed, whatever became of it afterwards. Else everything
    that runs well by now counts, all of it: what Nomad has judged is never judged by it again.
    """
    job = running.job
    if job is None or job.stop:
        return Health(Phase.FAILED, Reason.UNHEALTHY, "the job is not running")
    if job.periodic or job.parameterized:
        kind = "periodic" if job.periodic else "parameterized"
        return Health(Phase.HEALTHY, Reason.REGISTERED, f"registered as a {kind} job")
    if job.type in ("batch", "sysbatch"):
        return _judge_run(running, job)
    return _judge_service(running, job, by_deployment)


def _judge_service(running: Running, job: RunningJob, by_deployment: bool) -> Health:
    current = [one for one in running.allocations if one.job_version == job.version and _in_place(one)]
    after_all = frozenset(one.id for one in current if not by_deployment and not one.healthy and came_up(running, one))
    healthy = sum(
        1 for one in current if one.client_status == "running" and (one.healthy is not False or one.id in after_all)
    )
    wanted = sum((job.counts or counts(job.body)).values()) if job.type == "service" else len(current)
    told = _allocations(healthy, wanted)
    deployment = running.deployment if running.deployment and running.deployment.job_version == job.version else None
    proven = sum(1 for one in current if one.client_status == "running" and one.healthy)
    # A deployment stays failed for ever; allocations that came up after its deadline do not.
    if deployment is not None and deployment.status == "failed" and not _all_up(deployment, job, current, after_all):
        return Health(
            Phase.FAILED,
            Reason.DEPLOYMENT_FAILED,
            because(deployment.status_description, running.allocations, running.checks),
            healthy,
            wanted,
        )
    if job.type == "service" and wanted == 0:
        return Health(Phase.HEALTHY, Reason.SCALED_TO_ZERO, "every group has count 0")
    if deployment is not None and deployment.active and deployment.requires_promotion and _canaries_ready(running):
        return Health(
            Phase.PROMOTION,
            Reason.AWAITING_PROMOTION,
            f"canaries are healthy; promote deployment {deployment.id[:8]} to go on",
            healthy,
            wanted,
        )
    pulling = any(_pulling(one) for one in current)
    if deployment is not None and deployment.active:
        if running.placement:
            return _unplaced(running, healthy, wanted)
        told = f"{proven} of {wanted} allocations healthy"
        if lost := sum(1 for one in current if one.canary and one.healthy and one.client_status in ("failed", "lost")):
            told += f", {lost} canaries failed after they were healthy"
        return Health(
            Phase.PROGRESSING,
            Reason.PROGRESSING,
            because(told, current, running.checks),
            proven,
            wanted,
            pulling,
        )
    if running.placement:
        return _unplaced(running, healthy, wanted)
    if failing := _failing_checks(running):
        return Health(Phase.PROGRESSING, Reason.UNHEALTHY, failing, healthy, wanted)
    if job.type == "system" and not current:
        told = "0 of 0 nodes: no ready node of its datacenters and node pool may have it"
        return Health(Phase.UNPLACED, Reason.AWAITING_PLACEMENT, told)
    if healthy >= wanted:
        return Health(Phase.HEALTHY, Reason.HEALTHY, told, healthy, wanted)
    if job.status == "dead":
        return Health(Phase.FAILED, Reason.ALLOCATIONS_FAILED, because(told, running.allocations), healthy, wanted)
    # What a version before died of says nothing of one that is still coming up.
    alive = [one for one in current if one.client_status in ("pending", "running")]
    words = because(told, alive or running.allocations)
    return Health(Phase.PROGRESSING, Reason.UNHEALTHY, words, healthy, wanted, pulling)


def _in_place(allocation: Allocation) -> bool:
    """Nomad wants it, and has put no other in its place: of a system job also what was replaced stays wanted.

    Source: measured on Nomad 2.0.5.
    """
    replaced = bool(allocation.next_allocation) and allocation.terminal
    return allocation.desired_status == "run" and not replaced


def _all_up(deployment: Deployment, job: RunningJob, current: Sequence[Allocation], after_all: frozenset[str]) -> bool:
    """Every group has all that it wants, although the deployment has failed. Never while Nomad goes back."""
    up = [one for one in current if (one.client_status == "running" and one.healthy) or one.id in after_all]
    if deployment.went_back or not up:
        return False
    if job.type != "service":
        return len(up) == len(current)
    having = Counter(one.group for one in up)
    return all(having[group] >= count for group, count in (job.counts or counts(job.body)).items())


def _judge_run(running: Running, job: RunningJob) -> Health:
    current = [one for one in running.allocations if one.job_version == job.version]
    complete = sum(1 for one in current if one.client_status == "complete")
    failed = [one for one in current if one.client_status in ("failed", "lost") and not one.next_allocation]
    wanted = max(sum((job.counts or counts(job.body)).values()), len(current) if job.type == "sysbatch" else 0)
    if job.status != "dead":
        if running.placement:
            return _unplaced(running, complete, wanted)
        return Health(
            Phase.PROGRESSING,
            Reason.RUNNING,
            because(f"run under way, {complete} of {wanted} complete", failed),
            complete,
            wanted,
            any(_pulling(one) for one in current),
        )
    if failed:
        return Health(
            Phase.FAILED, Reason.RUN_FAILED, because(f"{len(failed)} allocations failed", failed), complete, wanted
        )
    if running.placement and not current:
        return _unplaced(running, complete, wanted)
    return Health(Phase.DONE, Reason.COMPLETED, f"{complete} of {wanted} complete", complete, wanted)


def _canaries_ready(running: Running) -> bool:
    deployment = running.deployment
    if deployment is None:
        return False
    canaries = [one for one in running.allocations if one.canary and one.desired_status == "run"]
    wanted = sum(group.desired_canaries for group in deployment.groups.values())
    # Nomad goes on counting one as healthy that has crashed since.
    return sum(1 for one in canaries if one.healthy and one.client_status == "running") >= max(wanted, 1)


def _unplaced(running: Running, healthy: int, wanted: int) -> Health:
    told = "; ".join(f"group {group}: {explain(failure)}" for group, failure in sorted(running.placement.items()))
    return Health(
        Phase.UNPLACED, Reason.AWAITING_PLACEMENT, f"{_allocations(healthy, wanted)}; {told}", healthy, wanted
    )


def explain(failure: PlacementFailure) -> str:
    """Why nothing was placed, in words; the keys are Nomad's own."""
    if failure.nodes_evaluated == 0 and not failure.nodes_available:
        return "no ready node in its datacenters and node pool"
    # "computed class ineligible" only repeats a reason that stands beside it.
    filtered = {
        key: number for key, number in failure.constraint_filtered.items() if key != "computed class ineligible"
    } or failure.constraint_filtered
    told = [f"{dimension} exhausted on {number} nodes" for dimension, number in failure.dimension_exhausted.items()]
    told += [f"{constraint} filtered {number} nodes" for constraint, number in filtered.items()]
    told += [f"quota exhausted: {one}" for one in failure.quota_exhausted]
    return ", ".join(told) or f"none of {failure.nodes_evaluated} nodes fits"


def _allocations(healthy: int, wanted: int) -> str:
    return f"{healthy} of {wanted} allocations running"


def _failing_checks(running: Running) -> str:
    failing = [check for check in running.checks or () if check.status == "failure"]
    if not failing:
        return ""
    first = failing[0]
    return f"check {first.name!r} fails: {_short(first.output)}"


def because(what: str, allocations: Iterable[Allocation], checks: tuple[Check, ...] | None = None) -> str:
    """`what`, followed by the newest task event that names a cause, and by a failing check if there is one."""
    causes = [
        (event.time, task, event)
        for allocation in allocations
        for task, state in allocation.tasks.items()
        for event in state.events
        if _names_a_cause(event)
    ]
    told = [what] if what else []
    if causes:
        _, task, event = max(causes, key=lambda cause: cause[0])
        told.append(f"task {task}: {event.type}: {_short(event.message)}")
    failing = [check for check in checks or () if check.status == "failure"]
    if failing:
        told.append(f"check {failing[0].name!r}: {_short(failing[0].output)}")
    return "; ".join(told)


def _names_a_cause(event: TaskEvent) -> bool:
    if event.type in _NOT_A_CAUSE:
        return False
    if event.type == "Driver":
        return False
    if event.type == "Killing":
        # Stopped by the platform names no cause; a task that kills itself over a template does.
        return bool(event.details.get("fails_task"))
    return True


def _pulling(allocation: Allocation) -> bool:
    """The newest event of a task that has not started says that an image is being fetched."""
    return any(
        state.state == "pending"
        and state.events
        and state.events[-1].type == "Driver"
        and ("image" in state.events[-1].message.lower())
        for state in allocation.tasks.values()
    )


def _short(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
