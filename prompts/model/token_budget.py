"""How many tokens may be spent, in an hour and for one purse (mostly an episode).

They are reserved before a call and corrected after it. What was reserved and never corrected counts as spent: a call
that broke may have cost all it could. Nothing here is kept over a restart. `clock` is monotonic, in seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import timedelta

from desired.errors import RateLimited

_HOUR = 3600.0
# Longer than any episode asks.
_PURSE = 24 * _HOUR


class OutOfTokens(RateLimited):
    """The budget does not reach for the question; `retry_after` is None where waiting would not help."""


class Reservation:
    """Tokens that are set aside for one call. Without a word they stay spent."""

    __slots__ = ("at", "tokens")

    def __init__(self, *, at: float, tokens: int) -> None:
        self.at = at
        self.tokens = tokens

    def settle(self, tokens: int) -> None:
        """It cost this, more or less than was set aside."""
        self.tokens = tokens

    def release(self) -> None:
        """Nothing was asked."""
        self.tokens = 0


class TokenBudget:
    """`per_hour` counts the last sixty minutes; `per_purse` a purse as long as it is used within a day."""

    def __init__(self, *, per_hour: int, per_purse: int, clock: Callable[[], float]) -> None:
        self._per_hour = per_hour
        self._per_purse = per_purse
        self._clock = clock
        self._hour: deque[Reservation] = deque()
        self._purses: dict[str, list[Reservation]] = {}

    @property
    def spent(self) -> int:
        """In the last hour, with what is reserved."""
        self._forget()
        return sum(one.tokens for one in self._hour)

    def reserve(self, tokens: int, *, purse: str = "") -> Reservation:
        """Raises OutOfTokens and sets nothing aside where either would be overdrawn. An empty purse has no bound."""
        now = self._clock()
        self._forget()
        in_purse = self._purses.get(purse, [])
        if purse and sum(one.tokens for one in in_purse) + tokens > self._per_purse:
            raise OutOfTokens(
                f"{tokens} tokens for the model are more than is left of the {self._per_purse} for {purse}",
                hint="a person must look at it, or raise NOMAD_OPERATOR_MODEL_TOKENS_PER_EPISODE",
            )
        if self.spent + tokens > self._per_hour:
            raise OutOfTokens(
                f"{tokens} tokens for the model are more than is left of the {self._per_hour} an hour",
                hint="wait, or raise NOMAD_OPERATOR_MODEL_TOKENS_PER_HOUR",
                retry_after=self._room_in(tokens, now),
            )
        reservation = Reservation(at=now, tokens=tokens)
        self._hour.append(reservation)
        if purse:
            self._purses.setdefault(purse, []).append(reservation)
        return reservation

    def _room_in(self, tokens: int, now: float) -> timedelta | None:
        if tokens > self._per_hour:
            return None
        left = self.spent
        for one in self._hour:
            left -= one.tokens
            if left + tokens <= self._per_hour:
                return timedelta(seconds=max(0.0, one.at + _HOUR - now))
        return None

    def _forget(self) -> None:
        now = self._clock()
        while self._hour and self._hour[0].at <= now - _HOUR:
            self._hour.popleft()
        for purse in [name for name, used in self._purses.items() if used[-1].at <= now - _PURSE]:
            del self._purses[purse]
