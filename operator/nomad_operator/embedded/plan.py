"""What an evaluation leads to: pure computation from the state, nothing written. Also the dry run behind job plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nomad_operator.embedded.derived import terminal
from nomad_operator.embedded.placement import Fit, Metric, Placer
from nomad_operator.embedded.plan_parts import UPDATING, Changes, Mapped, Place, Stop, Value
from nomad_operator.embedded.reconcile_group import Situation, reconcile_groups
from nomad_operator.embedded.reconcile_nodes import reconcile_nodes
from nomad_operator.embedded.state import State, group_of
from nomad_operator.embedded.usage import Usage

_ON_EVERY_NODE = ("system", "sysbatch")


@dataclass(slots=True)
class Plan:
    """`failed` holds the metric of every group without room, `queued` how many of each group wait for it."""

    job: Mapped
    changes: Changes
    fits: list[tuple[Place, Fit]] = field(default_factory=list)
    failed: dict[str, Metric] = field(default_factory=dict)
    queued: dict[str, int] = field(default_factory=dict)

    @property
    def annotations(self) -> Value:
        return {"DesiredTGUpdates": self.changes.desired, "PreemptedAllocs": None}

    @property
    def failures(self) -> Value:
        """FailedTGAllocs."""
        return {name: metric.shown() for name, metric in self.failed.items()}

    @property
    def empty(self) -> bool:
        """Whether nothing would be written."""
        changes = self.changes
        return not (
            self.fits or changes.stop or changes.in_place or changes.later or changes.deployment
            or changes.deployment_updates
        )  # fmt: skip


def make_plan(
    state: State,
    job: Mapped,
    *,
    evaluation: str,
    usage: Callable[[str], Usage],
    random: Callable[[], float],
    new_id: Callable[[], str],
) -> Plan:
    """What has to happen for the job to be as this says."""
    key = (job["Namespace"], job["ID"])
    record = state.jobs.get(key)
    allocations = record.allocations if record else {}
    placer = Placer(
        nodes=state.nodes.values(),
        usage=usage,
        random=random,
        job=job,
        beside=[one for one in allocations.values() if not terminal(one)],
    )
    situation = Situation(
        job=job,
        allocations=allocations,
        deployment=state.latest_deployment(key),
        evaluation=evaluation,
        now=state.now(),
        new_id=new_id,
        may_stay=placer.may_stay,
    )
    if job["Type"] in _ON_EVERY_NODE:
        ready = [node["ID"] for node in placer.ready]
        changes = reconcile_nodes(situation, ready=ready, existing=state.nodes, suits=placer.suits)
    else:
        changes = reconcile_groups(situation)
    plan = Plan(job, changes)
    _place(plan, placer)
    return plan


def _place(plan: Plan, placer: Placer) -> None:
    changes = plan.changes
    plan.queued = dict.fromkeys(changes.desired, 0)
    for stop in changes.stop:
        placer.leave(stop.allocation)
    wanted: list[tuple[Place, Mapped | None]] = [(place, None) for place in changes.place]
    wanted += [(_replacement(plan.job, one), one) for one in changes.destructive]
    system = plan.job["Type"] in _ON_EVERY_NODE
    for place, replaced in wanted:
        name = place.group["Name"]
        if replaced is not None:
            placer.release(replaced)
            placer.leave(replaced)
        if name in plan.failed and not system:
            plan.failed[name].coalesced += 1
            plan.failed[name].exhaust(place.group)
            plan.queued[name] += 1
            continue
        avoid: frozenset[str] = frozenset()
        if place.previous is not None and place.reschedule:
            avoid = frozenset({place.previous["NodeID"]})
        found = placer.place(place.group, avoid=avoid, only=place.node)
        if isinstance(found, Fit):
            plan.fits.append((place, found))
            if replaced is not None:
                changes.stop.append(Stop(replaced, UPDATING))
        elif system and not found.exhausted:
            # A node that a system job does not fit is no failure.
            changes.counts(name)["Place"] -= replaced is None
            if changes.deployment is not None and name in changes.deployment["TaskGroups"]:
                changes.deployment["TaskGroups"][name]["DesiredTotal"] -= 1
        else:
            plan.failed[name] = found
            plan.queued[name] += 1


def _replacement(job: Mapped, one: Mapped) -> Place:
    group = group_of(job, one["TaskGroup"])
    assert group is not None, "only groups that still exist are updated"
    node = one["NodeID"] if job["Type"] in _ON_EVERY_NODE else ""
    return Place(one["Name"], group, previous=one, node=node)
