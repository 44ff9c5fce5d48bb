"""How much of what a person would say is found, and how much of what is found they would say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from desired.facts.analyze import Analysis, analyze
from desired.facts.facts import Facts
from tests.extract.items import Items, expected, found
from tests.extract.repository import Repository


@dataclass
class Score:
    """Items of one field over all repositories."""

    right: int = 0
    wrong: int = 0
    missing: int = 0

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missing) if self.right + self.missing else 1.0

    def count(self, wanted: Items, got: Items) -> None:
        self.right += len(wanted & got)
        self.wrong += len(got - wanted)
        self.missing += len(wanted - got)


@dataclass
class Scores:
    """By field, and every difference as people read it."""

    fields: dict[str, Score] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    @property
    def total(self) -> Score:
        counted = self.fields.values()
        return Score(
            sum(one.right for one in counted), sum(one.wrong for one in counted), sum(one.missing for one in counted)
        )

    def add(self, repository: Repository) -> None:
        for place, wanted, got in compared(repository, analyze(repository.codebase)):
            self.fields.setdefault(place.rpartition(".")[2], Score()).count(wanted, got)
            if wanted != got:
                known = repository.misses.get(place)
                told = _told(f"{repository.name}: {place}", wanted, got)
                self.differences.append(f"{told} (known: {known})" if known else told)


def score(cases: Iterable[Repository]) -> Scores:
    scores = Scores()
    for repository in cases:
        scores.add(repository)
    return scores


def compared(repository: Repository, analysis: Analysis) -> Iterator[tuple[str, Items, Items]]:
    """Each field of each app, expected or found: `app.field`, what a person says, what is found."""
    apps = {one.component.name: one.facts for one in analysis.apps}
    yield "apps", frozenset(repository.apps), frozenset(apps)
    chosen = frozenset({analysis.dockerfile} if analysis.dockerfile else ())
    yield "dockerfile", frozenset({repository.dockerfile} if repository.dockerfile else ()), chosen
    for name in dict.fromkeys((*repository.apps, *apps)):
        wanted = expected(repository.apps.get(name, {}))
        got = found(apps.get(name, Facts()), wanted)
        yield from ((f"{name}.{field}", wanted[field], got[field]) for field in wanted)


def _told(place: str, wanted: Items, got: Items) -> str:
    parts = (("missing", wanted - got), ("wrong", got - wanted))
    return f"{place}: " + "; ".join(f"{word} {', '.join(sorted(items))}" for word, items in parts if items)
