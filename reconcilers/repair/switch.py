"""The kill switch of all repairs: it freezes. Kept in the store, so that a restart does not start them again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from desired.errors import Conflict
from reconcilers.store import Store

_NAME = "repairs"


class Switch:
    """`stopped` is read at every pass. The setting stops them whatever the store says."""

    def __init__(self, *, store: Store, stopped_by_setting: bool) -> None:
        self._store = store
        self._by_setting = stopped_by_setting
        self._stopped_at = ""
        self._listeners: list[Callable[[bool], None]] = []

    def listen(self, listener: Callable[[bool], None]) -> None:
        """Told whether repairs are stopped, each time that somebody turns the switch; must not block or raise."""
        self._listeners.append(listener)

    @property
    def stopped(self) -> bool:
        return self._by_setting or bool(self._stopped_at)

    @property
    def by_setting(self) -> bool:
        """Only another setting starts them again."""
        return self._by_setting

    async def load(self) -> None:
        """Before the first pass."""
        stored = await self._store.get(_NAME)
        self._stopped_at = str(stored.document.get("stopped_at") or "") if stored else ""

    async def stop(self, now: datetime) -> None:
        """Durable when it returns. In memory first: what cannot be written still stops this process."""
        before, self._stopped_at = self._stopped_at, self._stopped_at or now.isoformat()
        await self._write()
        self._turned(before)

    async def start(self) -> None:
        """Durable when it returns; what cannot be written stays stopped."""
        before, self._stopped_at = self._stopped_at, ""
        try:
            await self._write()
        except BaseException:
            self._stopped_at = before
            raise
        self._turned(before)

    def _turned(self, before: str) -> None:
        if bool(before) is not bool(self._stopped_at):
            for listener in self._listeners:
                listener(bool(self._stopped_at))

    async def _write(self) -> None:
        document = {"version": 1, "stopped_at": self._stopped_at}
        stored = await self._store.get(_NAME)
        try:
            await self._store.put(_NAME, document, expected=stored.revision if stored else 0)
        except Conflict:
            stored = await self._store.get(_NAME)
            await self._store.put(_NAME, document, expected=stored.revision if stored else 0)
