"""One thread for a library that stands no second one: what is asked of it runs there, in order, one after the other."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from desired.errors import DeadlineExceeded, Unavailable

T = TypeVar("T")


class OneThread:
    """Started by the first call. It keeps no process from ending: what hangs in it is left behind."""

    def __init__(self, *, name: str) -> None:
        self._name = name
        self._waiting: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False

    async def run(self, work: Callable[[], T], *, within: timedelta, doing: str) -> T:
        """What `work` returns or raises. DeadlineExceeded leaves it running: what comes next waits behind it."""
        if self._closed:
            raise Unavailable(f"cannot {doing}: it is closed")
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
            self._thread.start()
        answer: Future[T] = Future()
        self._waiting.put((answer, work))
        try:
            async with asyncio.timeout(within.total_seconds()):
                # What has not begun when nobody waits for it any more never begins.
                return await asyncio.wrap_future(answer)
        except TimeoutError:
            raise DeadlineExceeded(f"cannot {doing}: no answer in {within.total_seconds():g} s") from None

    async def close(self, last: Callable[[], None], *, within: timedelta) -> None:
        """Runs `last` behind everything else, and ends the thread. Never started, there is nothing to close."""
        if self._closed:
            return
        try:
            if self._thread is not None:
                with suppress(DeadlineExceeded):
                    await self.run(last, within=within, doing="close it")
        finally:
            self._closed = True
            self._waiting.put(None)

    def _loop(self) -> None:
        while (asked := self._waiting.get()) is not None:
            answer, work = asked
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                answer.set_result(work())
            except BaseException as error:  # it belongs to whoever asked, whatever it is
                answer.set_exception(error)
