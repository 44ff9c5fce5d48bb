"""The files that one revision holds, as values, and what the catalog reads them through.

`GitSource` and `WorkTree` both are a `FileSource`; who reads from one need not know which. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from desired.problem import Problem


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One regular file. `path` is relative to the subfolder; `blob` names the content: equal ids, equal bytes."""

    path: str
    blob: str
    size: int


@dataclass(frozen=True, slots=True)
class FileTree:
    """Every file below the subfolder at one revision: complete, or it was never returned.

    `files` is sorted by path. A link to a file inside is an entry of its own with the blob it leads to. `refused`
    names, sorted, what is there but is not read (too large, a link that leaves, a submodule, an LFS pointer, a name
    that cannot be shown): an app may hide in any of these whose name could be an app's, so that such a file is
    unreadable, not absent.
    """

    revision: str
    files: Mapping[str, FileEntry]
    refused: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class TreeLimits:
    """What is read at most. A larger file is refused by name; more files or bytes at once refuse the whole tree."""

    max_file_bytes: int = 1024 * 1024
    max_files: int = 100_000
    max_total_bytes: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Poll:
    """What a look at the source found: the revision now in force, and whether it is another one than before.

    `notice` tells people of something that was put right on the way (a damaged cache fetched anew), "" mostly.
    """

    revision: str
    changed: bool
    notice: str = ""


class FileSource(Protocol):
    """Where desired files come from. Errors are those of `desired.errors`; a partial answer is never returned."""

    async def tree(self, revision: str) -> FileTree:
        """All files of a revision that the source holds."""
        ...

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]:
        """The bytes of exactly the asked blobs, which must come from a tree of this source."""
        ...
