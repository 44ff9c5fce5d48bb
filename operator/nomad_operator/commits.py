"""How long it takes from a commit to a registered and to a healthy job. Measured, not decided upon."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from desired.app import AppKey
from desired.reasons import Reason
from reconcilers.decision import Step, Truth
from reconcilers.reports import Transition

# Told after the write. A verification that is seen first was registered by another run of the daemon.
_REGISTERED = frozenset({Step.REGISTERING, Step.RESUMING, Step.VERIFYING, Step.SOAKING, Step.VERIFIED})


class CommitMetrics(Protocol):
    """Where the times go, in seconds."""

    def registered(self, seconds: float) -> None: ...

    def healthy(self, seconds: float) -> None: ...


class CommitTimes:
    """Follows the apps that a commit moved until they are healthy, or moved again."""

    def __init__(self, *, metrics: CommitMetrics, now: Callable[[], datetime]) -> None:
        self._metrics = metrics
        self._now = now
        self._moved: dict[AppKey, datetime] = {}
        self._registered: set[AppKey] = set()

    def moved(self, keys: Iterable[AppKey], committed_at: datetime | None) -> None:
        """A revision moved these apps. `committed_at` None: its time is not known, so it counts from now."""
        for key in keys:
            self._moved[key] = committed_at or self._now()
            self._registered.discard(key)

    def transition(self, transition: Transition) -> None:
        """A listener of `reconcilers.reports.Reports`."""
        key = transition.key
        since = self._moved.get(key)
        if since is None:
            return
        seconds = max(0.0, (transition.at - since).total_seconds())
        written = transition.step in _REGISTERED and transition.reason != Reason.OBSERVE_ONLY
        if written and key not in self._registered:
            self._registered.add(key)
            self._metrics.registered(seconds)
        if transition.ready is Truth.TRUE:
            if key in self._registered:
                self._metrics.healthy(seconds)
            del self._moved[key]
            self._registered.discard(key)
