"""Asks the rungs in order until one answers with something the guard lets through. Acts on nothing.

A rung that has no answer, several, or one that the guard turns down, hands on to the next. What was turned down is part
of the answer: people read why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from desired.errors import OperatorError
from reconcilers.repair.guard import Guard, Verdict
from reconcilers.repair.proposal import Answer, Candidates, Case, Proposal


class AskedRung(Protocol):
    """One way to find a repair. Deterministic rules answer at once; others may take a while or be down."""

    async def propose(self, case: Case) -> Answer:
        """None where it knows nothing. Raises OperatorError where it cannot be asked now: the next rung is."""
        ...


@dataclass(frozen=True, slots=True)
class TurnedDown:
    """A proposal that the guard did not let through."""

    proposal: Proposal
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Climbed:
    """`proposal` with its `verdict` is the first that the guard let through, None where there is none."""

    proposal: Proposal | None = None
    verdict: Verdict | None = None
    turned_down: tuple[TurnedDown, ...] = ()
    candidates: tuple[Candidates, ...] = ()
    silent: tuple[str, ...] = ()  # rungs that could not be asked, and why


class Ladder:
    """Keeps nothing between two climbs."""

    def __init__(self, *, rungs: Sequence[tuple[str, AskedRung]], guard: Guard) -> None:
        self._rungs = tuple(rungs)
        self._guard = guard

    async def climb(self, case: Case) -> Climbed:
        """Every rung is asked at most once."""
        turned_down: list[TurnedDown] = []
        candidates: list[Candidates] = []
        silent: list[str] = []
        for name, rung in self._rungs:
            try:
                answer = await rung.propose(case)
            except OperatorError as error:
                silent.append(f"{name}: {error.message}")
                continue
            if isinstance(answer, Candidates):
                candidates.append(answer)
            elif isinstance(answer, Proposal):
                verdict = self._guard.judge(case, answer)
                if not verdict.violations:
                    return Climbed(answer, verdict, tuple(turned_down), tuple(candidates), tuple(silent))
                turned_down.append(TurnedDown(answer, verdict))
        return Climbed(turned_down=tuple(turned_down), candidates=tuple(candidates), silent=tuple(silent))
