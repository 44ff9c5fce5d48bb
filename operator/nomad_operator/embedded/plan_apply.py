"""Writes a plan: allocations placed, stopped and updated, and the deployment that counts them."""

from __future__ import annotations

from collections.abc import Callable

from nomad_operator.embedded import rescheduling
from nomad_operator.embedded.placement import Fit
from nomad_operator.embedded.plan import Plan
from nomad_operator.embedded.plan_parts import Mapped, Place, Value
from nomad_operator.embedded.resources import old_shape
from nomad_operator.embedded.state import Transaction, group_of
from nomad_operator.embedded.task_states import finished_at

_NO_POLICY = {"Delay": 0, "DelayFunction": "constant", "MaxDelay": 0}


def apply_plan(write: Transaction, plan: Plan, evaluation: Mapped, *, followup: str, new_id: Callable[[], str]) -> None:
    """Everything of the plan in one transaction. `followup` is the evaluation that tries again later."""
    changes, state = plan.changes, write.state
    if changes.deployment is not None:
        write.put_deployment(changes.deployment)
    for id_, (status, description) in changes.deployment_updates.items():
        fresh = {"Status": status, "StatusDescription": description, "ModifyTime": write.now}
        write.put_deployment({**state.deployments[id_], **fresh})
        if status == "successful":
            _mark_stable(write, state.deployments[id_])
    latest = state.latest_deployment((plan.job["Namespace"], plan.job["ID"]))
    current = latest if latest is not None and _is_of(latest, plan.job) else None
    replaced: dict[str, str] = {}
    for place, fit in plan.fits:
        value = _new_allocation(write, plan.job, place, fit, current) | {"ID": new_id(), "EvalID": evaluation["ID"]}
        made = write.put_allocation(value, by_server=True)
        if place.previous is not None:
            replaced[place.previous["ID"]] = made["ID"]
        _count_placed(write, made)
    for stop in changes.stop:
        old = state.allocations[stop.allocation["ID"]]
        stopped = {"DesiredStatus": "stop", "DesiredDescription": stop.description}
        if following := replaced.pop(old["ID"], ""):
            stopped["NextAllocation"] = following
        write.put_allocation({**old, **stopped}, by_server=True)
    for id_, following in replaced.items():
        if id_ in state.allocations:
            write.put_allocation({**state.allocations[id_], "NextAllocation": following}, by_server=False)
    for one in changes.in_place:
        _update_in_place(write, plan.job, one, evaluation, current)
    for one, _ in changes.later:
        write.put_allocation({**state.allocations[one["ID"]], "FollowupEvalID": followup}, by_server=True)


def _new_allocation(write: Transaction, job: Mapped, place: Place, fit: Fit, deployment: Mapped | None) -> Value:
    of = _stable(write, job) if place.downgrade else job
    name = place.group["Name"]
    group = group_of(of, name) or place.group
    belongs = deployment is not None and name in deployment["TaskGroups"] and of is job
    value: Value = {
        "Namespace": job["Namespace"],
        "JobID": job["ID"],
        "Job": of,
        "Name": place.name,
        "TaskGroup": name,
        "NodeID": fit.node["ID"],
        "NodeName": fit.node["Name"],
        "DeploymentID": deployment["ID"] if belongs and deployment is not None else "",
        "DesiredStatus": "run",
        "ClientStatus": "pending",
        "AllocatedResources": fit.resources,
        "Metrics": fit.metric.shown(),
        "SigningKeyID": write.state.signing_key,
        **old_shape(group, fit.resources),
    }
    if place.canary:
        value["DeploymentStatus"] = {
            "Canary": True,
            "Healthy": None,
            "ModifyIndex": 0,
            "Timestamp": "0001-01-01T00:00:00Z",
        }
    if place.previous is not None:
        value["PreviousAllocation"] = place.previous["ID"]
        if place.reschedule:
            failed = rescheduling.failed_at(place.previous, finished_at(place.previous))
            value["RescheduleTracker"] = rescheduling.tracker_after(
                group["ReschedulePolicy"] or _NO_POLICY, place.previous, failed_at=failed, now=write.now
            )
    return value


def _update_in_place(
    write: Transaction, job: Mapped, one: Mapped, evaluation: Mapped, deployment: Mapped | None
) -> None:
    old = write.state.allocations[one["ID"]]
    fresh = {**old, "Job": job, "EvalID": evaluation["ID"]}
    moves = deployment is not None and one["TaskGroup"] in deployment["TaskGroups"]
    if moves and deployment is not None and old.get("DeploymentID") != deployment["ID"]:
        fresh |= {"DeploymentID": deployment["ID"], "DeploymentStatus": None}
        _count_placed(write, write.put_allocation(fresh, by_server=True))
    else:
        write.put_allocation(fresh, by_server=True)


def _count_placed(write: Transaction, allocation: Mapped) -> None:
    """A group's progress deadline begins with its first placement."""
    value = write.state.deployments.get(allocation.get("DeploymentID", ""))
    if value is None:
        return
    group = dict(value["TaskGroups"][allocation["TaskGroup"]])
    group["PlacedAllocs"] += 1
    if (allocation.get("DeploymentStatus") or {}).get("Canary"):
        group["PlacedCanaries"] = [*(group["PlacedCanaries"] or ()), allocation["ID"]]
    if group["ProgressDeadline"] and group["RequireProgressBy"] is None:
        group["RequireProgressBy"] = write.now + group["ProgressDeadline"]
    groups = {**value["TaskGroups"], allocation["TaskGroup"]: group}
    write.put_deployment({**value, "TaskGroups": groups, "ModifyTime": write.now})


def _mark_stable(write: Transaction, deployment: Mapped) -> None:
    record = write.state.jobs.get((deployment["Namespace"], deployment["JobID"]))
    for version in record.versions if record else ():
        if version["Version"] != deployment["JobVersion"] or version["Stable"]:
            continue
        if record is not None and version["Version"] == record.job["Version"]:
            write.put_job({**record.job, "Stable": True})
        else:
            write.put_version({**version, "Stable": True})


def _stable(write: Transaction, job: Mapped) -> Mapped:
    """The newest stable version before this one; this one where there is none."""
    record = write.state.jobs[(job["Namespace"], job["ID"])]
    older = [one for one in record.versions if one["Stable"] and one["Version"] < job["Version"]]
    return older[0] if older else job


def _is_of(deployment: Mapped, job: Mapped) -> bool:
    """Whether new allocations of the job belong to it."""
    same = deployment["JobCreateIndex"] == job["CreateIndex"] and deployment["JobVersion"] == job["Version"]
    return bool(same and deployment["Status"] in ("running", "paused"))
