"""A look at the services beside Nomad and git, for whoever wants to see them: the last one, and one a minute at most.

Asking for it never waits, and begins another look where the last one is old: nobody looks, nobody is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from nomad_operator.doctor import Finding

EVERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Look:
    """`at` is None before the first one has ended; `under_way` while another is."""

    at: datetime | None
    findings: Sequence[Finding]
    under_way: bool


class ServiceLook:
    """`ask` takes no longer than its own limit and raises nothing; `clock` is monotonic, in seconds."""

    def __init__(
        self,
        *,
        ask: Callable[[], Awaitable[Sequence[Finding]]],
        now: Callable[[], datetime],
        clock: Callable[[], float],
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._ask = ask
        self._now = now
        self._clock = clock
        self._every = every_seconds
        self._at: datetime | None = None
        self._findings: Sequence[Finding] = ()
        self._next = clock()
        self._asking: asyncio.Task[None] | None = None

    def look(self) -> Look:
        """Must be called inside the loop."""
        if self._asking is None and self._clock() >= self._next:
            self._asking = asyncio.create_task(self._ask_once(), name="service look")
        return Look(self._at, self._findings, self._asking is not None)

    async def aclose(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    async def _ask_once(self) -> None:
        try:
            self._findings = await self._ask()
            self._at = self._now()
        finally:
            # From its end: what answers slowly is not asked all the time.
            self._next = self._clock() + self._every
            self._asking = None
