"""A store of notes without anything behind it, for tests of whoever remembers. Nothing is ever like anything in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from desired.errors import Unavailable
from prompts.memory.note import Note, Similar


class InMemory:
    """Notes without a store behind them. What is asked while it is `away` fails."""

    def __init__(self) -> None:
        self.notes: dict[str, Note] = {}
        self.away = False
        self.writes = 0

    async def put(self, note: Note) -> None:
        self._there()
        self.writes += self.notes.get(note.key) != note
        self.notes[note.key] = note

    async def where(self, fields: Mapping[str, str], *, limit: int | None = None) -> tuple[Note, ...]:
        self._there()
        return tuple(note for note in self.notes.values() if fields.items() <= {**note.fields, "key": note.key}.items())

    async def like(self, text: str, fields: Mapping[str, str], *, limit: int) -> tuple[Similar, ...]:
        return tuple(Similar(note, 0.0) for note in await self.where(fields))

    async def remove(self, keys: Iterable[str]) -> int:
        self._there()
        return sum(self.notes.pop(each, None) is not None for each in keys)

    async def aclose(self) -> None: ...

    def _there(self) -> None:
        if self.away:
            raise Unavailable("the memory is away")
