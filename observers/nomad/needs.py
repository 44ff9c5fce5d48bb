"""What else has to be read of a job, judged by what was read of it already. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from desired.state import JobBody
from observers.nomad.answers import Json, mapping, sequence
from observers.running import Allocation, Deployment, RunningJob


def live(allocation: Allocation) -> bool:
    """A client still runs it, or is about to."""
    return not allocation.terminal and allocation.client_status in ("pending", "running")


def may_wait_for_room(job: RunningJob, allocations: Iterable[Allocation], deployment: Deployment | None) -> bool:
    """Whether allocations may be missing that the scheduler could not place, so that its evaluations must be read.

    Those of an older version do not count: an update that finds no room leaves them running, and says nothing else.
    """
    if job.stop or job.periodic or job.parameterized:
        return False
    if job.type in ("system", "sysbatch"):
        # How many there should be only the scheduler knows; a deployment that ended well has placed them all, if any.
        return deployment is None or deployment.status != "successful" or runs_nowhere(job, allocations)
    placed = Counter(one.group for one in allocations if one.job_version == job.version and _counts(job, one))
    return any(placed[group] < count for group, count in job.counts.items())


def runs_nowhere(job: RunningJob, allocations: Iterable[Allocation]) -> bool:
    """A system job without an allocation that is wanted: its deployment is successful all the same."""
    if job.type != "system":
        return False
    return not any(one.job_version == job.version and one.desired_status == "run" for one in allocations)


def _counts(job: RunningJob, allocation: Allocation) -> bool:
    ended_well = allocation.client_status == "complete"
    return not allocation.terminal or (ended_well and job.type == "batch")


def has_native_checks(body: JobBody) -> bool:
    """Whether any service of the job has a check that Nomad itself makes."""
    return any(
        service.get("Provider") == "nomad" and service.get("Checks")
        for group in _objects(body, "TaskGroups")
        for holder in (group, *_objects(group, "Tasks"))
        for service in _objects(holder, "Services")
    )


def _objects(holder: Json, key: str) -> list[Json]:
    return [mapping(value, key) for value in sequence(holder.get(key), key)]
