"""What the scheduler adds to a plan's diff: how many allocations it would touch, and what each change forces.

Source: scheduler/annotate.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Nomad's words for the counts of DesiredTGUpdates.
_UPDATES = {
    "Ignore": "ignore",
    "Place": "create",
    "Migrate": "migrate",
    "Stop": "destroy",
    "Canary": "canary",
    "InPlaceUpdate": "in-place update",
    "DestructiveUpdate": "create/destroy update",
}
_IN_PLACE_FIELDS = frozenset({"KillTimeout"})
# A log config is none of them, though it is changed in place: Nomad looks whether its diff names `Disabled`, and it
# does, changed or not.
_IN_PLACE_OBJECTS = frozenset({"Service", "Constraint", "Affinity", "Spread"})


def annotate(diff: dict[str, Any], desired: Mapping[str, Mapping[str, int]] | None) -> dict[str, Any]:
    """The diff with `Updates` and `Annotations` filled in, in place; `desired` is DesiredTGUpdates by group."""
    for group in diff["TaskGroups"] or ():
        counts = (desired or {}).get(group["Name"])
        if counts is not None:
            group["Updates"] = {words: counts[name] for name, words in _UPDATES.items() if counts.get(name)}
        for field in group["Fields"] or ():
            if field["Name"] == "Count":
                _count(field)
        for task in group["Tasks"] or ():
            if task["Type"] != "None":
                task["Annotations"] = [_task(task, group["Type"])]
    return diff


def _count(field: dict[str, Any]) -> None:
    old, new = int(field["Old"] or 0), int(field["New"] or 0)
    if old != new:
        field["Annotations"] = ["forces create" if old < new else "forces destroy"]


def _task(task: Mapping[str, Any], group_type: str) -> str:
    if group_type in ("Added", "Deleted") and task["Type"] in ("Added", "Deleted"):
        return "forces create" if task["Type"] == "Added" else "forces destroy"
    destructive = any(field["Name"] not in _IN_PLACE_FIELDS for field in task["Fields"] or ())
    destructive = destructive or any(part["Name"] not in _IN_PLACE_OBJECTS for part in task["Objects"] or ())
    return "forces create/destroy update" if destructive else "forces in-place update"
