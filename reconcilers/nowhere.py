"""A system job that no node may have: to Nomad nothing has failed, so no plan and no evaluation says so. Pure.

Where its datacenters or pool hold no ready node, a plan of it names no group at all, and the job counts as running with
nothing to run. Where a constraint leaves every node out, Nomad tells that. Source: measured on Nomad 2.0.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from desired.state import JobBody
from observers.running import PlacementFailure, Plan, Running

_RUNS = ("Place", "InPlaceUpdate", "DestructiveUpdate", "Ignore", "Canary", "Migrate")


def told(plan: Plan, body: JobBody) -> Plan:
    """The same, with a failure of each group that would run nowhere."""
    if body.get("Type") != "system" or plan.settled or plan.failed:
        return plan
    nowhere = {
        group: PlacementFailure()
        for group in _groups(body)
        if not any(plan.updates.get(group, {}).get(what) for what in _RUNS)
    }
    return replace(plan, failed=nowhere)


def placement(running: Running, body: JobBody) -> Mapping[str, PlacementFailure]:
    """Why groups wait for room; of a system job that runs nowhere, each of them."""
    job = running.job
    if running.placement or job is None or job.stop or job.type != "system":
        return running.placement
    if any(one.job_version == job.version and one.desired_status == "run" for one in running.allocations):
        return running.placement
    return {group: PlacementFailure() for group in _groups(body)}


def _groups(body: JobBody) -> list[str]:
    """Those that are to run at all."""
    return [str(group["Name"]) for group in body.get("TaskGroups") or () if group.get("Count") != 0]
