"""What a change of a job does to the allocations of a group, by the table of the reference and by recorded plans."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from nomad_operator.embedded.canonical import server_canonical
from nomad_operator.embedded.change import Change, group_change
from tests.unit.embedded_pure.recorded_plans import Planned, plans, wide

WIDE = server_canonical(wide("canonical"))
GROUP = ("TaskGroups", 0)
TASK = (*GROUP, "Tasks", 1)


def changed(*changes: tuple[tuple[Any, ...], Any]) -> dict[str, Any]:
    job = copy.deepcopy(WIDE)
    for path, value in changes:
        at: Any = job
        for part in path[:-1]:
            at = at[part]
        at[path[-1]] = value
    return job


DESTRUCTIVE = [
    (("Meta",), {"a": "other"}),
    ((*GROUP, "Meta"), {"g": "2"}),
    ((*GROUP, "EphemeralDisk", "SizeMB"), 500),
    ((*GROUP, "Networks", 0, "Mode"), "host"),
    ((*GROUP, "Networks", 0, "DynamicPorts", 0, "To"), 81),
    ((*GROUP, "Networks", 0, "ReservedPorts", 0, "Value"), 9091),
    ((*GROUP, "Volumes", "data", "ReadOnly"), False),
    ((*GROUP, "RestartPolicy", "RenderTemplates"), True),
    ((*GROUP, "Consul"), {"Namespace": "other", "Cluster": "default", "Partition": ""}),
    ((*TASK, "Driver"), "exec"),
    ((*TASK, "User"), "root"),
    ((*TASK, "Config", "image"), "other"),
    ((*TASK, "Env", "A"), "2"),
    ((*TASK, "Artifacts"), None),
    ((*TASK, "Templates", 0, "EmbeddedTmpl"), "other"),
    ((*TASK, "VolumeMounts", 0, "ReadOnly"), True),
    ((*TASK, "Identity", "File"), False),
    ((*TASK, "Identities"), None),
    ((*TASK, "LogConfig", "Disabled"), True),
    ((*TASK, "Name"), "renamed"),
    *(((*TASK, "Resources", name), 77) for name in ("CPU", "Cores", "MemoryMB", "MemoryMaxMB", "SecretsMB")),
]
IN_PLACE = [
    (("Priority",), 70),
    (("Constraints",), None),
    (("Stop",), True),
    ((*GROUP, "Count"), 3),
    ((*GROUP, "Services", 0, "Tags"), ["other"]),
    ((*GROUP, "Services", 0, "Checks"), None),
    ((*GROUP, "Update", "MaxParallel"), 9),
    ((*GROUP, "RestartPolicy", "Attempts"), 9),
    ((*GROUP, "ReschedulePolicy", "Unlimited"), False),
    ((*GROUP, "Networks", 0, "DynamicPorts", 0, "Value"), 25000),
    ((*TASK, "LogConfig", "MaxFiles"), 4),
    ((*TASK, "KillTimeout"), 9),
    ((*TASK, "Leader"), False),
]


@pytest.mark.parametrize(("path", "value"), DESTRUCTIVE, ids=lambda value: str(value))
def test_this_replaces_the_allocation(path: tuple[Any, ...], value: Any) -> None:
    assert group_change(WIDE, changed((path, value)), "web") is Change.DESTRUCTIVE


@pytest.mark.parametrize(("path", "value"), IN_PLACE, ids=lambda value: str(value))
def test_this_is_done_in_place(path: tuple[Any, ...], value: Any) -> None:
    assert group_change(WIDE, changed((path, value)), "web") is Change.IN_PLACE


def test_what_only_the_server_keeps_books_of_is_nothing() -> None:
    assert group_change(WIDE, WIDE | {"Version": 4, "Stable": True, "ModifyIndex": 12}, "web") is Change.NONE


def test_another_groups_change_is_in_place_here() -> None:
    other = copy.deepcopy(WIDE)
    other["TaskGroups"].append({**copy.deepcopy(WIDE["TaskGroups"][0]), "Name": "second"})
    edited = copy.deepcopy(other)
    edited["TaskGroups"][1]["Tasks"][1]["Env"] = {"A": "9"}
    assert group_change(other, edited, "web") is Change.IN_PLACE
    assert group_change(other, edited, "second") is Change.DESTRUCTIVE


RUNNING = [
    planned
    for planned in plans()
    if planned.old is not None and planned.current and any(sum(counts.values()) for counts in planned.desired.values())
]


@pytest.mark.parametrize("planned", RUNNING, ids=lambda planned: planned.label)
def test_recorded_plans_do_the_same(planned: Planned) -> None:
    """Where a plan replaces, the change is destructive; where it only updates in place, it is not."""
    assert planned.old is not None
    groups = {group["Name"] for group in planned.old["TaskGroups"]}
    for group, counts in planned.desired.items():
        if group not in groups:
            continue
        change = group_change(planned.old, planned.new, group)
        if counts["DestructiveUpdate"]:
            assert change is Change.DESTRUCTIVE
        elif counts["InPlaceUpdate"]:
            assert change is not Change.DESTRUCTIVE
