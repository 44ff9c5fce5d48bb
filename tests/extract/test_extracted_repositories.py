"""What is found in repositories as people have them is what a person would say, but for misses that are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from desired.facts.analyze import analyze
from tests.extract.repository import Repository, in_folder, repositories
from tests.extract.score import compared

REPOSITORIES = {one.name: one for one in repositories()}


@pytest.fixture(params=REPOSITORIES, ids=str)
def repository(request: pytest.FixtureRequest) -> Repository:
    return REPOSITORIES[request.param]


def test_there_are_enough_of_them() -> None:
    """At least twenty, and the samples."""
    assert len([name for name in REPOSITORIES if not name.startswith("sample ")]) >= 20
    assert len([name for name in REPOSITORIES if name.startswith("sample ")]) == 6


def test_what_is_found_is_what_a_person_would_say(repository: Repository) -> None:
    found = analyze(repository.codebase)
    differing = {place: (wanted, got) for place, wanted, got in compared(repository, found) if wanted != got}
    assert set(differing) == set(repository.misses), differing
    assert len(found.warnings) == repository.warnings
    assert repository.dockerfiles is None or found.dockerfiles == repository.dockerfiles


def test_a_folder_says_the_same_as_a_tree(repository: Repository, tmp_path: Path) -> None:
    assert analyze(in_folder(repository, tmp_path)) == analyze(repository.codebase)


def test_the_same_again_is_the_same_in_the_same_order(repository: Repository) -> None:
    first, second = (analyze(repository.codebase) for _ in range(2))
    assert repr(first) == repr(second)


def test_every_value_has_a_source_and_a_place_that_is_there(repository: Repository) -> None:
    for one in analyze(repository.codebase).apps:
        for name in one.facts.__slots__:
            held = getattr(one.facts, name)
            facts = [] if held is None else list(held.values()) if hasattr(held, "values") else [held]
            for fact in facts:
                assert fact.extractor and 0 < fact.confidence <= 1
                if fact.place is not None:
                    text = repository.codebase.text(fact.place.path)
                    assert text is not None
                    assert fact.place.line is None or 1 <= fact.place.line <= text.count("\n") + 1
