"""A codebase inside a tree of files that was read already, such as a revision of git: a subfolder of it."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping
from functools import cached_property

from desired.facts.hidden_paths import hidden
from desired.file_text import text_of


class TreeCodebase:
    """`contents` are the files' bytes by whole path; `root` is the codebase's folder among them, "" for all.

    `unread` are files that are there and have no text for anybody: too large, or not to be read. What git does not hold
    is ignored already; folders of tools are hidden here as everywhere.
    """

    def __init__(
        self, *, name: str, contents: Mapping[str, bytes], root: str = "", unread: Collection[str] = ()
    ) -> None:
        self.name = name
        self._contents = contents
        self._unread = unread
        self._root = root.strip("/")

    @cached_property
    def paths(self) -> tuple[str, ...]:
        below = f"{self._root}/" if self._root else ""
        return tuple(sorted(
            path[len(below):]
            for path in {*self._contents, *self._unread}
            if path.startswith(below) and not hidden(path[len(below):])
        ))  # fmt: skip

    @cached_property
    def _shown(self) -> frozenset[str]:
        return frozenset(self.paths)

    def text(self, path: str) -> str | None:
        if path not in self._shown:
            return None
        data = self._contents.get(posixpath.join(self._root, path) if self._root else path)
        return None if data is None else text_of(data)
