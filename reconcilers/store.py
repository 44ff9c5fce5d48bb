"""The store port: named JSON documents, each written by compare-and-set.

The reconcilers keep one document per app (its record) and a few of their own. An adapter knows nothing of what is in
them. Adapters: a SQLite file (single instance), Nomad's variables (many copies).
`tests/conformance/store` holds what each must do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    """A document and the revision it was read at. Revisions of one name only grow, also across a delete."""

    document: Document
    revision: int


class Store(Protocol):
    """Durable once a call has returned: a kill at any point leaves the old document or the new one, whole.

    Errors: Conflict (lost compare-and-set), StateUnavailable (disk full, locked, a remote store that is away),
    StateUnusable (corrupt, read-only, from a newer version, gone).
    """

    async def load(self) -> Mapping[str, Stored]:
        """Every document; complete or an error."""
        ...

    async def get(self, name: str) -> Stored | None:
        """One document as it is now; None if there is none."""
        ...

    async def put(self, name: str, document: Document, *, expected: int) -> int:
        """Write if the stored revision is `expected` (0: there is none yet); the new revision."""
        ...

    async def delete(self, name: str, *, expected: int) -> None:
        """Delete if the stored revision is `expected`. Deleting what is not there is no error."""
        ...

    async def close(self) -> None:
        """Release what is held; the store is not used afterwards."""
        ...
