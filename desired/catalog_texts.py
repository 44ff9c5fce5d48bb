"""The contents that one read of the catalog needs: fetched together, decoded when asked for."""

from __future__ import annotations

from collections.abc import Iterable

from desired.errors import InvalidDesired
from desired.file_tree import FileSource, FileTree
from desired.job_file import decoded
from desired.problem import Problem


class Texts:
    """Lives as long as one read: no content is kept."""

    def __init__(self, tree: FileTree, source: FileSource) -> None:
        self._tree = tree
        self._source = source
        self._contents: dict[str, bytes] = {}
        self._refused: dict[str, Problem] = {}
        for problem in tree.refused:
            self._refused.setdefault(problem.path, problem)

    def has(self, path: str) -> bool:
        """Is there such a file, readable or refused?"""
        return path in self._tree.files or path in self._refused

    def refused(self, path: str) -> Problem | None:
        """Why the tree does not hold a file that is there."""
        return None if path in self._tree.files else self._refused.get(path)

    def blob(self, path: str) -> str:
        """What the content is known by: equal while nothing changed, also for a file that is refused or missing."""
        entry = self._tree.files.get(path)
        return entry.blob if entry is not None else f"refused: {self._refused.get(path)}"

    async def fetch(self, paths: Iterable[str]) -> None:
        """Paths that the tree does not hold are left out."""
        blobs = {self._tree.files[path].blob for path in paths if path in self._tree.files}
        if missing := blobs - self._contents.keys():
            self._contents.update(await self._source.contents(missing))

    def data(self, path: str) -> bytes:
        """The bytes of a fetched file; InvalidDesired says why if the tree refused it."""
        if problem := self.refused(path):
            raise InvalidDesired((problem,))
        return self._contents[self._tree.files[path].blob]

    def of(self, path: str) -> str:
        """The text of a fetched file; InvalidDesired if it is none."""
        return decoded(self.data(path), path)
