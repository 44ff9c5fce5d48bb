"""Makes a commit in a bare repository: one file of a revision exchanged, everything else as it is there.

New objects go to a folder of their own, which is gone when the writing is over: what is pushed comes back with the next
fetch, and what is not leaves nothing behind. The id of a commit depends on nothing but what it is made of: made twice,
it is the same commit.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from desired.errors import InvalidDesired, Unavailable
from desired.git_command import GitCommand
from desired.git_errors import scrubbed
from desired.problem import Problem

_PREFIX = "writing-"
# Source: git-ls-tree(1); the modes of regular files.
_FILES = frozenset({b"100644", b"100755", b"100664"})
_FOLDERS = frozenset({b"040000"})


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a commit, as git names people."""

    name: str = "nomad-operator"
    email: str = "nomad-operator@localhost"

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


@dataclass(frozen=True, slots=True)
class Made:
    """What git tells of a commit that somebody made."""

    author: str
    committer: str
    message: str


class GitCommits:
    """Builds commits in one repository. `folder` is where the folders for new objects are made."""

    def __init__(
        self, *, command: GitCommand, repository: Path, folder: Path, author: Author, timeout: timedelta
    ) -> None:
        self._command = command
        self._repository = repository
        self._folder = folder
        self._author = author
        self._timeout = timeout

    @property
    def repository(self) -> Path:
        """Where commits are built upon, and pushed from."""
        return self._repository

    @contextlib.contextmanager
    def apart(self) -> Iterator[tuple[tuple[str, str], ...]]:
        """The environment in which git writes objects beside the repository, until the end of the block."""
        for left in self._folder.glob(f"{_PREFIX}*"):
            # Whoever left it was killed: only one process writes.
            shutil.rmtree(left, ignore_errors=True)
        made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._folder))
        known = str(self._repository / "objects").replace("\\", "\\\\").replace('"', '\\"')
        try:
            yield (
                ("GIT_OBJECT_DIRECTORY", str(made)),
                ("GIT_ALTERNATE_OBJECT_DIRECTORIES", f'"{known}"'),
                ("GIT_LITERAL_PATHSPECS", "1"),
            )
        finally:
            shutil.rmtree(made, ignore_errors=True)

    async def commit(
        self,
        parent: str,
        path: str,
        data: bytes,
        *,
        message: str,
        at: datetime,
        apart: tuple[tuple[str, str], ...],
    ) -> str:
        """The id of the commit on top of `parent` in which the file at `path` holds `data`.

        Raises InvalidDesired where there is no such regular file: a link, or a link on the way, is not written through.
        """
        blob = await self._git(["hash-object", "-w", "--stdin"], apart, stdin=data)
        tree = await self._tree(parent, path, blob, apart)
        when = f"@{int(at.timestamp())} +0000"
        who = [
            (f"GIT_{role}_{part}", value)
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", self._author.name), ("EMAIL", self._author.email), ("DATE", when))
        ]
        made = await self._git(
            ["commit-tree", "-p", parent, "-F", "-", tree.decode()], (*apart, *who), stdin=message.encode()
        )
        return made.decode()

    async def made(self, commit: str) -> Made:
        """Who made a commit that is in the repository, and what its message says."""
        text = await self._git(["cat-file", "commit", commit], ())
        head, _, message = text.decode("utf-8", "replace").partition("\n\n")
        people = dict(re.findall(r"^(author|committer) (.*) \d+ [+-]\d{4}$", head, re.MULTILINE))
        return Made(people.get("author", ""), people.get("committer", ""), message)

    async def _tree(self, parent: str, path: str, blob: bytes, apart: tuple[tuple[str, str], ...]) -> bytes:
        """The root tree with one entry exchanged: a tree for each folder on the way, from the file upwards."""
        folders = path.split("/")
        changed, allowed = blob, _FILES
        while folders:
            name = folders.pop()
            below = f"{parent}:{'/'.join(folders)}" if folders else f"{parent}^{{tree}}"
            entries = await self._git(["ls-tree", "-z", "--full-tree", below], apart, missing=path)
            exchanged = _exchanged(entries, name.encode(), changed, allowed)
            if exchanged is None:
                raise _no_file(path)
            changed = await self._git(["mktree", "-z", "--missing"], apart, stdin=exchanged)
            allowed = _FOLDERS
        return changed

    async def _git(
        self, arguments: list[str], environment: tuple[tuple[str, str], ...], *, stdin: bytes = b"", missing: str = ""
    ) -> bytes:
        """`missing` names the path that is not there if git says no."""
        ended = await self._command.run(
            arguments,
            repository=self._repository,
            environment=environment,
            stdin=stdin,
            deadline=self._timeout,
            doing="writing a commit",
        )
        if ended.code != 0:
            if missing:
                raise _no_file(missing)
            raise Unavailable(
                f"writing a commit: {scrubbed(ended.errors)}", hint="nothing was written; it is tried again"
            )
        return ended.output.strip()


def _exchanged(entries: bytes, name: bytes, changed: bytes, allowed: frozenset[bytes]) -> bytes | None:
    """The lines of `ls-tree -z` with another object in the entry of that name; None if there is none that may be."""
    lines = [line for line in entries.split(b"\0") if line]
    found = next((at for at, line in enumerate(lines) if line.partition(b"\t")[2] == name), None)
    if found is None:
        return None
    mode, kind, _ = lines[found].partition(b"\t")[0].split()
    if mode not in allowed:
        return None
    lines[found] = b" ".join((mode, kind, changed)) + b"\t" + name
    return b"".join(line + b"\0" for line in lines)


def _no_file(path: str) -> InvalidDesired:
    return InvalidDesired((Problem(path, message="is no regular file of the repository (a link is not written to)"),))
