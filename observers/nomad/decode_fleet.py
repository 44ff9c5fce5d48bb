"""From the two fleet lists to the entries of one `Fleet`.

`GET /v1/jobs` says which jobs there are, `POST /v1/jobs/statuses` how they are.
The lists are read one after the other; what the second says of a job that the first did not hold is left out.
Pure; raises Unintelligible.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from desired.app import AppKey
from observers.nomad.answers import Json, flag, mapping, number, numbers, sequence, text
from observers.nomad.decode import key_of
from observers.running import FleetEntry

# A stub's summary counts by other words than an allocation's client status. Queued ones are no allocations yet.
_SUMMARY = {
    "Running": "running",
    "Starting": "pending",
    "Failed": "failed",
    "Complete": "complete",
    "Lost": "lost",
    "Unknown": "unknown",
}
_ENDED = frozenset({"complete", "failed", "lost"})


def entries(stubs: Iterable[Any]) -> dict[AppKey, FleetEntry]:
    """The jobs of `GET /v1/jobs`, children of periodic and parameterized jobs left out.

    Counts come from the job's summary, which also counts what ended long ago.
    """
    found: dict[AppKey, FleetEntry] = {}
    for value in stubs:
        stub = mapping(value, "a job")
        if text(stub, "ParentID"):
            continue
        key = key_of(stub)
        found[key] = FleetEntry(
            key=key,
            type=text(stub, "Type"),
            status=text(stub, "Status"),
            stop=flag(stub, "Stop"),
            job_modify_index=number(stub, "JobModifyIndex"),
            modify_index=number(stub, "ModifyIndex"),
            counts=_summary_counts(stub),
        )
    return found


def _summary_counts(stub: Json) -> dict[str, int]:
    summary = mapping(mapping(stub.get("JobSummary"), "JobSummary").get("Summary"), "Summary")
    counts: Counter[str] = Counter()
    for group in summary:
        for name, count in numbers(summary, group).items():
            if count and name in _SUMMARY:
                counts[_SUMMARY[name]] += count
    return dict(counts)


def with_statuses(found: dict[AppKey, FleetEntry], statuses: Iterable[Any]) -> dict[AppKey, FleetEntry]:
    """The same entries, with version, allocation counts and deployment where `POST /v1/jobs/statuses` told.

    Counted are allocations that have not ended, and those of the job's version that have.
    """
    told = dict(found)
    for value in statuses:
        status = mapping(value, "a job's status")
        entry = told.get(key_of(status))
        if entry is not None:
            told[entry.key] = _with_status(entry, status)
    return told


def _with_status(entry: FleetEntry, status: Json) -> FleetEntry:
    counts: Counter[str] = Counter()
    unhealthy = 0
    version = number(status, "Version")
    for value in sequence(status.get("Allocs"), "Allocs"):
        allocation = mapping(value, "an allocation")
        client_status = text(allocation, "ClientStatus")
        # What ended under an older version stands in the list until Nomad forgets it, and says nothing of today.
        if client_status in _ENDED and number(allocation, "JobVersion") != version:
            continue
        counts[client_status] += 1
        unhealthy += mapping(allocation.get("DeploymentStatus"), "DeploymentStatus").get("Healthy") is False
    return replace(
        entry,
        version=version,
        counts=dict(counts),
        unhealthy=unhealthy,
        deployment_status=text(mapping(status.get("LatestDeployment"), "LatestDeployment"), "Status"),
    )
