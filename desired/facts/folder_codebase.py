"""A codebase in a folder: listed once, read when asked. No link is followed, nothing outside is ever opened."""

from __future__ import annotations

import os
import stat
from functools import cached_property
from itertools import islice
from pathlib import Path

from desired.errors import InvalidDesired, Unavailable
from desired.facts.hidden_paths import hidden_file, hidden_folder
from desired.facts.ignore_rules import IgnoreRules
from desired.file_text import text_of
from desired.problem import Problem

MAX_FILES = 200_000
# With what ignore rules hide: folders of a million logs are not listed to their end.
MAX_ENTRIES = 2_000_000
MAX_DEPTH = 64
MAX_FILE_BYTES = 512 * 1024
_IGNORE = ".gitignore"


class FolderCodebase:
    """The files below `folder` that no rule hides. Names that are not UTF-8 or hold control characters are left out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    @property
    def name(self) -> str:
        return self._folder.name

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Raises InvalidDesired (no folder, too many files), Unavailable (the folder itself cannot be read)."""
        if not self._folder.is_dir():
            found = "is not a folder" if self._folder.exists() else "does not exist"
            raise InvalidDesired((Problem(str(self._folder), message=found),), hint="name a folder that holds code")
        return tuple(sorted(self._walk()))

    @cached_property
    def _shown(self) -> frozenset[str]:
        return frozenset(self.paths)

    def text(self, path: str) -> str | None:
        """Read anew each time: a codebase of any size costs the memory of one file. None for what is hidden, too."""
        return self._text(path) if path in self._shown else None

    def _text(self, path: str) -> str | None:
        data = self._read(path)
        return None if data is None else text_of(data)

    def _walk(self) -> list[str]:
        found: list[str] = []
        seen = 0
        left = [("", IgnoreRules())]
        while left:
            folder, above = left.pop()
            below = f"{folder}/" if folder else ""
            entries = self._entries(folder)
            seen += len(entries)
            if any(entry.name == _IGNORE for entry in entries):
                above = above.within(folder, self._text(below + _IGNORE))
            for entry in entries:
                path = below + entry.name
                if entry.is_symlink() or not _showable(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    deep = path.count("/") >= MAX_DEPTH
                    if not deep and not hidden_folder(entry.name) and not above.hide(path, folder=True):
                        left.append((path, above))
                elif (
                    entry.is_file(follow_symlinks=False)
                    and not hidden_file(entry.name)
                    and not above.hide(path, folder=False)
                ):
                    found.append(path)
            if len(found) > MAX_FILES or seen > MAX_ENTRIES:
                most = f"{MAX_FILES} files that nothing hides" if len(found) > MAX_FILES else f"{MAX_ENTRIES} files"
                raise InvalidDesired(
                    (Problem(str(self._folder), message=f"holds more than {most}"),), hint="name the app's own folder"
                )
        return found

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        """What is in a folder. One below that cannot be read holds nothing, as one that was removed meanwhile."""
        try:
            with os.scandir(self._folder / folder) as entries:
                return list(islice(entries, MAX_ENTRIES + 1))
        except OSError as error:
            if folder:
                return []
            raise Unavailable(
                f"{self._folder} cannot be read: {error.strerror}", hint="make it readable, or name another folder"
            ) from error

    def _read(self, path: str) -> bytes | None:
        """None for what is too large, gone, no regular file, or reached through a link by now."""
        if any(part in ("", ".", "..") for part in path.split("/")) or _linked(str(self._folder), path):
            return None
        try:
            handle = os.open(f"{self._folder}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError):
            return None
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_FILE_BYTES:
                return None
            data = file.read(MAX_FILE_BYTES + 1)
        return None if len(data) > MAX_FILE_BYTES else data


def _linked(folder: str, path: str) -> bool:
    """Whether a folder on the way is a link."""
    place = folder
    for part in path.split("/")[:-1]:
        place = f"{place}/{part}"
        if os.path.islink(place):  # noqa: PTH114 - for each file read: a Path costs five times as much
            return True
    return False


def _showable(name: str) -> bool:
    return name.isprintable() and not any("\udc80" <= character <= "\udcff" for character in name)
