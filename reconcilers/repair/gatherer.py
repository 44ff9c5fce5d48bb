"""Where a pass gets its evidence from."""

from __future__ import annotations

from observers.evidence import Evidence
from reconcilers.repair.at_hand import at_hand
from reconcilers.situation import Situation


class Gatherer:
    """Implements `reconcilers.reconcile.EvidenceSource`."""

    def at_hand(self, situation: Situation) -> Evidence:
        return at_hand(situation)

    async def collect(self, situation: Situation) -> Evidence:
        return at_hand(situation)
