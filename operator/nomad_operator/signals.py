"""What tells the daemon to stop, from outside: SIGTERM, and SIGINT (Ctrl-C)."""

from __future__ import annotations

import asyncio
import signal
from types import TracebackType
from typing import Self

_STOP = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """A context within a running loop. The first one is heard; a second one ends the process as it does any other."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._heard = asyncio.Event()
        self.name = ""

    def __enter__(self) -> Self:
        for number in _STOP:
            self._loop.add_signal_handler(number, self._hear, number)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    async def wait(self) -> str:
        """The name of the one that came."""
        await self._heard.wait()
        return self.name

    def _hear(self, number: signal.Signals) -> None:
        self.name = number.name
        self._heard.set()
        self._leave()

    def _leave(self) -> None:
        for number in _STOP:
            self._loop.remove_signal_handler(number)
