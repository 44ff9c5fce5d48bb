"""Where a pass gets its evidence and its diagnoses from: what it has read, what was heard before, and what is read for
it. Nothing secret comes out of here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta

from desired.errors import Rejected
from desired.secret_reads import secret_reads
from desired.state import JobBody
from observers import redacted
from observers.evidence import Evidence
from observers.failures.diagnose import diagnose
from observers.failures.diagnosis import Diagnosis
from observers.failures.foreseen import foreseen, seen
from observers.failures.row import Family
from observers.failures.table import TABLE
from observers.known_secrets import KnownSecrets
from observers.nomad.chronicle import Chronicle
from observers.nomad.collect import Collector
from observers.nomad.crash_logs import CrashLogs
from observers.redaction import Placeholders, Redactor
from observers.running import Plan, Running
from observers.secret_examiner import Places
from reconcilers.repair.at_hand import at_hand, last_good, since_registered
from reconcilers.repair.ladder import Climbed
from reconcilers.repair.without_secrets import without_secrets
from reconcilers.situation import Situation

# A value that is wrong shows as a task that waits for it, or as a crash.
_MAY_BE_A_VALUE = frozenset({Family.SECRETS, Family.RUN})
_DEADLINE = timedelta(seconds=5)


class Gatherer:
    """Implements `reconcilers.reconcile.EvidenceSource`. `secrets` are those of this process."""

    def __init__(
        self,
        *,
        collector: Collector,
        chronicle: Chronicle,
        placeholders: Placeholders,
        secrets: Collection[str] = (),
        places: Places | None = None,
    ) -> None:
        self._places = places
        self._collector = collector
        self._chronicle = chronicle
        self._placeholders = placeholders
        self._secrets = tuple(secrets)
        self._known_secrets = KnownSecrets()
        self._crash_logs = CrashLogs(reads=collector)

    async def at_hand(self, situation: Situation) -> tuple[Diagnosis, ...]:
        """Of what the pass has read anyway, and of the logs of what has crashed since they were read last."""
        evidence = self._known(situation)
        evidence = replace(evidence, logs=await self._crash_logs.of(evidence))
        redactor = self._redactor(evidence.body, last_good(situation))
        return _named(redacted.redacted(evidence, redactor), redactor, situation)

    async def collect(self, situation: Situation) -> tuple[Evidence, tuple[Diagnosis, ...]]:
        """Of everything that can be read about the failure of the target. Raises where Nomad is away."""
        evidence = self._known(situation)
        redactor = self._redactor(evidence.body, last_good(situation))
        first = diagnose(redacted.redacted(evidence, redactor), situation.now)
        if any(TABLE[one.failure].family in _MAY_BE_A_VALUE for one in first):
            evidence = await self._with_names(evidence, situation)
        full = await self._collector.collect(evidence, first, running=situation.running.allocations)
        shown = redacted.redacted(full, redactor)
        return shown, _named(shown, redactor, situation)

    async def foreseen(self, situation: Situation) -> tuple[Evidence, tuple[Diagnosis, ...]]:
        """Of a job that nobody has registered: by the job itself, and the names at the places that it reads."""
        evidence = replace(
            self._known(situation), since=situation.now, allocations=(), placement={}, checks=None, deployment=None
        )
        redactor = self._redactor(evidence.body, last_good(situation))
        evidence = await self._with_names(evidence, situation)
        shown = redacted.redacted(evidence, redactor)
        return shown, tuple(redacted.told(one, redactor) for one in foreseen(evidence.body, shown.cluster))

    def hidden(self, running: Running, wanted: JobBody) -> Running:
        """What is registered may be another job than what is wanted: the secrets of both are."""
        bodies = (wanted, running.job.body) if running.job is not None else (wanted,)
        return redacted.running(running, self._redactor(*bodies))

    def hidden_plan(self, plan: Plan, wanted: JobBody) -> Plan:
        return redacted.plan(plan, self._redactor(wanted))

    def refusal(self, error: Rejected, wanted: JobBody) -> Rejected:
        hide = self._redactor(wanted).redact
        mistakes = tuple(hide(one) for one in error.mistakes)
        return Rejected(hide(error.message), reason=error.reason, hint=hide(error.hint), mistakes=mistakes)

    def hiding(self, body: JobBody) -> Callable[[str], str]:
        """Takes the secrets of this process and of the job out of a text."""
        return self._redactor(body).redact

    def hidden_answer(self, result: Climbed, body: JobBody) -> Climbed:
        return without_secrets(result, self._redactor(body).redact)

    async def _with_names(self, evidence: Evidence, situation: Situation) -> Evidence:
        """What is at the places that the job reads, where somebody can be asked; no value is."""
        reads = [one for one in secret_reads(evidence.body) if not one.elsewhere]
        if self._places is None or not reads:
            return evidence
        try:
            async with asyncio.timeout(_DEADLINE.total_seconds()):
                looked = await self._places.places(reads, namespace=situation.key.namespace)
        except TimeoutError:
            return replace(evidence, unread=(*evidence.unread, "the places that its tasks read: no answer in time"))
        unread = tuple(sorted({*evidence.unread, *looked.unread}))
        return replace(evidence, cluster=seen(evidence.cluster, looked), unread=unread)

    def _known(self, situation: Situation) -> Evidence:
        running = situation.running
        self._chronicle.read(running)
        evidence = at_hand(replace(situation, running=replace(running, placement=self._chronicle.unplaced(running))))
        checks = self._chronicle.checks(evidence.checks) if evidence.checks is not None else None
        allocations = self._chronicle.merged(evidence.allocations)
        if running.job is not None:
            allocations = since_registered(allocations, running.job.body)
        return replace(evidence, allocations=allocations, checks=checks)

    def _redactor(self, *bodies: JobBody) -> Redactor:
        of_jobs = (secret for body in bodies for secret in self._known_secrets.of(body))
        return Redactor(known={*self._secrets, *of_jobs}, placeholders=self._placeholders)


def _named(evidence: Evidence, redactor: Redactor, situation: Situation) -> tuple[Diagnosis, ...]:
    return tuple(redacted.told(one, redactor) for one in diagnose(evidence, situation.now))
