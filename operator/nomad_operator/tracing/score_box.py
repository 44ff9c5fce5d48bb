"""Scores that wait to be sent: bounded, sent by one task beside the work. Where Langfuse is away they are tried a few
times, and then lost."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from desired.errors import OperatorError, TransientError

_MOST = 1000
_AT_ONCE = 100
_TRIES = 3
_PAUSE_SECONDS = 5.0


class Scores(Protocol):
    """As much of Langfuse as is needed."""

    async def score(self, scores: Sequence[Mapping[str, Any]]) -> None: ...


class ScoreBox:
    """Of one event loop."""

    def __init__(self, *, to: Scores, pause_seconds: float = _PAUSE_SECONDS) -> None:
        self._to = to
        self._pause = pause_seconds
        self._waiting: deque[Mapping[str, Any]] = deque(maxlen=_MOST)
        self._task: asyncio.Task[None] | None = None

    def put(self, score: Mapping[str, Any]) -> None:
        """Returns at once; the oldest gives way."""
        self._waiting.append(score)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._send_all())

    async def aclose(self, within: float) -> None:
        """Sends what waits, for so many seconds at most."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=within)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _send_all(self) -> None:
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
            for number in range(1, _TRIES + 1):
                try:
                    await self._to.score(taken)
                    break
                except TransientError:
                    # That Langfuse is away is told by those who fetch prompts and send traces.
                    if number < _TRIES:
                        await asyncio.sleep(self._pause * number)
                except OperatorError:
                    break
