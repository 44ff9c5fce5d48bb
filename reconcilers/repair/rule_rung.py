"""The first rung: deterministic rules. It answers at once and is never down."""

from __future__ import annotations

from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules.table import answer


class RuleRung:
    """Implements `reconcilers.repair.ladder.AskedRung`."""

    async def propose(self, case: Case) -> Answer:
        """The first rule of the failure's class that has an answer."""
        return answer(case)
