"""What a pass ends with. Failures are exceptions; they are never in here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from desired.reasons import Reason


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing to do until something changes. `recheck_in` None: the resync alone looks again."""

    reason: Reason
    recheck_in: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something is under way or was just changed: look again after `retry_in`, or when an event says so."""

    reason: Reason
    retry_in: timedelta


Result = Settled | Waiting
