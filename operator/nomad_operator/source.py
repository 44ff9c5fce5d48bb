"""The revision in force: follows git, reads what it asks for, and keeps the last good answer while git cannot be read.

It implements `reconcilers.ports.DesiredView`. A failed poll changes nothing but `problem`: what was desired stays
desired, and nothing is withdrawn by silence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from desired import spans
from desired.app import AppKey
from desired.catalog import Catalog
from desired.code_place import CodePlace
from desired.errors import OperatorError
from desired.file_tree import FileTree, Poll
from desired.spans import Traces, Untraced
from desired.state import DesiredApp, DesiredState
from reconcilers.records import Records


class Repository(Protocol):
    """What is followed: a git source, or a plain folder."""

    @property
    def revision(self) -> str | None: ...

    @property
    def shown_url(self) -> str: ...

    async def poll(self) -> Poll: ...

    async def tree(self, revision: str) -> FileTree: ...

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]: ...

    async def folders(self, revision: str, paths: Collection[str]) -> Mapping[str, str]: ...

    async def folder(self, revision: str, path: str) -> FileTree: ...


class CodeNews(Protocol):
    """Whether more is known of the code of apps than there was. `version` grows with it."""

    @property
    def version(self) -> int: ...

    def problem(self, place: CodePlace) -> OperatorError | None: ...


class Source:
    """Call `refresh` on every poll, webhook and request; calls must not overlap. `codes` are those of the catalog."""

    def __init__(
        self,
        *,
        repository: Repository,
        catalog: Catalog,
        records: Records,
        codes: CodeNews | None = None,
        traces: Traces | None = None,
    ) -> None:
        self._traces = traces or Untraced()
        self._repository = repository
        self._catalog = catalog
        self._records = records
        self._codes = codes
        self._codes_read = 0
        self.state: DesiredState | None = None
        self.problem: OperatorError | None = None
        self.notice = ""

    async def refresh(self) -> bool:
        """Look once; True if what is desired changed. Never raises for what git or a file does: see `problem`.

        A problem is told with what is in force all the same: alone it would be taken for all there is.
        """
        with self._traces.begun("git", session="git", asked=None) as told:
            changed = await self._refresh()
            if changed and self.state is not None:
                told.answered({"revision": self.state.revision, "apps": len(self.state.apps)})
                spans.acts("git")
            return changed

    async def _refresh(self) -> bool:
        problem: OperatorError | None = None
        try:
            self.notice = (await self._repository.poll()).notice
        except OperatorError as error:
            problem = error
        revision = self._repository.revision
        if revision is None or (self.state is not None and self._in_force(revision)):
            self.problem = problem
            return False
        codes_read = self._codes.version if self._codes else 0
        try:
            tree = await self._repository.tree(revision)
            state = await self._catalog.read(tree, self._repository, self._known())
        except OperatorError as error:
            self.problem = error
            return False
        changed = state != self.state
        self.state, self.problem = state, problem
        self._codes_read = codes_read
        return changed

    def app(self, key: AppKey) -> DesiredApp | None:
        """What is asked for now; None where that is nothing, or not clear."""
        return None if self.state is None else self.state.apps.get(key)

    def out_of_reach(self) -> dict[AppKey, OperatorError]:
        """Apps whose code is in a repository that could not be looked at last: it counts as it was found before."""
        if self._codes is None or self.state is None:
            return {}
        apps = ((key, app.code) for key, app in self.state.apps.items())
        return {key: error for key, code in apps if code is not None and (error := self._codes.problem(code))}

    def _in_force(self, revision: str) -> bool:
        """Files that only the server's parser held up are read again, also at the same revision."""
        assert self.state is not None
        if self._codes is not None and self._codes.version != self._codes_read:
            return False
        return self.state.revision == revision and not any(file.transient for file in self.state.unreadable)

    def _known(self) -> dict[tuple[str, str], AppKey]:
        return {(one.path, one.applied.source_hash): one.key for one in self._records if one.applied is not None}
