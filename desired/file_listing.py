"""From a raw listing of names to a `FileTree`: which entries are files, which links lead where, what is refused.

Called by `GitSource` and `WorkTree`, so that both refuse the same things in the same words. Nothing here does I/O: the
few small contents that a judgement needs (link targets, possible LFS pointers) are asked for by `to_read`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from desired.errors import InvalidDesired
from desired.file_links import Astray, destination
from desired.file_tree import FileEntry, FileTree, TreeLimits
from desired.problem import Problem

# Longest path that Linux resolves; a longer link target leads nowhere.
_MAX_TARGET_BYTES = 4096

# Source: git-lfs docs/spec.md. A pointer without extensions has between 120 and 150 bytes.
_POINTER_START = b"version https://git-lfs.github.com/spec/v1\n"
_POINTER_BYTES = range(110, 201)


class EntryKind(StrEnum):
    """What a name stands for."""

    FILE = "file"
    LINK = "link"
    REPOSITORY = "repository"  # a submodule, or another repository inside a folder
    OTHER = "other"  # a pipe, a socket, a device


@dataclass(frozen=True, slots=True)
class Listed:
    """One name as the source lists it. `size` is None for a file that was left out of the transfer for its size."""

    name: bytes
    kind: EntryKind
    blob: str = ""
    size: int | None = 0


def to_read(listed: Iterable[Listed]) -> set[str]:
    """The blobs whose contents `file_tree` needs."""
    return {
        entry.blob
        for entry in listed
        if entry.size is not None
        and (
            (entry.kind is EntryKind.FILE and entry.size in _POINTER_BYTES)
            or (entry.kind is EntryKind.LINK and entry.size <= _MAX_TARGET_BYTES)
        )
    }


def file_tree(revision: str, listed: Iterable[Listed], read: Mapping[str, bytes], limits: TreeLimits) -> FileTree:
    """The tree; `read` holds at least what `to_read` named. Raises InvalidDesired on too many files."""
    files: dict[str, FileEntry] = {}
    links: dict[str, str] = {}
    refused: dict[str, Problem] = {}

    for entry in listed:
        if len(files) >= limits.max_files:
            raise InvalidDesired(
                (Problem(path=".", message=f"has more than {limits.max_files} files"),),
                hint="name the subfolder that holds the apps (NOMAD_OPERATOR_GIT_PATH)",
            )
        path, unshowable = _path(entry.name)
        if unshowable:
            refused[path] = Problem(path=path, message=unshowable, hint="rename the file")
        elif entry.kind is EntryKind.LINK:
            target = read.get(entry.blob)
            text = None if target is None else _text(target)
            if text:
                links[path] = text
            else:
                refused[path] = Problem(path=path, message="is a link whose target is not a path")
        else:
            problem = _problem(path, entry, read, limits)
            if problem is not None:
                refused[path] = problem
            else:
                files[path] = FileEntry(path=path, blob=entry.blob, size=entry.size or 0)

    followed: dict[str, FileEntry] = {}
    for path in links:
        at = destination(path, links)
        if not isinstance(at, Astray) and at in files:
            followed[path] = FileEntry(path=path, blob=files[at].blob, size=files[at].size)
        else:
            refused[path] = _link_problem(path, links[path], at, files, links, refused)
    files |= followed
    return FileTree(
        revision=revision,
        files=dict(sorted(files.items())),
        refused=tuple(refused[path] for path in sorted(refused)),
    )


def _problem(path: str, entry: Listed, read: Mapping[str, bytes], limits: TreeLimits) -> Problem | None:
    if entry.kind is EntryKind.REPOSITORY:
        hint = "submodules are off: keep the apps in this repository, or follow another folder of it"
        return Problem(path=path, message="is a repository of its own (a submodule)", hint=hint, hides=True)
    if entry.kind is EntryKind.OTHER:
        return Problem(path=path, message="is not a regular file")
    if entry.size is None or entry.size > limits.max_file_bytes:
        size = "more than the limit" if entry.size is None else f"{entry.size} bytes"
        return Problem(
            path=path,
            message=f"is too large: {size}, files over {limits.max_file_bytes} bytes are not read",
            hint="apps are text files of a few kilobytes",
        )
    if entry.size in _POINTER_BYTES and read.get(entry.blob, b"").startswith(_POINTER_START):
        return Problem(
            path=path,
            message="is a Git LFS pointer, not the file",
            hint="LFS is off: keep the file in git itself (git lfs untrack)",
        )
    return None


def _link_problem(
    path: str,
    target: str,
    at: str | Astray,
    files: Mapping[str, FileEntry],
    links: Mapping[str, str],
    refused: Mapping[str, Problem],
) -> Problem:
    shown = _showable(target)
    if isinstance(at, Astray):
        message = f"links to {shown!r}, which leaves the tree" if at is Astray.LEAVES else str(at)
    elif at in refused:
        message = f"links to {shown!r}, which is not read itself"
    elif not at or any(name.startswith(at + "/") for name in (*files, *links, *refused)):
        message = f"links to {shown!r}, which is a folder"
    else:
        message = f"links to {shown!r}, which does not exist"
    return Problem(path=path, message=message, hint="only links to files inside the tree are followed")


def _path(name: bytes) -> tuple[str, str]:
    """The path as text, and why it is refused ("" if it is not).

    A name that would break a line or move a terminal's cursor must not get into a log, a table or a metric.
    """
    text = _text(name)
    if text is None:
        return _showable(name.decode("utf-8", "backslashreplace")), "has a name that is not UTF-8"
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text):
        return _showable(text), "has a control character in its name"
    if any(part in ("", ".", "..") for part in text.split("/")):
        return text, "has a name that is not a path"
    return text, ""


def _text(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _showable(text: str) -> str:
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in ("Cc", "Zl", "Zp")
        else character
        for character in text
    )
