"""Where a pass gets its evidence and its diagnoses from: what it has read, what was heard before, and what is read for
it. Nothing secret comes out of here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from observers import redacted
from observers.evidence import Evidence
from observers.failures.diagnose import diagnose
from observers.failures.diagnosis import Diagnosis
from observers.job_secrets import known_in
from observers.nomad.chronicle import Chronicle
from observers.nomad.collect import Collector
from observers.redaction import Placeholders, Redactor
from reconcilers.repair.at_hand import at_hand
from reconcilers.situation import Situation


class Gatherer:
    """Implements `reconcilers.reconcile.EvidenceSource`. `secrets` are those of this process."""

    def __init__(
        self, *, collector: Collector, chronicle: Chronicle, placeholders: Placeholders, secrets: Collection[str] = ()
    ) -> None:
        self._collector = collector
        self._chronicle = chronicle
        self._placeholders = placeholders
        self._secrets = tuple(secrets)

    def at_hand(self, situation: Situation) -> tuple[Diagnosis, ...]:
        """Of what the pass has read anyway; no request is made."""
        evidence = self._known(situation)
        redactor = self._redactor(evidence)
        return _named(redacted.redacted(evidence, redactor), redactor, situation)

    async def collect(self, situation: Situation) -> tuple[Evidence, tuple[Diagnosis, ...]]:
        """Of everything that can be read about the failure of the target. Raises where Nomad is away."""
        evidence = self._known(situation)
        redactor = self._redactor(evidence)
        first = diagnose(redacted.redacted(evidence, redactor), situation.now)
        full = await self._collector.collect(evidence, first, running=situation.running.allocations)
        shown = redacted.redacted(full, redactor)
        return shown, _named(shown, redactor, situation)

    def _known(self, situation: Situation) -> Evidence:
        evidence = at_hand(situation)
        return replace(evidence, allocations=self._chronicle.merged(evidence.allocations))

    def _redactor(self, evidence: Evidence) -> Redactor:
        return Redactor(known={*self._secrets, *known_in(evidence.body)}, placeholders=self._placeholders)


def _named(evidence: Evidence, redactor: Redactor, situation: Situation) -> tuple[Diagnosis, ...]:
    return tuple(redacted.told(one, redactor) for one in diagnose(evidence, situation.now))
