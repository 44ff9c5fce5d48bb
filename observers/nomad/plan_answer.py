"""From the answer of `POST /v1/job/:id/plan` to a `Plan`. Pure; raises Unintelligible.

A change is a leaf of the diff: a field that is not `None`. Its path is made of the names of what holds it, so a job's
field stands alone and a task's reads `web/app/Resources/MemoryMB`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from observers.nomad.answers import Json, Unintelligible, mapping, needed, number, numbers, sequence, text
from observers.nomad.decode import placement_failures
from observers.nomad.plan_secrets import without_secrets
from observers.nomad.plan_text import diff_text
from observers.running import FieldChange, Plan

UNCHANGED = "None"


def plan(answer: Json) -> Plan:
    """Raises where the diff or its type is missing: an empty diff must never be taken for a settled one."""
    if not answer.get("Diff") or "JobModifyIndex" not in answer:
        raise Unintelligible("Diff or JobModifyIndex is missing")
    diff = without_secrets(mapping(answer["Diff"], "Diff"))
    kind = needed(diff, "Type")
    updates = mapping(mapping(answer.get("Annotations"), "Annotations").get("DesiredTGUpdates"), "DesiredTGUpdates")
    return Plan(
        index=number(answer, "JobModifyIndex"),
        diff_type=kind,
        changes=_all_changes(diff) if kind != UNCHANGED else (),
        updates={group: numbers(updates, group) for group in updates},
        failed=placement_failures(answer.get("FailedTGAllocs")),
        warnings=text(answer, "Warnings"),
        text=diff_text(diff) if kind != UNCHANGED else "",
    )


def _all_changes(diff: Json) -> tuple[FieldChange, ...]:
    found = [*_changes(diff, "")]
    for group in _holders(diff, "TaskGroups"):
        path = f"{text(group, 'Name')}/"
        found += _changes(group, path)
        for task in _holders(group, "Tasks"):
            found += _changes(task, f"{path}{text(task, 'Name')}/")
    if found or _only_scaling(diff):
        return tuple(found)
    # Any other diff without a changed leaf (an empty group added, say) is still a difference.
    return (FieldChange(path="", old="", new=text(diff, "Type")),)


def _only_scaling(diff: Json) -> bool:
    """Nothing but empty Scaling objects: what a job with that block plans as until it is registered a second time.

    Source: recorded, scenario `scaling`; nomad/state/state_store.go (propagateScalingPolicyIDs).
    """
    groups = [group for group in _holders(diff, "TaskGroups") if text(group, "Type") != UNCHANGED]
    objects = [one for group in groups for one in _holders(group, "Objects") if text(one, "Type") != UNCHANGED]
    tasks = [task for group in groups for task in _holders(group, "Tasks") if text(task, "Type") != UNCHANGED]
    return bool(objects) and not tasks and all(text(one, "Name") == "Scaling" for one in objects)


def _changes(holder: Json, path: str) -> Iterator[FieldChange]:
    for field in _holders(holder, "Fields"):
        if text(field, "Type") != UNCHANGED:
            yield FieldChange(
                path=path + text(field, "Name"),
                old=text(field, "Old"),
                new=text(field, "New"),
                annotations=tuple(str(one) for one in sequence(field.get("Annotations"), "Annotations")),
            )
    for inner in _holders(holder, "Objects"):
        yield from _changes(inner, f"{path}{text(inner, 'Name')}/")


def _holders(holder: Json, key: str) -> Iterator[dict[str, Any]]:
    for value in sequence(holder.get(key), key):
        yield dict(mapping(value, key))
