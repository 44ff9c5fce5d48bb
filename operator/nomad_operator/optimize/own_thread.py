"""A model that is asked from wherever: its connections live in one event loop of their own, in one thread.

A rehearsal runs each pass in a loop that is gone afterwards; connections are not.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from prompts.model.question import Model, Question, Reply


class OwnThread:
    """Implements `Model`. `closed` is awaited in the loop at the end."""

    def __init__(self, *, model: Model, closed: Callable[[], Awaitable[None]]) -> None:
        self._model = model
        self._closed = closed
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="model", daemon=True)
        self._thread.start()

    async def ask(self, question: Question) -> Reply:
        """Cancelling it cancels the question."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._model.ask(question), self._loop))

    def close(self) -> None:
        async def end() -> None:
            await self._closed()
            others: list[asyncio.Task[Any]] = [
                one for one in asyncio.all_tasks() if one is not asyncio.current_task()
            ]  # fmt: skip
            for one in others:
                one.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
