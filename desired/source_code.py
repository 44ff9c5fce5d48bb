"""What the catalog is told of the code of its apps, and by whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from desired.code_place import CodeWish
from desired.facts.analyze import Analysis
from desired.file_tree import FileTree
from desired.problem import Problem


@dataclass(frozen=True, slots=True)
class Code:
    """What is known of one wish. `identity` is equal exactly while the code and what it says are.

    Exactly one of these: `analysis`; `pending`, it is being read; `problem`, why it cannot be (its path is that of the
    place; with `transient` that may pass by itself, and it is tried again).
    """

    identity: str
    analysis: Analysis | None = None
    pending: bool = False
    problem: Problem | None = None
    transient: bool = False


class Codes(Protocol):
    """Where code is read. Never raises for what a place holds, or because it is out of reach."""

    async def found(self, wishes: Collection[CodeWish], revision: str) -> Mapping[CodeWish, Code]:
        """Every wish with what is known now, at that revision of the manifests' own repository.

        What nobody wishes any more is forgotten. Returns soon; what takes longer is pending.
        """
        ...


class CodeFolders(Protocol):
    """A repository whose folders can be read at a revision, wherever in it the followed subfolder is."""

    async def folders(self, revision: str, paths: Collection[str]) -> Mapping[str, str]:
        """The id of each folder, equal for equal content; what is no folder is left out. "." is the repository."""
        ...

    async def folder(self, revision: str, path: str) -> FileTree:
        """Every file below a folder."""
        ...

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]:
        """The bytes of the asked blobs of such a folder."""
        ...
