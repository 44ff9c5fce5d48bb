"""The revision in force: follows git, reads what it asks for, and keeps the last good answer while git cannot be read.

It implements `reconcilers.ports.DesiredView`. A failed poll changes nothing but `problem`: what was desired stays
desired, and nothing is withdrawn by silence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from desired.app import AppKey
from desired.catalog import Catalog
from desired.errors import OperatorError
from desired.file_tree import FileTree, Poll
from desired.state import DesiredState
from reconcilers.records import Records


class Repository(Protocol):
    """What is followed: a git source, or a plain folder."""

    @property
    def revision(self) -> str | None: ...

    async def poll(self) -> Poll: ...

    async def tree(self, revision: str) -> FileTree: ...

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]: ...


class Source:
    """Call `refresh` on every poll, webhook and request; calls must not overlap."""

    def __init__(self, *, repository: Repository, catalog: Catalog, records: Records) -> None:
        self._repository = repository
        self._catalog = catalog
        self._records = records
        self.state: DesiredState | None = None
        self.problem: OperatorError | None = None
        self.notice = ""

    async def refresh(self) -> bool:
        """Look once; True if what is desired changed. Never raises for what git or a file does: see `problem`."""
        try:
            self.notice = (await self._repository.poll()).notice
            self.problem = None
        except OperatorError as error:
            self.problem = error
        revision = self._repository.revision
        if revision is None or (self.state is not None and self._in_force(revision)):
            return False
        try:
            tree = await self._repository.tree(revision)
            state = await self._catalog.read(tree, self._repository, self._known())
        except OperatorError as error:
            self.problem = error
            return False
        changed = state != self.state
        self.state = state
        return changed

    def _in_force(self, revision: str) -> bool:
        """Files that only the server's parser held up are read again, also at the same revision."""
        assert self.state is not None
        return self.state.revision == revision and not any(file.transient for file in self.state.unreadable)

    def _known(self) -> dict[tuple[str, str], AppKey]:
        return {(one.path, one.applied.source_hash): one.key for one in self._records if one.applied is not None}
