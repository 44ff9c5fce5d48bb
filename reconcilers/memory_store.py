"""A store that lives as long as the process: for a dry run over what a real store holds, and for trying things out."""

from __future__ import annotations

from collections.abc import Mapping

from desired.errors import Conflict
from reconcilers.store import Document, Stored


class MemoryStore:
    """Starts with `documents`; what is written is gone with the process."""

    def __init__(self, documents: Mapping[str, Stored] | None = None) -> None:
        self._documents = dict(documents or {})
        self._revisions = {name: stored.revision for name, stored in self._documents.items()}

    async def load(self) -> Mapping[str, Stored]:
        return dict(self._documents)

    async def get(self, name: str) -> Stored | None:
        return self._documents.get(name)

    async def put(self, name: str, document: Document, *, expected: int) -> int:
        self._check(name, expected)
        revision = self._revisions.get(name, 0) + 1
        self._documents[name] = Stored(document, revision)
        self._revisions[name] = revision
        return revision

    async def delete(self, name: str, *, expected: int) -> None:
        if name in self._documents:
            self._check(name, expected)
            del self._documents[name]
            self._revisions[name] += 1

    async def close(self) -> None:
        return

    def _check(self, name: str, expected: int) -> None:
        stored = self._documents.get(name)
        current = stored.revision if stored else 0
        if current != expected:
            raise Conflict(
                f"writing {name} expected revision {expected}, and it is at {current}",
                hint="somebody else wrote it; it is read and decided again",
            )
