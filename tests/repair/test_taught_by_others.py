"""A memory that has seen one app's failure repaired repairs the same of other apps by itself, and nothing else."""

from __future__ import annotations

import pytest

from tests.repair import corpus, taught
from tests.repair.case import Case, Part
from tests.repair.taught import Taught
from tests.repair.verdict import judge

# One of each way in which a value is found again: a factor, a fact, a label, a word, a key.
FAULTS = frozenset(
    {"memory-too-small", "to-wrong", "label-misspelt", "check-speaks-https", "key-cmd", "datacenter-misspelt"}
)


@pytest.fixture(scope="module")
def memory() -> Taught:
    learned_from, _ = taught.split(case for case in corpus.cases().values() if case.fault in FAULTS)
    return taught.teach(learned_from)


def _asked() -> list[Case]:
    return taught.split(case for case in corpus.cases().values() if case.fault in FAULTS)[1]


@pytest.mark.parametrize("case", _asked(), ids=lambda case: case.name)
def test_the_same_failure_of_another_app_is_repaired_from_memory(case: Case, memory: Taught) -> None:
    found = judge(case, rungs=memory.rungs(both=False))
    assert found.fixed, "\n".join(found.story)
    assert not found.wrong


def _others() -> list[Case]:
    return [case for case in corpus.cases().values() if case.part is not Part.BROKEN]


@pytest.mark.parametrize("case", _others()[::4], ids=lambda case: case.name)
def test_what_is_to_be_left_alone_is_left_alone_with_a_memory_too(case: Case, memory: Taught) -> None:
    found = judge(case, rungs=memory.rungs(both=True))
    assert not found.wrong
    assert not found.problems
