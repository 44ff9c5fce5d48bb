"""All records, held in memory and written through to the store.

One process writes (it holds the store), so what is in memory is what is stored; the compare-and-set only catches a
second writer that should not be there. Documents are named `app:<namespace>/<name>`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from desired.app import AppKey
from desired.errors import Conflict
from reconcilers.record import Record
from reconcilers.record_json import from_document, to_document
from reconcilers.store import Store

_PREFIX = "app:"


class Records:
    """Read without waiting, written durably."""

    def __init__(self, *, store: Store, origin: str) -> None:
        self._store = store
        self.origin = origin
        self._records: dict[AppKey, tuple[Record, int]] = {}
        self._listeners: list[Callable[[Record, Record], None]] = []
        self.fresh = True

    def listen(self, listener: Callable[[Record, Record], None]) -> None:
        """Told the record before and after each durable change; must not block or raise."""
        self._listeners.append(listener)

    async def load(self) -> None:
        """Read every record; StateUnusable if one cannot be understood. `fresh` is True if there was none at all."""
        stored = await self._store.load()
        records = {
            AppKey.parse(name.removeprefix(_PREFIX)): (from_document(name, one.document), one.revision)
            for name, one in stored.items()
            if name.startswith(_PREFIX)
        }
        self._records = records
        self.fresh = not records

    def __iter__(self) -> Iterator[Record]:
        return iter([record for record, _ in self._records.values()])

    def __contains__(self, key: AppKey) -> bool:
        return key in self._records

    def get(self, key: AppKey) -> Record:
        """What is remembered; an empty record of this source if nothing is."""
        known = self._records.get(key)
        return known[0] if known else Record(key=key, origin=self.origin)

    async def save(self, record: Record, *, anew: bool = False) -> None:
        """Durable when this returns. Conflict means that another process writes the same store.

        What is stored already is written again only `anew`: it shows that the store can be written now.
        """
        known = self._records.get(record.key)
        if known is not None and known[0] == record and not anew:
            return
        name = f"{_PREFIX}{record.key}"
        try:
            revision = await self._store.put(name, to_document(record), expected=known[1] if known else 0)
        except Conflict:
            # A pass that was cut off while it wrote leaves memory behind the store: the next pass decides anew.
            await self._reread(record.key, name)
            raise
        self._records[record.key] = (record, revision)
        before = known[0] if known else Record(key=record.key, origin=record.origin)
        for listener in self._listeners:
            listener(before, record)

    async def _reread(self, key: AppKey, name: str) -> None:
        stored = await self._store.get(name)
        if stored is None:
            self._records.pop(key, None)
        else:
            self._records[key] = (from_document(name, stored.document), stored.revision)

    async def forget(self, key: AppKey) -> None:
        known = self._records.get(key)
        if known is not None:
            await self._store.delete(f"{_PREFIX}{key}", expected=known[1])
            del self._records[key]
