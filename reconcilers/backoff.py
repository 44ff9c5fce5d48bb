"""How long to wait before trying a key again: doubling, capped, jittered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Backoff:
    """`delay(n)` is for the n-th failure in a row, counted from 1. `random` gives a float in [0, 1)."""

    random: Callable[[], float]
    first: timedelta = timedelta(seconds=1)
    cap: timedelta = timedelta(minutes=5)

    def delay(self, failures: int) -> timedelta:
        """Between half of the doubled delay and all of it, so that keys which failed together spread out."""
        # 2**30 seconds is far beyond any cap; larger exponents would only overflow.
        doublings: int = 2 ** min(max(failures, 1) - 1, 30)
        return min(self.cap, self.first * doublings) * (0.5 + self.random() / 2)
