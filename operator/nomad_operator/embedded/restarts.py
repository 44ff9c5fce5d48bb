"""Whether a task that ended is started again by its client, when, and in which words.

Source: client/allocrunner/taskrunner/restarts/restarts.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nomad_operator.embedded.gotext import duration

_WITHIN = "Restart within policy"
_EXCEEDED = "Exceeded allowed attempts, applying a delay"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`delay` None: not again. An empty `reason` without a delay: it is done."""

    delay: int | None
    reason: str


class Restarts:
    """Counts the restarts of one task."""

    def __init__(self, policy: Mapping[str, Any], *, on_success: bool, random: Callable[[], float]) -> None:
        """`on_success`: a task that ends well is started again too (service, system)."""
        self._policy = policy
        self._on_success = on_success
        self._random = random
        self._count = 0
        self._since = 0

    def verdict(self, now: int, *, success: bool = False, recoverable: bool = True) -> Verdict:
        """After the task ended, or could not be started."""
        if success and not self._on_success:
            return Verdict(None, "")
        policy = self._policy
        if policy["Attempts"] == 0:
            # Said first, also of what could never be started.
            return Verdict(None, "Policy allows no restarts")
        if not recoverable:
            return Verdict(None, "Error was unrecoverable")
        if self._count == 0 or now - self._since > policy["Interval"]:
            self._count, self._since = 0, now
        self._count += 1
        if self._count <= policy["Attempts"]:
            return Verdict(self._jittered(policy["Delay"]), _WITHIN)
        if policy["Mode"] == "fail":
            exceeded = f"Exceeded allowed attempts {policy['Attempts']} in interval {duration(policy['Interval'])}"
            return Verdict(None, f'{exceeded} and mode is "fail"')
        return Verdict(self._jittered(max(self._since + policy["Interval"] - now, 0)), _EXCEEDED)

    def _jittered(self, delay: int) -> int:
        return delay + int(delay * 0.25 * self._random())
