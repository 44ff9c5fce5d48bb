"""Stops asking an endpoint that failed again and again, and tries it with one question at a time until it answers.

Who watches is told when it opens and when it closes, and nothing in between. `clock` is monotonic, in seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from desired.errors import OperatorError, Unavailable

# What was last wrong with the endpoint, or None: it answers again.
Watcher = Callable[[OperatorError | None], None]


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """It opens after so many failures in a row; a trial that fails doubles the time to the next one, up to a bound."""

    failures: int = 3
    cool: timedelta = timedelta(seconds=30)
    cool_at_most: timedelta = timedelta(minutes=5)


class Breaker:
    """Closed, open, or open with a trial under way."""

    def __init__(
        self, *, clock: Callable[[], float], watcher: Watcher, settings: BreakerSettings | None = None
    ) -> None:
        self._settings = settings or BreakerSettings()
        self._clock = clock
        self._watcher = watcher
        self._failures = 0
        self._last = ""
        self._cool = self._settings.cool
        self._until: float | None = None  # None: closed
        self._trial: Call | None = None

    @property
    def open(self) -> bool:
        return self._until is not None

    def admit(self) -> Call:
        """Raises Unavailable while it is open, or while another question is the trial."""
        call = Call(self)
        if self._until is not None:
            left = self._until - self._clock()
            if left > 0 or self._trial is not None:
                when = f"in {max(1, round(left))} s" if left > 0 else "by another question just now"
                raise Unavailable(
                    f"the model is not asked: it failed {self._failures} times in a row, the last time so: "
                    f"{self._last}; it is tried again {when}",
                    hint="`nomad-operator doctor` asks it as well",
                )
            self._trial = call
        return call

    def worked(self, call: Call) -> None:
        if self._until is not None and call is not self._trial:
            # Asked before it opened: whether it answers now is for the trial to find out.
            return
        was_open = self.open
        self._failures, self._until, self._trial = 0, None, None
        self._cool = self._settings.cool
        if was_open:
            self._watcher(None)

    def failed(self, call: Call, error: OperatorError) -> None:
        if self._until is not None and call is not self._trial:
            return
        self._failures += 1
        self._last = error.message
        if self._until is not None:
            self._cool = min(self._cool * 2, self._settings.cool_at_most)
        elif self._failures < self._settings.failures:
            return
        was_open, self._trial = self.open, None
        self._until = self._clock() + self._cool.total_seconds()
        if not was_open:
            self._watcher(error)

    def let_go(self, call: Call) -> None:
        """Nothing was learned: the question was given up, or never reached the endpoint."""
        if call is self._trial:
            self._trial = None


class Call:
    """One question that was let through; the first word about it counts."""

    __slots__ = ("_breaker", "_told")

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        self._told = False

    def worked(self) -> None:
        if self._first():
            self._breaker.worked(self)

    def failed(self, error: OperatorError) -> None:
        if self._first():
            self._breaker.failed(self, error)

    def let_go(self) -> None:
        if self._first():
            self._breaker.let_go(self)

    def _first(self) -> bool:
        first, self._told = not self._told, True
        return first
