"""The second rung: what helped before against the same failure, made again from this job and its own evidence.

A memory is no ground: each value is found anew in what is known of this job, and the guard judges it like any other
proposal. The store may be down; the next rung is asked then.
"""

from __future__ import annotations

from typing import Protocol

from reconcilers.repair.guard import Verdict
from reconcilers.repair.proposal import Answer, Case, Proposal, Rung
from reconcilers.repair.recall import Recalled
from reconcilers.repair.relative import edits
from reconcilers.repair.rules.rule import fix


class Memory(Protocol):
    """Repairs that are remembered."""

    async def recall(self, case: Case) -> tuple[Recalled, ...]:
        """The best first, also those that did not help. Raises OperatorError where it cannot be asked now."""
        ...


class Judge(Protocol):
    """The guard. It has the last word anyway; asked here, what it forbids does not stand before what it allows."""

    def judge(self, case: Case, proposal: Proposal) -> Verdict: ...


class MemoryRung:
    """Implements `reconcilers.repair.ladder.AskedRung`."""

    def __init__(self, *, memory: Memory, guard: Judge) -> None:
        self._memory = memory
        self._guard = guard

    async def propose(self, case: Case) -> Answer:
        """The best repair that helped, can be made again here, and was not tried in this episode."""
        forbidden: Proposal | None = None
        for one in await self._memory.recall(case):
            made = again(case, one) if one.worth_trying else None
            if made is None or any(tried.operations == made.operations for tried in case.tried):
                continue
            if not self._guard.judge(case, made).violations:
                return made
            forbidden = forbidden or made
        # Told with the guard's reasons.
        return forbidden


def again(case: Case, one: Recalled) -> Proposal | None:
    """The same repair for this job; None where it cannot be made from what is known of it."""
    found = edits(case, one.steps)
    made = fix(case, "", found) if found else None
    if made is None:
        return None
    against = "this failure" if one.exact else f"a failure like this one (similarity {one.similarity:.2f})"
    return Proposal(
        operations=made.operations,
        rung=Rung.MEMORY,
        source=one.failure,
        reason=f"it helped before against {against}: {one.told}",
        grounds=made.grounds,
    )
