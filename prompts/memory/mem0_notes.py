"""Notes in Mem0 over Qdrant, in a folder or on a server. Opened by the first call; one thread, one call at a time.

Qdrant in a folder is used by one process, and stands no second thread. While the store cannot be used, calls fail at
once instead of each waiting for it, and it is tried again after a pause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from desired import spans
from desired.errors import OperatorError, Unavailable
from prompts.memory import mem0_library
from prompts.memory.endpoint_embedding import EmbeddingAway
from prompts.memory.mem0_library import Embedding
from prompts.memory.note import Note, Similar
from prompts.memory.one_thread import OneThread
from prompts.memory.place import Place

T = TypeVar("T")
# The first call imports and opens everything.
_OPEN_WITHIN = timedelta(seconds=60)
_WITHIN = timedelta(seconds=10)
_CLOSE_WITHIN = timedelta(seconds=5)
_AGAIN = timedelta(seconds=30)
# Mem0 wants to know whose a memory is; notes of every cluster are told apart by a field of theirs.
_OWNER = {"user_id": "nomad-operator"}
# Names that Mem0 keeps for itself in what it stores.
_FIELD = "f_"
# More than anything here is ever asked for: without a number Mem0 lists twenty.
_ALL = 10_000


class Mem0Notes:
    """Implements `reconcilers.repair.notes.Notes`. `clock` is monotonic, in seconds.

    `home` is a folder for what Mem0 writes for itself. `heard` is told of each call: a problem, or None for an answer.
    """

    def __init__(
        self,
        *,
        place: Place,
        home: Path,
        embedding: Embedding,
        clock: Callable[[], float],
        heard: Callable[[OperatorError | None], None] = lambda _problem: None,
    ) -> None:
        self._place = place
        self._home = home
        self._embedding = embedding
        self._clock = clock
        self._heard = heard
        self._thread = OneThread(name="memory")
        self._memory: Any = None
        self._down: OperatorError | None = None
        self._again = 0.0

    async def put(self, note: Note) -> None:
        """Stored when this returns, in place of one with the same key. Unchanged, nothing is written."""

        def work() -> None:
            metadata = {**{_FIELD + name: value for name, value in note.fields.items()}, _FIELD + "key": note.key}
            known = self._where({"key": note.key}, 2)
            # An update takes no field away, and a kill between two writes may have left two.
            keep = known[:1] if known and _names(known[0]) <= note.fields.keys() else []
            for gone in known[len(keep) :]:
                self._memory.delete(gone["id"])
            if not keep:
                self._memory.add(note.text, metadata=metadata, infer=False, **_OWNER)
            elif _note(keep[0]) != note:
                self._memory.update(keep[0]["id"], text=note.text, metadata=metadata)

        await self._ask("remember", work)

    async def where(self, fields: Mapping[str, str], *, limit: int | None = None) -> tuple[Note, ...]:
        """All whose fields are these, in no order; `key` is one of them."""
        found = await self._ask("recall", lambda: self._where(fields, limit or _ALL))
        return _notes(found)

    async def like(self, text: str, fields: Mapping[str, str], *, limit: int) -> tuple[Similar, ...]:
        """Of those whose fields are these, the ones whose text is most like this one, the most alike first."""

        def work() -> list[dict[str, Any]]:
            filters = _filters(fields)
            answer = self._memory.search(text.strip() or "-", filters=filters, top_k=limit, threshold=0.0)
            return list(answer["results"])

        found = [(one, _note(one)) for one in await self._ask("recall", work)]
        return tuple(Similar(note, max(0.0, min(1.0, float(one["score"])))) for one, note in found if note is not None)

    async def remove(self, keys: Iterable[str]) -> int:
        """How many there were of them."""
        wanted = tuple(keys)

        def work() -> int:
            known = [one for key in wanted for one in self._where({"key": key}, 10)]
            for one in known:
                self._memory.delete(one["id"])
            return len(known)

        return await self._ask("forget", work)

    async def aclose(self) -> None:
        """Lets another process open it. May be repeated."""

        def last() -> None:
            memory, self._memory = self._memory, None
            if memory is not None:
                mem0_library.closed(memory)

        await self._thread.close(last, within=_CLOSE_WITHIN)

    def _where(self, fields: Mapping[str, str], limit: int) -> list[dict[str, Any]]:
        return list(self._memory.get_all(filters=_filters(fields), top_k=limit)["results"])

    async def _ask(self, doing: str, work: Callable[[], T]) -> T:
        if self._down is not None and self._clock() < self._again:
            raise Unavailable(self._down.message, hint=self._down.hint)
        within = _WITHIN if self._memory is not None else _OPEN_WITHIN
        try:
            with spans.call("memory", doing) as told:
                answer = await self._thread.run(lambda: self._in_thread(doing, work), within=within, doing=doing)
                told.answered(spans.outline(answer, deeper=0))
        except EmbeddingAway:
            # What is read by its fields needs none.
            raise
        except OperatorError as error:
            self._down, self._again = error, self._clock() + _AGAIN.total_seconds()
            self._heard(error)
            raise
        self._down = None
        self._heard(None)
        return answer

    def _in_thread(self, doing: str, work: Callable[[], T]) -> T:
        if self._memory is None:
            self._memory = mem0_library.opened(self._place, home=self._home, embedding=self._embedding)
        try:
            return work()
        except mem0_library.failures() as error:
            raise mem0_library.broken(doing, self._place, error) from error


def _filters(fields: Mapping[str, str]) -> dict[str, Any]:
    return {**_OWNER, **{_FIELD + name: value for name, value in fields.items()}}


def _notes(found: Iterable[dict[str, Any]]) -> tuple[Note, ...]:
    return tuple(note for note in map(_note, found) if note is not None)


def _names(found: Mapping[str, Any]) -> set[str]:
    note = _note(found)
    return set(note.fields) if note is not None else set()


def _note(found: Mapping[str, Any]) -> Note | None:
    """None for what somebody else put there: a server may be shared."""
    fields = {
        name.removeprefix(_FIELD): value
        for name, value in (found.get("metadata") or {}).items()
        if name.startswith(_FIELD) and isinstance(value, str)
    }
    key = fields.pop("key", "")
    return Note(key, str(found.get("memory") or ""), fields) if key else None
