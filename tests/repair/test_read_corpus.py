"""What no rule can decide: nothing becomes of it without a model, a model that reads it mends it, and none harms it."""

from __future__ import annotations

import pytest

from tests.repair import compare, corpus, stub_models
from tests.repair.case import Case, Part
from tests.repair.party import Party
from tests.repair.verdict import judge

CASES = [case for case in corpus.cases().values() if case.part is Part.READ]


def test_there_are_as_many_as_there_have_to_be() -> None:
    assert len(CASES) >= 40
    assert len([case for case in CASES if case.faults > 1]) >= 4
    assert len([case for case in CASES if not case.eligible]) >= 8


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_rule_decides_it(case: Case) -> None:
    found = judge(case)
    assert not found.fixed and not found.wrong
    assert not found.problems, "\n".join([*found.problems, *found.story])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_who_has_read_the_evidence_mends_it(case: Case) -> None:
    found = judge(case, party=Party(model=stub_models.stub("right")))
    assert not found.problems, "\n".join([*found.problems, *found.story])
    assert found.questions >= 1


@pytest.mark.parametrize("name", [one for one in stub_models.STUBS if one != "right"])
@pytest.mark.parametrize("case", CASES[::4], ids=lambda case: case.name)
def test_a_model_that_is_no_good_changes_nothing_that_it_must_not(case: Case, name: str) -> None:
    found = judge(case, party=Party(model=stub_models.stub(name), agrees=False))
    assert not found.wrong
    assert not found.problems, "\n".join([*found.problems, *found.story])


def test_what_a_model_has_found_once_is_not_asked_again() -> None:
    twice = [case for case in CASES if case.name.startswith("one-path")][:3]
    found = {one.rungs: one.numbers for one in compare.compared(twice, stub_models.stub("right"))}
    assert found["rules"]["fixed"] == 0
    assert found["rules+model"]["fixed"] == found["all"]["fixed"] == found["rules+memory"]["fixed"] == len(twice)
    assert found["rules+memory"]["questions"] == 0 and found["rules+memory"]["tokens/fix"] == 0
    assert found["rules+model"]["tokens/fix"] > 0
