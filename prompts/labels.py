"""By which label a prompt is fetched: one, or two that are compared live, by share. Pure.

The same `by` gets the same label as long as the share stays: an episode is never half of one and half of the other,
and another share moves as few as it can.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Labels:
    """`share` of what is asked, from 0 to 1, goes to `compared`; empty where nothing is compared."""

    main: str
    compared: str = ""
    share: float = 0.0

    def label(self, name: str, by: str) -> str:
        """What is asked for nobody in particular is never compared: nothing would tell how it went."""
        if not self.compared or not by:
            return self.main
        return self.compared if _place(f"{name}\n{by}") < self.share else self.main

    @property
    def all(self) -> tuple[str, ...]:
        return (self.main, self.compared) if self.compared else (self.main,)


def _place(text: str) -> float:
    """From 0 up to 1, even over any texts."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / 2**48
