"""Repairs that are remembered: written when their end is known, recalled when a failure looks like theirs.

Memories of one cluster are never used in another. What the store cannot do now raises; whoever asks goes on without.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from desired.errors import OperatorError, Unavailable
from prompts.memory.note import Note, Similar
from reconcilers.generate.lived import FORM, Lived, alike
from reconcilers.generate.recalled_apps import AppsRecalled
from reconcilers.repair.learned import Where
from reconcilers.repair.preferences import decided, preferences
from reconcilers.repair.proposal import Case
from reconcilers.repair.recall import Recalled, recalled
from reconcilers.repair.recalled_words import in_words
from reconcilers.repair.remembered import Remembered
from reconcilers.repair.signature import signature

_ALIKE_AT_MOST = 20
# Of one signature, and of all: older ones are forgotten, so that a store never grows without end.
_MOST_OF_A_KIND = 60
_MOST = 5000
# In the place of a memory that people had forgotten.
_FORGOTTEN = "forgotten"


class Notes(Protocol):
    """A store of notes; see `prompts.memory`. Each call raises OperatorError where it cannot be used now."""

    async def put(self, note: Note) -> None:
        """Durable when this returns; in place of a note with the same key."""
        ...

    async def where(self, fields: Mapping[str, str], *, limit: int | None = None) -> tuple[Note, ...]:
        """Those with exactly these values, in no order; `key` is a field as well."""
        ...

    async def like(self, text: str, fields: Mapping[str, str], *, limit: int) -> tuple[Similar, ...]:
        """Of those, the ones whose text is most like this one."""
        ...

    async def remove(self, keys: Iterable[str]) -> int:
        """How many of them there were."""
        ...

    async def aclose(self) -> None: ...


class Experience:
    """Implements `memory_rung.Memory`, `model_rung.Recall` and `remembering_apps.AppMemory`. `where` tells the cluster,
    once that can be known."""

    def __init__(self, *, notes: Notes, where: Callable[[], Awaitable[Where]]) -> None:
        self._notes = notes
        self._where = where

    async def recall(self, case: Case) -> tuple[Recalled, ...]:
        """Every repair that is known of this failure, or of one like it, the best first; also those that failed."""
        cluster = (await self._where()).cluster
        asked = signature(case.diagnosis, case.evidence, case.body)
        same = await self._notes.where({"cluster": cluster, "signature": asked.exact})
        alike: tuple[Similar, ...] = ()
        with suppress(Unavailable):
            # Without an embedding there is still what is known of this very failure.
            of_its_class = {"cluster": cluster, "failure": case.diagnosis.failure.value}
            alike = await self._notes.like(asked.text, of_its_class, limit=_ALIKE_AT_MOST)
        found = [(Remembered.of(note), 1.0) for note in same]
        found += [(Remembered.of(one.note), one.similarity) for one in alike]
        known = [(one, similarity) for one, similarity in found if one is not None]
        return recalled(known, signature=asked.exact, app=str(case.key))

    async def recalled(self, case: Case) -> Sequence[str]:
        """The same in words, for the model; nothing where the memory cannot be asked now."""
        try:
            known = await self.recall(case)
        except OperatorError:
            return ()
        return [in_words(one) for one in known]

    async def remember(self, one: Remembered) -> None:
        """Durable when this returns; the same again changes nothing, and what people had forgotten stays so."""
        known = await self._notes.where({"key": one.key})
        if any(note.fields.get("form") == _FORGOTTEN for note in known):
            return
        await self._notes.put(one.note())
        same = await self._notes.where({"cluster": one.cluster, "signature": one.signature})
        await self._forget_oldest(same, _MOST_OF_A_KIND)

    async def remember_app(self, one: Lived) -> None:
        """Durable when this returns; in place of what was remembered of this app, but for what people had forgotten."""
        known = await self._notes.where({"key": one.key, "cluster": one.cluster})
        if not any(note.fields.get("form") == _FORGOTTEN for note in known):
            await self._notes.put(one.note())

    async def apps(self) -> tuple[Lived, ...]:
        """Those of this cluster that were seen healthy, the newest first."""
        notes = await self._notes.where({"cluster": (await self._where()).cluster, "form": FORM})
        known = [one for one in map(Lived.of, notes) if one is not None]
        return tuple(sorted(known, key=lambda one: (one.at, one.key), reverse=True))

    async def apps_like(self, words: frozenset[str], *, app: str) -> AppsRecalled:
        """What is known of apps like this one, and what people showed; nothing where the memory cannot be asked now."""
        try:
            known, repairs = await self.apps(), await self.all()
        except OperatorError:
            return AppsRecalled()
        return AppsRecalled(alike(words, known, app=app), preferences(map(decided, repairs)))

    async def tidy(self) -> None:
        """Forgets the oldest of all, where there are too many."""
        await self._forget_oldest(await self._notes.where({"cluster": (await self._where()).cluster}), _MOST)

    async def all(self) -> tuple[Remembered, ...]:
        """Of this cluster, the newest first."""
        notes = await self._notes.where({"cluster": (await self._where()).cluster})
        known = [one for one in map(Remembered.of, notes) if one is not None]
        return tuple(sorted(known, key=lambda one: (one.at, one.key), reverse=True))

    async def forget(self, keys: Iterable[str]) -> int:
        """How many of them there were. Only that they were there stays, or the records would bring them back."""
        forgotten = 0
        for key in keys:
            for note in await self._notes.where({"key": key}):
                if note.fields.get("form") != _FORGOTTEN:
                    kept = {name: value for name, value in note.fields.items() if name in ("cluster", "at")}
                    await self._notes.put(Note(key, _FORGOTTEN, {**kept, "form": _FORGOTTEN}))
                    forgotten += 1
        return forgotten

    async def where(self) -> Where:
        return await self._where()

    async def aclose(self) -> None:
        await self._notes.aclose()

    async def _forget_oldest(self, notes: tuple[Note, ...], most: int) -> None:
        if len(notes) > most:
            oldest = sorted(notes, key=lambda note: (note.fields.get("at", ""), note.key))[: len(notes) - most]
            await self._notes.remove([note.key for note in oldest])
