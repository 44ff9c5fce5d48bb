"""Writes into the memory which apps of code run healthy, beside the passes: nothing waits for it.

Only of the version that stayed healthy for the soak time, and only what its manifest and its code said of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from desired.app import AppKey
from desired.errors import OperatorError
from desired.operations.operation import Kind
from desired.state import DesiredApp
from reconcilers.generate.lived import Lived, Said, about, said_by
from reconcilers.record import Record
from reconcilers.repair.learned import Where

_AGAIN_SECONDS = 60.0
_MOST_WAITING = 1000
_REPAIRED = {Kind.MEMORY: "resources.memory", Kind.CPU: "resources.cpu", Kind.MEMORY_MAX: "resources.memoryMax"}


class AppMemory(Protocol):
    """Where apps are remembered; each call raises OperatorError where that cannot be done now."""

    async def where(self) -> Where: ...

    async def remember_app(self, one: Lived) -> None: ...


class RememberingApps:
    """`desired` is what git asks for now. `sleep` is in seconds. Whoever owns the memory tells that it is away."""

    def __init__(
        self,
        *,
        memory: AppMemory,
        desired: Callable[[AppKey], DesiredApp | None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._memory = memory
        self._desired = desired
        self._sleep = sleep
        self._woken = asyncio.Event()
        self._waiting: dict[AppKey, tuple[DesiredApp, Record]] = {}

    def saved(self, before: Record, after: Record) -> None:
        """A listener of the records."""
        if after.last_good is None or after.last_good == before.last_good:
            return
        app = self._desired(after.key)
        if app is None or app.facts is None or after.applied is None or after.applied.source_hash != app.source_hash:
            return
        self._waiting.pop(after.key, None)
        self._waiting[after.key] = (app, after)
        while len(self._waiting) > _MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._woken.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self.write()
            except OperatorError:
                await self._sleep(_AGAIN_SECONDS)
                self._woken.set()

    async def write(self) -> None:
        """Everything that waits. Raises OperatorError; what is left waits on."""
        while self._waiting:
            key = next(iter(self._waiting))
            waiting = self._waiting[key]
            await self._memory.remember_app(_lived(*waiting, await self._memory.where()))
            if self._waiting.get(key) is waiting:
                del self._waiting[key]


def _lived(app: DesiredApp, record: Record, where: Where) -> Lived:
    assert record.last_good is not None and app.facts is not None
    kind = next((str(value.data) for value in app.values if value.at == ("type",)), "service")
    said = {**said_by(app.values, app.key.name), **_repaired(record)}
    at = record.last_good.verified_at
    return Lived(str(app.key), where.cluster, about(app.facts, kind), MappingProxyType(said), at, where.version)


def _repaired(record: Record) -> Mapping[str, Said]:
    """What a repair has found that it needs; of several tasks nobody knows whose it is."""
    tasks = {kept.operation.at for kept in record.overlay if kept.operation.kind in _REPAIRED}
    if len({at[:2] for at in tasks}) > 1:
        return {}
    return {
        _REPAIRED[kept.operation.kind]: Said(str(kept.operation.new), "repair")
        for kept in record.overlay
        if kept.operation.kind in _REPAIRED and isinstance(kept.operation.new, int)
    }
