"""A codebase in a folder: listed once, read when asked. No link is followed, nothing outside is ever opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from desired.errors import InvalidDesired, Unavailable
from desired.facts.hidden_paths import IgnoreRules, hidden_file, hidden_folder
from desired.file_text import text_of
from desired.problem import Problem

MAX_FILES = 200_000
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
        found_paths: list[str] = []
        for path in self._walk("", IgnoreRules()):
            if len(found_paths) >= MAX_FILES:
                message = f"holds more than {MAX_FILES} files that nothing hides"
                raise InvalidDesired((Problem(str(self._folder), message=message),), hint="name the app's own folder")
            found_paths.append(path)
        return tuple(sorted(found_paths))

    def text(self, path: str) -> str | None:
        """Read anew each time: a codebase of any size costs the memory of one file."""
        data = self._read(path)
        return None if data is None else text_of(data)

    def _walk(self, folder: str, above: IgnoreRules) -> Iterator[str]:
        try:
            with os.scandir(self._folder / folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            if folder:
                return
            raise Unavailable(
                f"{self._folder} cannot be read: {error.strerror}", hint="make it readable, or name another folder"
            ) from error
        rules = above
        if any(entry.name == _IGNORE for entry in listed):
            rules = above.within(folder, self.text(f"{folder}/{_IGNORE}" if folder else _IGNORE))
        for entry in listed:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_symlink() or not _showable(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                if not hidden_folder(entry.name) and not rules.hide(path, folder=True):
                    yield from self._walk(path, rules)
            elif (
                entry.is_file(follow_symlinks=False)
                and not hidden_file(entry.name)
                and not rules.hide(path, folder=False)
            ):
                yield path

    def _read(self, path: str) -> bytes | None:
        """None for what is too large, gone, no regular file, or reached through a link by now."""
        place = self._folder / path
        if any(part in ("", ".", "..") for part in path.split("/")) or _linked(self._folder, path):
            return None
        try:
            handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError):
            return None
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_FILE_BYTES:
                return None
            data = file.read(MAX_FILE_BYTES + 1)
        return None if len(data) > MAX_FILE_BYTES else data


def _linked(folder: Path, path: str) -> bool:
    """Whether a folder on the way is a link."""
    parts = path.split("/")[:-1]
    return any((folder / "/".join(parts[:end])).is_symlink() for end in range(1, len(parts) + 1))


def _showable(name: str) -> bool:
    return name.isprintable() and not any("\udc80" <= character <= "\udcff" for character in name)
