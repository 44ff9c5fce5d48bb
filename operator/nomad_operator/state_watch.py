"""Can the state be written? Whatever fails for it is one outage: told once, shown, looked at until it is over.

A store around the store: what is read and written passes through. Only a trial decides that it is over, with room for a
record: on a disk that is nearly full, one small write goes through and the next does not.
"""

from __future__ import annotations

from asyncio import Event
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from desired.errors import Forbidden, OperatorError, StateUnavailable, StateUnusable
from nomad_operator.log import Outages
from nomad_operator.metrics import Metrics
from reconcilers.store import Document, Store, Stored

_T = TypeVar("_T")
_TRY_AGAIN_SECONDS = 5.0
# Not an app's record: those are named `app:…`.
_TRIAL = "trial"
_ROOM = 65536


class StateWatch:
    """Implements `reconcilers.store.Store`. `back` is called when it can be written again."""

    def __init__(
        self,
        *,
        store: Store,
        outages: Outages,
        metrics: Metrics,
        back: Callable[[], None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._store = store
        self._outages = outages
        self._metrics = metrics
        self._back = back
        self._sleep = sleep
        self._failed = Event()
        self.problem: OperatorError | None = None

    def explains(self, error: Exception) -> bool:
        """A pass failed: is it because of the state, as has been told already?"""
        return self.problem is not None and isinstance(error, StateUnavailable | StateUnusable | type(self.problem))

    async def run(self) -> None:
        """As long as it is not cancelled: once a write has failed, try until one does not."""
        while True:
            await self._failed.wait()
            await self._sleep(_TRY_AGAIN_SECONDS)
            if await self._writable():
                self._failed.clear()
                self._told(None)
                self._back()

    async def _writable(self) -> bool:
        try:
            found = await self._store.get(_TRIAL)
            revision = await self._store.put(_TRIAL, {"room": "x" * _ROOM}, expected=found.revision if found else 0)
            await self._store.delete(_TRIAL, expected=revision)
        except OperatorError as error:
            self._told(error)
            return False
        return True

    def _told(self, problem: OperatorError | None) -> None:
        self.problem = problem
        self._outages.report("state", problem.message if problem else None, hint=problem.hint if problem else "")
        self._metrics.dependency_up("state", up=problem is None)

    async def load(self) -> Mapping[str, Stored]:
        # Read once, at the start: what it raises ends the process, with a line of its own.
        return await self._store.load()

    async def get(self, name: str) -> Stored | None:
        return await self._heard(self._store.get(name))

    async def put(self, name: str, document: Document, *, expected: int) -> int:
        return await self._heard(self._store.put(name, document, expected=expected))

    async def delete(self, name: str, *, expected: int) -> None:
        await self._heard(self._store.delete(name, expected=expected))

    async def close(self) -> None:
        await self._store.close()

    async def _heard(self, call: Awaitable[_T]) -> _T:
        try:
            return await call
        except (StateUnavailable, StateUnusable, Forbidden) as error:
            self._told(error)
            self._failed.set()
            raise
