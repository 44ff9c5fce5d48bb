"""Objects to what a job reads: what Nomad would hand over wrong without a word is refused, what it waits for is told.

By the job alone, and by what Vault, Consul and Nomad's variables say of the places that it reads, where they are asked.
Only names are read, never values. What may not be read, or cannot be, is not judged.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from desired.app import AppKey
from desired.errors import Unavailable
from desired.objection import Objection
from desired.reasons import Reason
from desired.secret_reads import SecretRead, secret_reads
from desired.secret_traps import Rule, Trap, secret_traps
from desired.state import JobBody
from observers.look_up import LookedUp

# What the operator's token may not list is the doctor's matter, not the app's.
_NOT_THE_JOBS = frozenset({Rule.PATH_FORBIDDEN})
_NOMAD_REFUSES = frozenset({Rule.SECRET_NAME, Rule.SECRET_ENV})
_DEADLINE = timedelta(seconds=5)
# Who is told writes the field, and wants to see that it was heard.
_AGAIN = timedelta(minutes=1)
_AWAY_LASTS = timedelta(seconds=30)
_MOST_KEPT = 4096


class Places(Protocol):
    """Who can say what is at a place."""

    async def places(self, reads: Iterable[SecretRead], *, namespace: str) -> LookedUp: ...


@dataclass(frozen=True, slots=True)
class _Answer:
    objections: tuple[Objection, ...]
    until: datetime | None  # None where nothing is wrong: what was right once is not asked again for the same job


class SecretExaminer:
    """Asks once for each job, and again each minute while something is wrong with it.

    Without `places` it judges by the job alone. A service that hangs is left alone for half a minute.
    """

    def __init__(self, *, places: Places | None, now: Callable[[], datetime], deadline: timedelta = _DEADLINE) -> None:
        self._places = places
        self._now = now
        self._deadline = deadline
        self._answers: OrderedDict[bytes, _Answer] = OrderedDict()
        self._away_until: datetime | None = None

    async def objections(self, key: AppKey, body: JobBody) -> Sequence[Objection]:
        """Of the job as it would be registered. Raises Unavailable where a service is away and nothing is wrong."""
        reads = [read for read in secret_reads(body) if not read.elsewhere]
        if self._places is None or not reads:
            return _objections(secret_traps(body))
        named = hashlib.sha256(f"{key.namespace}\0{json.dumps(body, sort_keys=True, default=str)}".encode()).digest()
        known = self._answers.get(named)
        if known is not None and (known.until is None or self._now() < known.until):
            self._answers.move_to_end(named)
            return known.objections
        looked = await self._looked(self._places, reads, key.namespace)
        found = _objections(secret_traps(body, looked.looks))
        if looked.away:
            if known is not None:
                # What was wrong is not right because nobody can tell any more.
                return known.objections
            if not found:
                raise Unavailable(f"whether {key} finds what it reads is not known: {looked.away[0]}")
            return found
        passing = any(not one.lasting for one in found)
        self._answers[named] = _Answer(found, self._now() + _AGAIN if passing else None)
        self._answers.move_to_end(named)
        while len(self._answers) > _MOST_KEPT:
            self._answers.popitem(last=False)
        return found

    async def _looked(self, places: Places, reads: Iterable[SecretRead], namespace: str) -> LookedUp:
        if self._away_until is not None and self._now() < self._away_until:
            return LookedUp({}, away=("a service that it is to be asked of did not answer in time",))
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                return await places.places(reads, namespace=namespace)
        except TimeoutError:
            self._away_until = self._now() + _AWAY_LASTS
            return LookedUp({}, away=(f"no answer within {self._deadline.total_seconds():g} s",))


def _objections(traps: Iterable[Trap]) -> tuple[Objection, ...]:
    return tuple(_objection(trap) for trap in traps if trap.rule not in _NOT_THE_JOBS)


def _objection(trap: Trap) -> Objection:
    return Objection(
        trap.rule.value,
        f"{trap.where}: {trap.message}",
        trap.hint,
        trap.at,
        warning=not trap.error,
        reason=Reason.VALIDATION_FAILED if trap.rule in _NOMAD_REFUSES else Reason.VALUE_MISSING,
        lasting=not trap.looked,
    )
