"""The files of a codebase out of a tree of git: which are fetched, how much of them at most, and what stays unread."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from desired.errors import InvalidDesired
from desired.facts.folder_codebase import MAX_FILE_BYTES
from desired.facts.hidden_paths import hidden_file, hidden_folder
from desired.facts.tree_codebase import TreeCodebase
from desired.file_tree import FileEntry, FileTree
from desired.problem import Problem

MAX_BYTES = 64 * 1024 * 1024
# What holds no text that anybody looks for; everything else is fetched.
_NO_TEXT = re.compile(
    r"\.(?:png|jpe?g|gif|webp|ico|bmp|tiff?|svg|pdf|psd|woff2?|ttf|otf|eot|mp[34]|m4a|wav|ogg|webm|mov|avi|zip|gz|tgz|"
    r"bz2|xz|zst|7z|rar|jar|war|class|o|a|so|dll|exe|dylib|bin|wasm|pyc|whl|onnx|pt|pth|npy|npz|parquet|safetensors|"
    r"gguf|h5|sqlite3?|db|min\.js|min\.css|map|snap)$",
    re.IGNORECASE,
)


class Contents(Protocol):
    """Where the bytes of a tree's files are."""

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]: ...


async def codebase_of(
    tree: FileTree, source: Contents, *, name: str, shown: str, max_bytes: int = MAX_BYTES
) -> TreeCodebase:
    """Everything that may be looked at, in memory. `shown` names the codebase in errors.

    Raises InvalidDesired (its text is more than `max_bytes` together), and what `source` raises.
    """
    wanted = {entry.path: entry.blob for entry in _to_read(tree, max_bytes, shown)}
    found = await source.contents(set(wanted.values()))
    contents = {path: found[blob] for path, blob in wanted.items()}
    unread = [path for path in (*tree.files, *(problem.path for problem in tree.refused)) if path not in contents]
    return TreeCodebase(name=name, contents=contents, unread=unread)


def _to_read(tree: FileTree, max_bytes: int, shown: str) -> Iterator[FileEntry]:
    total = 0
    for entry in tree.files.values():
        if entry.size > MAX_FILE_BYTES or _hidden(entry.path) or _NO_TEXT.search(entry.path):
            continue
        total += entry.size
        if total > max_bytes:
            message = f"holds more than {max_bytes // 2**20} MiB of text"
            raise InvalidDesired((Problem(shown, message=message),), hint="name the app's own folder in it")
        yield entry


def _hidden(path: str) -> bool:
    *folders, name = path.split("/")
    return hidden_file(name) or any(hidden_folder(folder) for folder in folders)
