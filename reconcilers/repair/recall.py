"""What is known of a failure: memories of it put together by repair, the best first. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from reconcilers.repair.relative import Step, own
from reconcilers.repair.remembered import Learned, Remembered, steps_text

# A repair that failed counts more than one that helped, and what a person says more than both.
_WEIGHTS: Mapping[Learned, float] = {
    Learned.VERIFIED: 1.0,
    Learned.DURABLE: 2.0,
    Learned.FAILED: -2.0,
    Learned.UNDONE: -2.0,
    Learned.REVERTED: -6.0,
    Learned.REJECTED: -4.0,
    Learned.GUARDED: -0.5,
}
_APPROVED = 1.0
# What was long ago counts no more, so that a repair that went bad is not proposed for its old fame.
_NEWEST = 20
_HELPED = frozenset({Learned.VERIFIED, Learned.DURABLE})
# The share of words in common from which a failure may be the same kind, told differently.
ALIKE = 0.85


@dataclass(frozen=True, slots=True)
class Recalled:
    """One repair and what became of it. `exact`: of this very signature; `similarity` is 1 then.

    `score` is above 0 where it helped more than it harmed. `outcomes` counts what became of it, `apps` for how many.
    """

    failure: str
    steps: tuple[Step, ...]
    score: float
    exact: bool
    similarity: float
    outcomes: Mapping[Learned, int]
    apps: int
    last: datetime

    @property
    def worth_trying(self) -> bool:
        """It helped, more than it harmed. What is only alike must have helped lastingly as well."""
        if self.score <= 0 or not any(self.outcomes.get(one) for one in _HELPED):
            return False
        return self.exact or (self.similarity >= ALIKE and bool(self.outcomes.get(Learned.DURABLE)))

    @property
    def told(self) -> str:
        """`durable 3, failed 1, in 2 apps`."""
        counts = ", ".join(f"{one.value} {self.outcomes[one]}" for one in Learned if self.outcomes.get(one))
        return f"{counts}, in {self.apps} app{'' if self.apps == 1 else 's'}"


def recalled(memories: Iterable[tuple[Remembered, float]], *, signature: str, app: str) -> tuple[Recalled, ...]:
    """By repair; the best first. What is another app's alone is left out. Each memory comes with its similarity."""
    by_steps: dict[tuple[str, bool], dict[str, tuple[Remembered, float]]] = {}
    for one, similarity in memories:
        if own(one.steps) and one.app != app:
            continue
        exact = one.signature == signature
        by_steps.setdefault((steps_text(one.steps), exact), {})[one.key] = (one, similarity)
    found = [_put_together(list(known.values()), exact) for (_, exact), known in by_steps.items()]
    return tuple(sorted(found, key=lambda one: (not one.exact, -one.score, -one.similarity, steps_text(one.steps))))


def _put_together(known: list[tuple[Remembered, float]], exact: bool) -> Recalled:
    known = sorted(known, key=lambda one: (one[0].at, one[0].key), reverse=True)[:_NEWEST]
    first = known[0][0]
    return Recalled(
        failure=first.failure,
        steps=first.steps,
        score=sum(_WEIGHTS[one.outcome] + (_APPROVED if one.approved else 0.0) for one, _ in known),
        exact=exact,
        similarity=1.0 if exact else max(similarity for _, similarity in known),
        outcomes=Counter(one.outcome for one, _ in known),
        apps=len({one.app for one, _ in known}),
        last=first.at,
    )
