"""A plain folder as a source of files: for `plan --path DIR` and `validate`, before anything is committed.

What is refused, and in which words, is what `GitSource` refuses, so that a pull request is judged as its merge will
be. Nothing outside the folder is ever opened. `.git` is skipped, and what git ignores: no merge would bring it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import stat
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from desired.errors import InvalidDesired, Unavailable
from desired.file_listing import EntryKind, Listed, file_tree, to_read
from desired.file_tree import FileTree, Poll, TreeLimits
from desired.git_command import GitCommand
from desired.git_committable import committable
from desired.git_objects import blob_id
from desired.problem import Problem


class WorkTree:
    """The files below `folder` as they are now. A blob is the id that git would give to the same bytes.

    `git` is asked what it ignores; None leaves nothing out. `named` are paths that somebody asked for by name: they are
    read even so.
    """

    def __init__(
        self,
        *,
        folder: Path,
        git: GitCommand | None = None,
        named: Collection[str] = (),
        limits: TreeLimits | None = None,
    ) -> None:
        self._folder = folder.absolute()
        self._git = git
        self._named = frozenset(os.fsencode(name) for name in named)
        self._limits = limits or TreeLimits()
        self._places: dict[str, Path] = {}
        self._folders: dict[str, WorkTree] = {}
        self._polled: str | None = None
        self.shown_url = str(self._folder)
        self.origin = f"file://{self._folder}#."

    @property
    def revision(self) -> str | None:
        """What the last poll found; None before the first."""
        return self._polled

    async def poll(self) -> Poll:
        """A revision that is equal exactly while names and contents are. Raises InvalidDesired, Unavailable."""
        tree = await self.tree("")
        digest = hashlib.sha256()
        for entry in tree.files.values():
            digest.update(f"{entry.path}\0{entry.blob}\n".encode())
        for problem in tree.refused:
            digest.update(f"{problem}\n".encode())
        before, self._polled = self._polled, digest.hexdigest()
        return Poll(self._polled, changed=before != self._polled)

    async def tree(self, revision: str) -> FileTree:
        """The files as they are now, under the name `revision`: a folder has no other revisions.

        Raises InvalidDesired (no such folder, too many files), Unavailable (a file that may not be read, or that
        changes meanwhile).
        """
        kept = None if self._git is None else await committable(self._folder, self._git)
        return await asyncio.to_thread(self._tree, revision, kept)

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]:
        """The asked blobs of the last tree. Raises Unavailable if a file has changed since."""
        return await asyncio.to_thread(self._contents, frozenset(blobs))

    async def folders(self, revision: str, paths: Collection[str]) -> Mapping[str, str]:
        """Folders of the repository that this one lies in, each with an id that is equal while its files are.

        What is no folder, or is reached through a link, is left out. Raises as `tree` does.
        """
        root = repository_of(self._folder)
        self._folders = {
            path: WorkTree(folder=root / path, git=self._git, limits=self._limits)
            for path in paths
            if _is_folder(root, path)
        }
        return {path: (await tree.poll()).revision for path, tree in self._folders.items()}

    async def folder(self, revision: str, path: str) -> FileTree:
        """The files below such a folder, as they are now."""
        return await self._folders[path].tree(revision)

    def _tree(self, revision: str, kept: frozenset[bytes] | None) -> FileTree:
        if not self._folder.is_dir():
            found = "is not a folder" if self._folder.exists() else "does not exist"
            raise InvalidDesired((Problem(path=str(self._folder), message=found),), hint="name a folder")
        places: dict[str, Path] = {}
        small: dict[str, bytes] = {}
        listed: list[Listed] = []
        for place in self._walk(self._folder, None if kept is None else kept | self._named):
            if len(listed) > self._limits.max_files:
                break  # one too many is listed, so that the judgement falls where all of them fall
            entry, data = self._listed(place)
            listed.append(entry)
            places.setdefault(entry.blob, place)
            if data is not None and to_read([entry]):
                small[entry.blob] = data
        tree = file_tree(revision, listed, small, self._limits)
        self._places = places
        return tree

    def _walk(self, folder: Path, kept: frozenset[bytes] | None) -> Iterator[Path]:
        """Everything that is not a folder, and folders that are repositories of their own, in a fixed order.

        `kept` are the only paths to look at, folders included; None looks at all.
        """
        with _reading(folder), os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: os.fsencode(entry.name))
        for entry in found:
            place = folder / entry.name
            if entry.name == ".git" or (kept is not None and self._name(place) not in kept):
                continue
            if not entry.is_dir(follow_symlinks=False) or (place / ".git").exists():
                yield place
            else:
                yield from self._walk(place, kept)

    def _name(self, place: Path) -> bytes:
        return os.fsencode(place.relative_to(self._folder))

    def _listed(self, place: Path) -> tuple[Listed, bytes | None]:
        name = self._name(place)
        with _reading(place):
            status = place.lstat()
            if stat.S_ISLNK(status.st_mode):
                target = os.fsencode(place.readlink())
                return Listed(name=name, kind=EntryKind.LINK, blob=blob_id(target), size=len(target)), target
            if stat.S_ISDIR(status.st_mode):
                return Listed(name=name, kind=EntryKind.REPOSITORY), None
            if not stat.S_ISREG(status.st_mode):
                return Listed(name=name, kind=EntryKind.OTHER), None
            if status.st_size > self._limits.max_file_bytes:
                return Listed(name=name, kind=EntryKind.FILE, size=status.st_size), None
            data = self._read(place)
        return Listed(name=name, kind=EntryKind.FILE, blob=blob_id(data), size=len(data)), data

    def _contents(self, blobs: frozenset[str]) -> dict[str, bytes]:
        contents: dict[str, bytes] = {}
        total = 0
        places = {blob: place for tree in self._folders.values() for blob, place in tree._places.items()} | self._places
        for blob in sorted(blobs):
            place = places.get(blob)
            if place is None:
                raise Unavailable(f"{self._folder} does not hold file {blob}", hint="read the tree again")
            with _reading(place):
                data = self._read(place)
            if blob_id(data) != blob:
                raise Unavailable(f"{place} changed while it was read", hint="run the command again")
            total += len(data)
            if total > self._limits.max_total_bytes:
                message = f"has files of more than {self._limits.max_total_bytes} bytes together"
                raise InvalidDesired((Problem(path=str(self._folder), message=message),), hint="name a subfolder")
            contents[blob] = data
        return contents

    def _read(self, place: Path) -> bytes:
        """At most one byte over the limit, and never through a link or from a pipe that was put there meanwhile."""
        handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            return file.read(self._limits.max_file_bytes + 1)


def repository_of(folder: Path) -> Path:
    """Where the repository begins that a folder lies in; the folder itself if it lies in none."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)


def _is_folder(root: Path, path: str) -> bool:
    parts = path.split("/")
    places = [root.joinpath(*parts[:end]) for end in range(1, len(parts) + 1)]
    return ".." not in parts and places[-1].is_dir() and not any(place.is_symlink() for place in places)


@contextlib.contextmanager
def _reading(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"{place} cannot be read: {error.strerror}", hint="make the file readable, or take it away"
        ) from error
