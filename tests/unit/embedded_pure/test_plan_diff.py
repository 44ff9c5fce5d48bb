"""The plan diff, against every recorded plan of a real Nomad."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomad_operator.embedded.annotations import annotate
from nomad_operator.embedded.canonical import server_canonical
from nomad_operator.embedded.diff import job_diff
from nomad_operator.embedded.scaling import keep_scaling_ids, store_scaling_policies
from tests.unit.embedded_pure.recorded_plans import BOOKS, Planned, plans, unordered, wide

PLANS = list(plans())


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))]
    if isinstance(value, list):
        return [leaf for index, inner in enumerate(value) for leaf in leaves(inner, (*path, index))]
    return [] if value is None else [path]


WIDE = server_canonical(wide("canonical"))

# Nomad's diff does not tell what changes here, though the group then says `Edited`; and what names a thing is no change
# of it. The scaling policy's target is left out where the job itself tells it.
UNTOLD = {*BOOKS, "ID", "NomadTokenID", "Spreads", "Stagger", "Lifecycle", "CSIPluginConfig", "RestartPolicy"}
SEEN = [
    path for path in leaves(WIDE) if not UNTOLD.intersection(path) and "Scaling" not in path and path[0] != "Update"
]


@pytest.mark.parametrize("planned", PLANS, ids=lambda planned: planned.label)
def test_a_recorded_plan_is_told_in_the_same_words(planned: Planned) -> None:
    diff = annotate(job_diff(planned.old, planned.new), planned.desired)
    assert unordered(diff) == unordered(planned.diff)


def test_there_are_as_many_recorded_plans_as_there_were() -> None:
    """A reader that finds nothing would prove nothing."""
    assert len(PLANS) >= 64


def test_the_same_job_is_no_difference() -> None:
    diff = job_diff(WIDE, copy.deepcopy(WIDE))
    assert diff["Type"] == "None"
    assert '"Edited"' not in json.dumps(diff)


def test_what_only_the_server_keeps_books_of_is_no_difference() -> None:
    booked = copy.deepcopy(WIDE) | {"Version": 7, "Status": "running", "ModifyIndex": 99, "Stable": True}
    assert job_diff(booked, WIDE)["Type"] == "None"


def test_a_scaling_block_differs_until_the_job_is_registered_twice() -> None:
    first, again, third = (copy.deepcopy(WIDE) for _ in range(3))
    store_scaling_policies(None, first, index=30, ids=["an-id"])
    keep_scaling_ids(first, again)
    assert job_diff(first, again)["Type"] == "Edited"
    store_scaling_policies(first, again, index=31, ids=["unused"])
    books = [
        [job["TaskGroups"][0]["Scaling"][name] for name in ("ID", "CreateIndex", "ModifyIndex")]
        for job in (first, again)
    ]
    assert books == [["an-id", 30, 30], ["an-id", 0, 0]]
    keep_scaling_ids(again, third)
    assert job_diff(again, third)["Type"] == "None"


def edited(path: tuple[Any, ...]) -> dict[str, Any]:
    changed = copy.deepcopy(WIDE)
    at: Any = changed
    for part in path[:-1]:
        at = at[part]
    old = at[path[-1]]
    at[path[-1]] = (not old) if isinstance(old, bool) else old + 1 if isinstance(old, int | float) else f"{old}x"
    return changed


def kinds(diff: Any) -> list[str]:
    fields = [field["Type"] for field in diff.get("Fields") or ()]
    inner = (part for name in ("Objects", "TaskGroups", "Tasks") for part in diff.get(name) or ())
    return fields + [kind for part in inner for kind in kinds(part)]


@given(st.sampled_from(SEEN))
def test_any_change_of_a_value_is_a_difference(path: tuple[Any, ...]) -> None:
    assert job_diff(WIDE, edited(path))["Type"] == "Edited"


@given(st.sampled_from(SEEN))
def test_a_difference_turned_round_adds_what_it_deleted(path: tuple[Any, ...]) -> None:
    changed = edited(path)
    there, back = kinds(job_diff(WIDE, changed)), kinds(job_diff(changed, WIDE))
    assert there.count("Deleted") == back.count("Added")
    assert there.count("Edited") == back.count("Edited")
