"""From Nomad's JSON to the values of `observers.running`, one function a value. Pure; raises Unintelligible."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from desired.app import DEFAULT_NAMESPACE, AppKey
from observers.nomad.answers import Json, flag, instant, mapping, needed, number, numbers, sequence, text
from observers.running import (
    Allocation,
    Check,
    Deployment,
    DeploymentGroup,
    Evaluation,
    Node,
    PlacementFailure,
    RunningJob,
    TaskEvent,
    TaskState,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Names of allocations are `job.group[index]`; a check's Group is such a name.
_ALLOCATION_NAME = re.compile(r"^.*\.([^.]+)\[\d+\]$")


def key_of(answer: Json) -> AppKey:
    """The key of a job or a stub of one."""
    return AppKey(text(answer, "Namespace") or DEFAULT_NAMESPACE, needed(answer, "ID"))


def job(answer: Json) -> RunningJob:
    """`GET /v1/job/:id`."""
    groups = [mapping(group, "TaskGroups") for group in sequence(answer.get("TaskGroups"), "TaskGroups")]
    return RunningJob(
        key=key_of(answer),
        type=text(answer, "Type"),
        status=text(answer, "Status"),
        version=number(answer, "Version"),
        job_modify_index=number(answer, "JobModifyIndex"),
        modify_index=number(answer, "ModifyIndex"),
        create_index=number(answer, "CreateIndex"),
        stop=flag(answer, "Stop"),
        stable=flag(answer, "Stable"),
        periodic=bool(answer.get("Periodic")),
        # A dispatched child carries its parent's block, too.
        parameterized=bool(answer.get("ParameterizedJob")) and not flag(answer, "Dispatched"),
        status_description=text(answer, "StatusDescription"),
        counts={needed(group, "Name"): number(group, "Count") for group in groups},
        scaled_groups=frozenset(needed(group, "Name") for group in groups if _scaled(group)),
        body=answer,
    )


def _scaled(group: Json) -> bool:
    scaling = group.get("Scaling")
    return isinstance(scaling, dict) and scaling.get("Enabled") is not False


def allocations(answer: Iterable[Any]) -> tuple[Allocation, ...]:
    """`GET /v1/job/:id/allocations`, newest first."""
    found = [allocation(mapping(stub, "an allocation")) for stub in answer]
    return tuple(sorted(found, key=lambda one: (one.created_at or _EPOCH, one.id), reverse=True))


def allocation(answer: Json) -> Allocation:
    """A stub from a list, or the payload of an event (which knows no job version: it is 0 there)."""
    judged = mapping(answer.get("DeploymentStatus"), "DeploymentStatus")
    healthy = judged.get("Healthy")
    states = mapping(answer.get("TaskStates"), "TaskStates")
    return Allocation(
        id=needed(answer, "ID"),
        group=text(answer, "TaskGroup"),
        job_version=number(answer, "JobVersion"),
        client_status=text(answer, "ClientStatus"),
        desired_status=text(answer, "DesiredStatus"),
        client_description=text(answer, "ClientDescription"),
        desired_description=text(answer, "DesiredDescription"),
        node_id=text(answer, "NodeID"),
        node_name=text(answer, "NodeName"),
        healthy=healthy if isinstance(healthy, bool) else None,
        canary=flag(judged, "Canary"),
        followup_evaluation=text(answer, "FollowupEvalID"),
        next_allocation=text(answer, "NextAllocation"),
        created_at=instant(answer.get("CreateTime")),
        modified_at=instant(answer.get("ModifyTime")),
        tasks={name: task_state(mapping(state, "a task state")) for name, state in states.items()},
    )


def task_state(answer: Json) -> TaskState:
    return TaskState(
        state=text(answer, "State"),
        failed=flag(answer, "Failed"),
        restarts=number(answer, "Restarts"),
        started_at=instant(answer.get("StartedAt")),
        finished_at=instant(answer.get("FinishedAt")),
        events=tuple(_task_event(mapping(event, "a task event")) for event in sequence(answer.get("Events"), "Events")),
    )


def _task_event(answer: Json) -> TaskEvent:
    details = mapping(answer.get("Details"), "Details")
    return TaskEvent(
        type=text(answer, "Type"),
        time=instant(answer.get("Time")) or _EPOCH,
        message=text(answer, "DisplayMessage") or text(answer, "Message"),
        details={name: str(value) for name, value in details.items()},
    )


def deployment(answer: Json) -> Deployment | None:
    """`GET /v1/job/:id/deployment`, or an event's; None where the job has none (Nomad answers null)."""
    if not answer:
        return None
    groups = mapping(answer.get("TaskGroups"), "TaskGroups")
    decoded = {name: _deployment_group(mapping(group, "a group")) for name, group in groups.items()}
    return Deployment(
        id=needed(answer, "ID"),
        job_version=number(answer, "JobVersion"),
        status=text(answer, "Status"),
        status_description=text(answer, "StatusDescription"),
        requires_promotion=any(_waits_for_promotion(group) for group in decoded.values()),
        spec_index=number(answer, "JobSpecModifyIndex"),
        groups=decoded,
    )


def deployments(answer: Sequence[Any]) -> tuple[Deployment, ...]:
    """`GET /v1/job/:id/deployments`."""
    found = (deployment(mapping(one, "a deployment")) for one in answer)
    return tuple(one for one in found if one is not None)


def _deployment_group(answer: Json) -> DeploymentGroup:
    return DeploymentGroup(
        desired_total=number(answer, "DesiredTotal"),
        placed=number(answer, "PlacedAllocs"),
        healthy=number(answer, "HealthyAllocs"),
        unhealthy=number(answer, "UnhealthyAllocs"),
        desired_canaries=number(answer, "DesiredCanaries"),
        promoted=flag(answer, "Promoted"),
        auto_promote=flag(answer, "AutoPromote"),
        progress_deadline_seconds=number(answer, "ProgressDeadline") / 1e9,
    )


def _waits_for_promotion(group: DeploymentGroup) -> bool:
    """Source: nomad/structs/deployment.go RequiresPromotion."""
    return group.desired_canaries > 0 and not group.promoted and not group.auto_promote


def evaluation(answer: Json) -> Evaluation:
    return Evaluation(
        id=needed(answer, "ID"),
        status=text(answer, "Status"),
        triggered_by=text(answer, "TriggeredBy"),
        status_description=text(answer, "StatusDescription"),
        blocked_evaluation=text(answer, "BlockedEval"),
        modify_index=number(answer, "ModifyIndex"),
        create_index=number(answer, "CreateIndex"),
        job_modify_index=number(answer, "JobModifyIndex"),
        failed=placement_failures(answer.get("FailedTGAllocs")),
    )


def placement_failures(answer: Any) -> dict[str, PlacementFailure]:
    """`FailedTGAllocs` of a plan or an evaluation, by group."""
    metrics = mapping(answer, "FailedTGAllocs")
    return {group: _placement_failure(mapping(metric, "a metric")) for group, metric in metrics.items()}


def _placement_failure(answer: Json) -> PlacementFailure:
    return PlacementFailure(
        nodes_evaluated=number(answer, "NodesEvaluated"),
        nodes_filtered=number(answer, "NodesFiltered"),
        nodes_exhausted=number(answer, "NodesExhausted"),
        nodes_available=numbers(answer, "NodesAvailable"),
        constraint_filtered=numbers(answer, "ConstraintFiltered"),
        dimension_exhausted=numbers(answer, "DimensionExhausted"),
        quota_exhausted=tuple(str(quota) for quota in sequence(answer.get("QuotaExhausted"), "QuotaExhausted")),
        coalesced_failures=number(answer, "CoalescedFailures"),
    )


def waiting_placements(evaluations: Iterable[Evaluation]) -> dict[str, PlacementFailure]:
    """Why groups wait for room: by group, the newest blocked evaluation's failure (system jobs have one a node)."""
    blocked = sorted((one for one in evaluations if one.status == "blocked"), key=lambda one: one.create_index)
    return {group: failure for one in blocked for group, failure in one.failed.items()}


def last_failures(evaluations: Iterable[Evaluation]) -> dict[str, PlacementFailure]:
    """Of the newest evaluation, ended or not: one of a system job is complete, also where it could place nothing."""
    newest = max(evaluations, key=lambda one: one.create_index, default=None)
    return dict(newest.failed) if newest is not None else {}


def checks(allocation_id: str, answer: Json) -> tuple[Check, ...]:
    """`GET /v1/client/allocation/:id/checks`; Nomad answers null where there are no native checks."""
    found = [_check(allocation_id, mapping(result, "a check")) for result in answer.values()]
    return tuple(sorted(found, key=lambda check: (check.group, check.task, check.service, check.name)))


def _check(allocation_id: str, answer: Json) -> Check:
    group = text(answer, "Group")
    name = _ALLOCATION_NAME.match(group)
    return Check(
        allocation=allocation_id,
        name=text(answer, "Check"),
        status=text(answer, "Status"),
        output=text(answer, "Output"),
        status_code=number(answer, "StatusCode"),
        group=name[1] if name else group,
        task=text(answer, "Task"),
        service=text(answer, "Service"),
        at=instant(number(answer, "Timestamp") * 1_000_000_000),
    )


def nodes(answer: Iterable[Any]) -> tuple[Node, ...]:
    """`GET /v1/nodes`, by name."""
    found = [_node(mapping(node, "a node")) for node in answer]
    return tuple(sorted(found, key=lambda node: (node.name, node.id)))


def _node(answer: Json) -> Node:
    drivers = mapping(answer.get("Drivers"), "Drivers")
    return Node(
        id=needed(answer, "ID"),
        name=text(answer, "Name"),
        status=text(answer, "Status"),
        eligible=text(answer, "SchedulingEligibility") != "ineligible",
        draining=flag(answer, "Drain"),
        datacenter=text(answer, "Datacenter"),
        node_pool=text(answer, "NodePool"),
        version=text(answer, "Version"),
        drivers={
            name: flag(driver, "Healthy")
            for name, driver in ((name, mapping(value, "a driver")) for name, value in drivers.items())
            if flag(driver, "Detected")
        },
    )


def names(answer: Iterable[Any]) -> tuple[str, ...]:
    """The names in a list of namespaces, sorted."""
    return tuple(sorted(needed(mapping(one, "a namespace"), "Name") for one in answer))
