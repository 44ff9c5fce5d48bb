"""The shorter shapes in which lists tell of jobs and allocations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nomad_operator.embedded.state import JobRecord, State

Mapped = Mapping[str, Any]
Value = dict[str, Any]

_JOB = (
    "ID", "ParentID", "Name", "Namespace", "Datacenters", "NodePool", "Multiregion", "Type", "Priority", "Stop",
    "Status", "StatusDescription", "CreateIndex", "ModifyIndex", "JobModifyIndex", "SubmitTime",
)  # fmt: skip
_STATUS = (
    "ID", "Namespace", "Name", "Type", "NodePool", "Datacenters", "Priority", "Version", "SubmitTime", "ModifyIndex",
    "ParentID", "Stop", "Status",
)  # fmt: skip
# Absent where empty in the allocation itself, present in its stub.
_ALLOCATION: Mapping[str, Any] = {
    "ClientDescription": "",
    "ClientStatus": "",
    "CreateIndex": 0,
    "CreateTime": 0,
    "DeploymentStatus": None,
    "DesiredDescription": "",
    "DesiredStatus": "",
    "EvalID": "",
    "FollowupEvalID": "",
    "ID": "",
    "JobID": "",
    "ModifyIndex": 0,
    "ModifyTime": 0,
    "Name": "",
    "Namespace": "",
    "NextAllocation": "",
    "NodeID": "",
    "NodeName": "",
    "PreemptedAllocations": None,
    "PreemptedByAllocation": "",
    "RescheduleTracker": None,
    "TaskGroup": "",
    "TaskStates": None,
}
_TRANSITION = dict.fromkeys(("ForceReschedule", "Migrate", "MigrateDisablePlacement", "NoShutdownDelay", "Reschedule"))


def job_stub(record: JobRecord, *, meta: bool) -> Value:
    """A job of `/v1/jobs`."""
    job = record.job
    stub = {name: job[name] for name in _JOB}
    stub["Periodic"] = job["Periodic"] is not None
    stub["ParameterizedJob"] = job["ParameterizedJob"] is not None and not job["Dispatched"]
    stub["JobSummary"] = record.summary
    if meta and job["Meta"]:
        stub["Meta"] = job["Meta"]
    return stub


def job_status(state: State, record: JobRecord) -> Value:
    """A job of `/v1/jobs/statuses`."""
    job = record.job
    status = {name: job[name] for name in _STATUS}
    status["Allocs"] = [_status_allocation(one) for one in reversed(record.allocations.values())] or None
    status["GroupCountSum"] = sum(group["Count"] for group in job["TaskGroups"] or ())
    parent = job["Periodic"] is not None or (job["ParameterizedJob"] is not None and not job["Dispatched"])
    children = [state.jobs[(job["Namespace"], one)].job["Status"] for one in record.children]
    status["ChildStatuses"] = children if parent else None
    status["IsPack"] = "pack.name" in (job["Meta"] or {})
    deployment = state.deployments[record.deployments[-1]] if record.deployments else None
    status["LatestDeployment"] = None if deployment is None else _status_deployment(deployment)
    return status


def _status_allocation(allocation: Mapped) -> Value:
    health = allocation.get("DeploymentStatus") or {"Canary": False, "Healthy": None}
    return {
        "ClientStatus": allocation["ClientStatus"],
        "DeploymentStatus": {"Canary": health["Canary"], "Healthy": health["Healthy"]},
        "FollowupEvalID": allocation.get("FollowupEvalID", ""),
        "Group": allocation["TaskGroup"],
        "HasPausedTask": False,
        "ID": allocation["ID"],
        "JobVersion": allocation["Job"]["Version"],
        "NodeID": allocation["NodeID"],
    }


def _status_deployment(deployment: Mapped) -> Value:
    waiting = [one for one in deployment["TaskGroups"].values() if one["DesiredCanaries"] and not one["Promoted"]]
    canaries = [one for one in deployment["TaskGroups"].values() if one["DesiredCanaries"]]
    return {
        # True also where nothing needs promoting.
        "AllAutoPromote": deployment["Status"] == "running" and all(one["AutoPromote"] for one in canaries),
        "ID": deployment["ID"],
        "IsActive": deployment["Status"] in ("running", "paused"),
        "JobVersion": deployment["JobVersion"],
        "RequiresPromotion": bool(waiting) and deployment["Status"] in ("running", "paused"),
        "Status": deployment["Status"],
        "StatusDescription": deployment["StatusDescription"],
    }


def allocation_stub(allocation: Mapped, *, resources: bool, task_states: bool) -> Value:
    """An allocation of a list."""
    stub = {name: allocation.get(name, empty) for name, empty in _ALLOCATION.items()}
    stub["DesiredTransition"] = {**_TRANSITION, **(allocation.get("DesiredTransition") or {})}
    stub["JobType"] = allocation["Job"]["Type"]
    stub["JobVersion"] = allocation["Job"]["Version"]
    if not task_states:
        stub["TaskStates"] = None
    if resources:
        stub["AllocatedResources"] = allocation["AllocatedResources"]
    return stub
