"""Asks the rungs in order until one answers with something the guard lets through. Acts on nothing.

A rung that has no answer, several, or one that the guard turns down, hands on to the next. What was turned down is part
of the answer: people read why.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from desired.errors import OperatorError
from reconcilers.repair.guard import Guard, Verdict
from reconcilers.repair.proposal import Answer, Candidates, Case, Proposal, Tried


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
    """`proposal` with its `verdict` is the first that the guard let through, None where there is none.

    `trace` is the id of the trace in which it was found; empty without one.
    """

    proposal: Proposal | None = None
    verdict: Verdict | None = None
    turned_down: tuple[TurnedDown, ...] = ()
    candidates: tuple[Candidates, ...] = ()
    silent: tuple[str, ...] = ()  # rungs that could not be asked, and why
    trace: str = ""


class Ladder:
    """Keeps nothing between two climbs."""

    def __init__(
        self, *, rungs: Sequence[tuple[str, AskedRung]], guard: Guard, learns: Collection[str] = ()
    ) -> None:  # fmt: skip
        """`learns` are rungs that are asked once more when the guard has turned them down, and told why."""
        self._rungs = tuple(rungs)
        self._guard = guard
        self._learns = frozenset(learns)

    async def climb(self, case: Case) -> Climbed:
        """Every rung is asked once, one that learns twice at most."""
        turned_down: list[TurnedDown] = []
        candidates: list[Candidates] = []
        silent: list[str] = []
        case = self._guard.bounded(case)
        for name, rung in self._rungs:
            asked = case
            for _ in range(2 if name in self._learns else 1):
                try:
                    answer = await rung.propose(asked)
                except OperatorError as error:
                    silent.append(f"{name}: {error.message}")
                    break
                if isinstance(answer, Candidates):
                    candidates.append(answer)
                if not isinstance(answer, Proposal):
                    break
                verdict = self._guard.judge(asked, answer)
                if not verdict.violations:
                    return Climbed(answer, verdict, tuple(turned_down), tuple(candidates), tuple(silent))
                turned_down.append(TurnedDown(answer, verdict))
                told = Tried(answer.operations, f"turned down: {verdict.told}")
                asked = replace(asked, tried=(*asked.tried, told))
        return Climbed(turned_down=tuple(turned_down), candidates=tuple(candidates), silent=tuple(silent))
