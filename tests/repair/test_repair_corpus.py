"""A representative part of the corpus as tests; `make bench-repair` runs all of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.repair import corpus
from tests.repair.case import Case, Part
from tests.repair.verdict import judge

# What is known to go wrong, and why; `make bench-repair` tells it too. An entry that goes right is told by the test.
KNOWN: dict[str, str] = {
    "datacenter-misspelt:agent": "a system job that no node may have is nothing failed to Nomad: no plan says so",
    "three-on-two-hosts:worker:new-version": "once the deployment has failed, Nomad tells no placement any more",
    "gives-up-before-its-database:worker": "a new restart policy alone does not start again what has failed for good",
}


def _one_of_each(cases: list[Case]) -> Iterator[Case]:
    """The first of each class."""
    seen: set[str] = set()
    for case in cases:
        if case.label not in seen:
            seen.add(case.label)
            yield case


def _chosen() -> list[Case]:
    cases = list(corpus.cases().values())
    broken = [case for case in cases if case.part is Part.BROKEN]
    return [*_one_of_each(broken), *(case for case in cases if case.part is not Part.BROKEN)]


@pytest.mark.parametrize("case", _chosen(), ids=lambda case: case.name)
def test_a_case_of_the_corpus_ends_as_it_should(case: Case) -> None:
    found = judge(case)
    assert not found.wrong
    if case.name in KNOWN:
        assert found.problems, f"{case.name} goes right by now: take it off the list"
    else:
        assert not found.problems, "\n".join([*found.problems, *found.story])


def test_the_corpus_is_as_large_as_it_has_to_be() -> None:
    parts = [case.part for case in corpus.cases().values()]
    assert parts.count(Part.BROKEN) >= 120
    assert parts.count(Part.LEAVE) >= 25
    assert parts.count(Part.ADVERSARIAL) >= 20


def test_what_is_known_to_go_wrong_is_in_the_corpus() -> None:
    assert corpus.cases().keys() >= KNOWN.keys()
