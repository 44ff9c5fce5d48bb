"""Does Nomad still say anything? One that hangs breaks no connection, and what was asked of it may take long honestly.

While nothing comes back, the least that can be asked is asked, on connections of its own, and once more. Any answer is
a sign of life, a refusal too; what it means is for the reads of the lists to tell. Silence counts where there was an
answer before: a gateway may let some paths through only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from desired.errors import DeadlineExceeded, OperatorError, Unavailable

# Between two looks, and how long nothing has to have been heard.
TICK_SECONDS = 5.0
_QUIET_SECONDS = 4.0


class Answering(Protocol):
    """As much of a Nomad client as is asked; its deadline is short."""

    async def leader(self) -> str: ...


class Pulse:
    """`silent` is told the error when nothing comes back; `look` asks for a read of the lists."""

    def __init__(
        self,
        *,
        nomad: Answering,
        silent: Callable[[OperatorError], None],
        look: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._nomad = nomad
        self._silent = silent
        self._look = look
        self._clock = clock
        self._heard = clock()
        self._answers = False
        self._told = False
        self.due = asyncio.Event()

    def heard(self) -> None:
        """Somebody had an answer; called from any thread."""
        self._heard = self._clock()

    async def run(self) -> None:
        """Without end, whenever `due` is set."""
        while True:
            await self.due.wait()
            self.due.clear()
            await self.feel()

    async def feel(self) -> None:
        """One look; at most two requests, none where something was heard just now and this was answered once."""
        silence = None
        if not self._answers or self._clock() - self._heard >= _QUIET_SECONDS:
            silence = await self._silence() and await self._silence()
        if silence is None:
            self._back()
        elif self._answers and not self._told:
            self._told = True
            self._silent(silence)
            # What hangs now is answered in the moment in which it goes on.
            self._look()

    async def _silence(self) -> OperatorError | None:
        """The error of no answer at all, to this or to anything else that was asked meanwhile."""
        asked = self._clock()
        try:
            await self._nomad.leader()
        except DeadlineExceeded as error:
            return error if self._heard <= asked else None
        except OperatorError as error:
            # Whoever asks for more finds out why.
            self._answers = self._answers or not isinstance(error, Unavailable)
        else:
            self._answers = True
        return None

    def _back(self) -> None:
        if self._told:
            self._told = False
            self._look()
