"""What is learned from and what is held out: apart, the same everywhere, of every class."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomad_operator.optimize.corpus import shipped
from nomad_operator.optimize.repair_case import RepairCase
from nomad_operator.optimize.split import split

CLASSES = ("crash", "oom_killed", "check_wrong_path")


def case(name: str, failure: str = "crash", *, due: bool = True) -> RepairCase:
    return RepairCase(name=name, failure=failure, app="web", due=due, world={}, text="x")


made = st.lists(
    st.builds(case, st.text(min_size=1, max_size=5), st.sampled_from(CLASSES), due=st.booleans()),
    unique_by=lambda one: one.name,
)


@given(made, st.floats(0.05, 0.95), st.integers())
def test_every_case_is_on_one_side_whatever_order_they_come_in(
    cases: list[RepairCase], share: float, seed: int
) -> None:
    parts = split(cases, share=share)
    assert sorted(one.name for one in (*parts.train, *parts.held_out)) == sorted(one.name for one in cases)
    assert not {one.name for one in parts.train} & {one.name for one in parts.held_out}
    random.Random(seed).shuffle(cases)
    assert split(cases, share=share) == parts


@given(made, st.floats(0.05, 0.95))
def test_every_class_is_measured(cases: list[RepairCase], share: float) -> None:
    parts = split(cases, share=share)
    kinds = {(one.failure, one.due) for one in cases}
    assert {(one.failure, one.due) for one in parts.held_out} == kinds


def test_a_case_of_another_class_moves_no_other_case() -> None:
    cases = [case(f"c{number}") for number in range(9)]
    before = split(cases, share=0.5)
    after = split([*cases, case("new", "oom_killed")], share=0.5)
    assert {one.name for one in before.train} <= {one.name for one in after.train}
    assert {one.name for one in before.held_out} <= {one.name for one in after.held_out}


@pytest.mark.parametrize(("number", "held_out"), [(1, 1), (2, 1), (3, 2), (8, 4)])
def test_a_class_of_one_is_measured_and_not_learned_from(number: int, held_out: int) -> None:
    parts = split([case(f"c{each}") for each in range(number)], share=0.5)
    assert (len(parts.train), len(parts.held_out)) == (number - held_out, held_out)


def test_what_is_shipped_leaves_enough_on_both_sides() -> None:
    parts = split(shipped().cases, share=0.5)
    for side in (parts.train, parts.held_out):
        assert len(side) >= 30
        kinds = Counter((one.failure, one.due) for one in side)
        assert kinds["crash", True] and kinds["crash", False] and kinds["crash_config_missing", True]
