"""The clock of the daemon: sets events at intervals; whoever waits for one does the work.

APScheduler only ticks here. Work never runs inside the scheduler, so nothing overlaps and a webhook can set the same
event without being lost.
"""

from __future__ import annotations

import asyncio

from apscheduler.schedulers.asyncio import AsyncIOScheduler


class Schedule:
    """Started and stopped with the daemon's loop."""

    def __init__(self) -> None:
        # A missed tick is not made up for: the next one does the same work.
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = AsyncIOScheduler(job_defaults=defaults, timezone="UTC")

    def every(self, seconds: float, event: asyncio.Event, *, jitter: float = 0.1) -> None:
        """Set `event` every so many seconds, spread by a share of the interval so that daemons do not march in step."""

        async def tick() -> None:
            event.set()

        self._scheduler.add_job(tick, "interval", seconds=seconds, jitter=seconds * jitter)

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
