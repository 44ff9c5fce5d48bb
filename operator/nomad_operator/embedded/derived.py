"""What Nomad derives from everything else: statuses and summaries of jobs, and what has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nomad_operator.embedded.state import JobRecord, State

Value = dict[str, Any]

ACTIVE_DEPLOYMENT = frozenset({"running", "paused", "blocked", "unblocking", "initializing", "pending"})
_TERMINAL_CLIENT = frozenset({"complete", "failed", "lost"})
_TERMINAL_EVALUATION = frozenset({"complete", "failed", "canceled"})


def client_terminal(allocation: Mapping[str, Any]) -> bool:
    """Whether its client has ended it."""
    return allocation["ClientStatus"] in _TERMINAL_CLIENT


def terminal(allocation: Mapping[str, Any]) -> bool:
    """Whether it has ended or is to end."""
    return allocation["DesiredStatus"] != "run" or client_terminal(allocation)


def job_status(state: State, record: JobRecord) -> str:
    """What Nomad derives from everything else. Source: nomad/state/state_store.go getJobStatus."""
    job = record.job
    lasting = job["Type"] == "system" or job["Periodic"] is not None
    if lasting or (job["ParameterizedJob"] is not None and not job["Dispatched"]):
        return "dead" if job["Stop"] else "running"
    if any(state.deployments[one]["Status"] in ACTIVE_DEPLOYMENT for one in record.deployments):
        return "running"
    if any(not terminal(one) for one in record.allocations.values()):
        return "running"
    evaluations = [state.evaluations[one] for one in state.evaluations_of.get((job["Namespace"], job["ID"]), ())]
    if any(one["Status"] not in _TERMINAL_EVALUATION for one in evaluations):
        return "pending"
    return "dead" if evaluations or job["Stop"] else "pending"


_COUNTED = {
    "pending": "Starting",
    "running": "Running",
    "complete": "Complete",
    "failed": "Failed",
    "lost": "Lost",
    "unknown": "Unknown",
}


def summary(state: State, record: JobRecord, index: int) -> Value:
    """Counts of allocations and children; its ModifyIndex moves only when they do."""
    job = record.job
    groups: dict[str, dict[str, int]] = {}
    for group in job["TaskGroups"] or ():
        groups[group["Name"]] = {**dict.fromkeys(_COUNTED.values(), 0), "Queued": record.queued.get(group["Name"], 0)}
    for allocation in record.allocations.values():
        counts = groups.get(allocation["TaskGroup"])
        if counts is not None:
            counts[_COUNTED[allocation["ClientStatus"]]] += 1
    children = [state.jobs[(job["Namespace"], child)].job["Status"] for child in record.children]
    old = record.summary
    fresh = {
        "JobID": job["ID"],
        "Namespace": job["Namespace"],
        "Summary": groups,
        "Children": {name: children.count(name.lower()) for name in ("Pending", "Running", "Dead")},
        "CreateIndex": job["CreateIndex"],
    }
    same = bool(old) and all(old[name] == value for name, value in fresh.items())
    return {**fresh, "ModifyIndex": old["ModifyIndex"] if same else index}
