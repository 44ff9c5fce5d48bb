"""What is no failure of the job: superseded, stopped, drained, lost, preempted, and what Nomad does by itself. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from observers.evidence import Evidence
from observers.failures.failure_class import FailureClass
from observers.failures.row import Where
from observers.failures.sighting import Sighting, cut, read
from observers.running import Allocation

_LOST = ("lost", "unknown")


def of_job(evidence: Evidence) -> Sighting | None:
    """The whole job is not to be judged: somebody has stopped it, or a newer version has taken over."""
    if evidence.body.get("Stop") is True:
        return Sighting(failure=FailureClass.STOPPED, words="the job is stopped", final=False)
    deployment = evidence.deployment
    if deployment is None or deployment.status != "cancelled":
        return None
    found = read(Where.DEPLOYMENT, deployment.status_description)
    name = found[0].failure if found else FailureClass.SUPERSEDED
    if name not in (FailureClass.SUPERSEDED, FailureClass.STOPPED):
        name = FailureClass.SUPERSEDED
    return Sighting(failure=name, words=cut(deployment.status_description), final=False)


def marked_failed(evidence: Evidence) -> Sighting | None:
    """A person, or this program, has failed the deployment. Only where nothing else is known of it."""
    deployment = evidence.deployment
    if deployment is None or deployment.status != "failed":
        return None
    if not deployment.status_description.startswith("Deployment marked as failed"):
        return None
    return Sighting(failure=FailureClass.STOPPED, words=cut(deployment.status_description), final=False)


def moved(allocation: Allocation) -> Sighting | None:
    """The allocation ended, or will, for the cluster's sake."""
    facts = {"node": allocation.node_name}
    failure: FailureClass | None = None
    found = read(Where.ALLOCATION, allocation.desired_description)
    if found is not None and found[0].failure in _MOVES:
        failure = found[0].failure
        facts |= found[1]
    elif allocation.client_status in _LOST:
        failure = FailureClass.NODE_LOST
    elif allocation.desired_status == "evict":
        failure = FailureClass.PREEMPTED
    if failure is None:
        return None
    words = allocation.desired_description or f"the allocation is {allocation.client_status}"
    return Sighting(
        failure=failure,
        words=cut(words),
        group=allocation.group,
        facts={name: value for name, value in facts.items() if value},
        final=False,
    )


_MOVES = frozenset({FailureClass.DRAINED, FailureClass.NODE_LOST, FailureClass.PREEMPTED})


def still_moving(evidence: Evidence, moves: dict[str, Sighting]) -> Iterator[Sighting]:
    """One a group for allocations that were moved and are not back: what replaces them does not run yet."""
    by_id = {one.id: one for one in evidence.allocations}
    for group in dict.fromkeys(by_id[each].group for each in moves):
        of_group = [one for one in evidence.allocations if one.group == group]
        waiting = [one for one in of_group if one.id in moves]
        standing = [one for one in of_group if one.id not in moves and one.client_status == "running"]
        if group in evidence.placement or len(standing) < len(waiting):
            yield moves[waiting[0].id]
