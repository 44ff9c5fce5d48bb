"""What a system or sysbatch job needs: one allocation of each group on every node that fits it.

Source: scheduler/reconciler/reconcile_node.go. Canaries by percent of nodes are not done here: none was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from nomad_operator.embedded.change import Change, group_change
from nomad_operator.embedded.derived import client_terminal
from nomad_operator.embedded.plan_parts import (
    MIGRATING,
    NOT_NEEDED,
    Changes,
    Mapped,
    Place,
    Stop,
    Value,
    current_deployment,
    new_deployment,
    new_group_state,
    rolls,
)
from nomad_operator.embedded.reconcile_group import Situation
from nomad_operator.embedded.state import group_of


def reconcile_nodes(
    situation: Situation,
    *,
    ready: Collection[str],
    existing: Collection[str],
    suits: Callable[[str, Mapped], bool],
) -> Changes:
    """`ready`: ids of nodes that take allocations, in order; `existing`: of all there are; `suits`: which a group may
    be on."""
    changes = Changes()
    job = situation.job
    deployment = current_deployment(job, situation.deployment, changes)
    groups = [group for group in job["TaskGroups"] or () if group["Count"] > 0]
    required = {f"{job['ID']}.{group['Name']}[0]": group for group in groups}
    for group in groups:
        changes.counts(group["Name"])
    live = [one for one in situation.allocations.values() if _counts(one, job)]
    updates: dict[str, list[Mapped]] = {}
    for one in live:
        _of_existing(one, situation, required, ready, existing, changes, updates)
    if job["Stop"]:
        return changes
    status = deployment["Status"] if deployment else ""
    for group in groups:
        _missing(group, situation, live, ready, changes)
        limit = len(updates.get(group["Name"], ()))
        if rolls(group):
            limit = 0 if status in ("paused", "failed") else min(limit, _allowance(group, live, deployment))
        _roll(updates.get(group["Name"], []), limit, changes)
        if status in ("paused", "failed") and updates.get(group["Name"]):
            changes.place = [one for one in changes.place if one.group is not group]
    _deploy(situation, groups, deployment, changes, updates, suits)
    return changes


def _counts(one: Mapped, job: Mapped) -> bool:
    """A run that has ended counts as long as nothing newer is wanted: a new version is an update of it."""
    if one["DesiredStatus"] != "run":
        return False
    changed = one["Job"]["JobModifyIndex"] != job["JobModifyIndex"]
    again = job["Type"] == "sysbatch" and changed and not job["Stop"] and one["ClientStatus"] == "complete"
    return not client_terminal(one) or again


def _of_existing(
    one: Mapped,
    situation: Situation,
    required: Mapping[str, Mapped],
    ready: Collection[str],
    existing: Collection[str],
    changes: Changes,
    updates: dict[str, list[Mapped]],
) -> None:
    job, counts = situation.job, changes.counts(one["TaskGroup"])
    group = required.get(one["Name"])
    changed = one["Job"]["JobModifyIndex"] != job["JobModifyIndex"]
    if job["Stop"] or group is None or one["NodeID"] not in existing:
        counts["Stop"] += 1
        changes.stop.append(Stop(one, NOT_NEEDED))
    elif (one.get("DesiredTransition") or {}).get("Migrate"):
        counts["Migrate"] += 1
        changes.stop.append(Stop(one, MIGRATING))
    elif one["NodeID"] not in ready:
        if changed:
            counts["Stop"] += 1
            changes.stop.append(Stop(one, NOT_NEEDED))
        else:
            counts["Ignore"] += 1
    elif not changed:
        counts["Ignore"] += 1
    elif _replaced(one, situation, group):
        updates.setdefault(group["Name"], []).append(one)
    else:
        counts["InPlaceUpdate"] += 1
        changes.in_place.append(one)


def _replaced(one: Mapped, situation: Situation, group: Mapped) -> bool:
    """Whether it cannot become the new version where it is."""
    if group_of(one["Job"], group["Name"]) is None or not situation.may_stay(one, group):
        return True
    return group_change(one["Job"], situation.job, group["Name"]) is Change.DESTRUCTIVE


def _missing(group: Mapped, situation: Situation, live: list[Mapped], ready: Collection[str], changes: Changes) -> None:
    job, counts = situation.job, changes.counts(group["Name"])
    name = f"{job['ID']}.{group['Name']}[0]"
    there = {one["NodeID"] for one in live if one["Name"] == name}
    ended = {one["NodeID"]: one for one in situation.allocations.values() if one["Name"] == name and one not in live}
    for node in ready:
        if node in there:
            continue
        before = ended.get(node)
        finished = before is not None and before["Job"]["JobModifyIndex"] == job["JobModifyIndex"]
        if job["Type"] == "sysbatch" and finished and before is not None and before["DesiredStatus"] == "run":
            counts["Ignore"] += 1
            continue
        counts["Place"] += 1
        changes.place.append(Place(name, group, previous=before, node=node))


def _allowance(group: Mapped, live: list[Mapped], deployment: Mapped | None) -> int:
    allowed: int = group["Update"]["MaxParallel"]
    if deployment is None:
        return allowed
    for one in live:
        if one["TaskGroup"] == group["Name"] and one.get("DeploymentID") == deployment["ID"]:
            healthy = (one.get("DeploymentStatus") or {}).get("Healthy")
            if healthy is False:
                return 0
            allowed -= healthy is None
    return max(allowed, 0)


def _roll(updates: list[Mapped], limit: int, changes: Changes) -> None:
    for place, one in enumerate(sorted(updates, key=lambda one: str(one["NodeID"]))):
        counts = changes.counts(one["TaskGroup"])
        if place < limit:
            counts["DestructiveUpdate"] += 1
            changes.destructive.append(one)
        else:
            counts["Ignore"] += 1


def _deploy(
    situation: Situation,
    groups: list[Mapped],
    deployment: Mapped | None,
    changes: Changes,
    updates: Mapping[str, list[Mapped]],
    suits: Callable[[str, Mapped], bool],
) -> None:
    """Begin a deployment, or end one in which everything is healthy."""
    job = situation.job
    version = (job["Version"], job["CreateIndex"])
    if deployment is not None:
        placed_now = any(suits(one.node, one.group) for one in changes.place)
        busy = placed_now or changes.destructive or changes.in_place or any(updates.values())
        states = deployment["TaskGroups"].values()
        healthy = all(one["HealthyAllocs"] >= one["DesiredTotal"] for one in states)
        if deployment["Status"] == "running" and healthy and not busy:
            changes.deployment_updates[deployment["ID"]] = ("successful", "Deployment completed successfully")
        return
    of_version = [
        one for one in situation.allocations.values() if (one["Job"]["Version"], one["Job"]["CreateIndex"]) == version
    ]
    made: Value | None = None
    for group in groups:
        if job["Type"] != "system" or not rolls(group):
            continue
        touched = len(updates.get(group["Name"], ())) + changes.counts(group["Name"])["InPlaceUpdate"]
        placed = changes.counts(group["Name"])["Place"]
        ran = any(one["TaskGroup"] == group["Name"] for one in of_version)
        if touched + placed == 0 or (ran and not touched):
            continue
        made = made or new_deployment(job, id_=situation.new_id(), now=situation.now)
        made["TaskGroups"][group["Name"]] = {**new_group_state(group), "DesiredTotal": touched + placed}
    changes.deployment = made
