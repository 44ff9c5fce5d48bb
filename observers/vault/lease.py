"""When a token has to be renewed, and when only a new login helps. Pure: the time comes in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto

# Renewed when two thirds of its time are over: what is left is enough for a Vault that is away for a while.
_KEPT = 2 / 3
# Seconds between two renewals that fail.
_PAUSE = 30


class Due(Enum):
    """What a lease needs now."""

    NOTHING = auto()
    RENEWAL = auto()
    LOGIN = auto()


@dataclass(frozen=True, slots=True)
class Lease:
    """A token, since when (monotonic seconds) and for how long. `seconds` is 0 for one that never ends."""

    token: str = field(repr=False)
    since: float
    seconds: float
    renewable: bool
    not_before: float = 0.0

    def due(self, now: float) -> Due:
        if self.seconds <= 0:
            return Due.NOTHING
        if now >= self.since + self.seconds:
            return Due.LOGIN
        if now < max(self.since + self.seconds * _KEPT, self.not_before):
            return Due.NOTHING
        return Due.RENEWAL if self.renewable else Due.NOTHING

    def postponed(self, now: float) -> Lease:
        """After a renewal that failed: the next one not with the very next call."""
        return replace(self, not_before=now + _PAUSE)

    def renewed(self, *, now: float, seconds: float, renewable: bool) -> Lease:
        return replace(self, since=now, seconds=seconds, renewable=renewable)
