"""A way of repairs back to git that asks, right before it pushes, whether this copy may still act."""

from __future__ import annotations

from dataclasses import replace

from desired.write_back import Change, WrittenChange
from observers.nomad.calls import Fence
from reconcilers.repair.writing import Writer


class FencedWriter:
    """Implements `reconcilers.repair.writing.Writer`. `fence` raises where nothing may be written any more."""

    def __init__(self, *, writer: Writer, fence: Fence) -> None:
        self._writer = writer
        self._fence = fence

    async def write(self, change: Change) -> WrittenChange | None:
        def stands() -> bool:
            self._fence()
            return change.stands()

        return await self._writer.write(replace(change, stands=stands))
