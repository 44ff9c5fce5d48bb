"""What git's plumbing prints, read: `ls-remote`, `ls-tree -r -z -l`, `cat-file --batch`. Pure; bytes in, values out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from desired.file_listing import EntryKind, Listed

_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

_KINDS = {
    b"100644": EntryKind.FILE,
    b"100755": EntryKind.FILE,
    b"100664": EntryKind.FILE,  # written by very old versions of git
    b"120000": EntryKind.LINK,
    b"160000": EntryKind.REPOSITORY,
}


class Damaged(Exception):
    """The cache does not hold what it should, or not as it was written."""


def is_object_id(text: str) -> bool:
    """A complete id, SHA-1 or SHA-256; an abbreviated one means nothing to a server."""
    return _OBJECT_ID.fullmatch(text) is not None


def refs(output: bytes) -> dict[str, str]:
    """Object id by full name of the ref, as `ls-remote` prints them; `NAME^{}` is what an annotated tag leads to."""
    lines = (line.partition("\t") for line in output.decode("utf-8", "replace").splitlines())
    return {name: object_id for object_id, tab, name in lines if tab and is_object_id(object_id)}


def listing(output: bytes) -> list[Listed]:
    """Every entry of `ls-tree -r -z -l`, in its order. The size `BAD` stands for a blob that is not there."""
    listed = []
    for line in output.split(b"\0"):
        if not line:
            continue
        meta, tab, name = line.partition(b"\t")
        fields = meta.split()
        if not tab or len(fields) != 4:
            raise Damaged("git ls-tree printed a line that is none of its own")
        mode, _, blob, size = fields
        listed.append(
            Listed(
                name=name,
                kind=_KINDS.get(mode, EntryKind.OTHER),
                blob=blob.decode("ascii"),
                size=int(size) if size.isdigit() else None,
            )
        )
    return listed


def batch(output: bytes) -> dict[str, bytes]:
    """Contents by blob id, as `cat-file --batch` prints them; each is held against its id.

    Raises Damaged if one is missing, is no blob, or is not what its id says.
    """
    contents: dict[str, bytes] = {}
    position = 0
    while position < len(output):
        end = output.index(b"\n", position)
        head = output[position:end].decode("utf-8", "replace").split(" ")
        if len(head) != 3 or head[1] != "blob":
            raise Damaged(f"object {head[0]} is missing or is not a file")
        blob, size = head[0], int(head[2])
        data = output[end + 1 : end + 1 + size]
        if blob_id(data, like=blob) != blob:
            raise Damaged(f"object {blob} is not what it was")
        contents[blob] = data
        position = end + 1 + size + 1
    return contents


def blob_id(data: bytes, *, like: str = "") -> str:
    """The id that git gives to these bytes as a file; SHA-256 if `like` is an id of that length.

    Source: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    """
    name = "sha256" if len(like) == 64 else "sha1"
    digest = hashlib.new(name, usedforsecurity=False)
    digest.update(b"blob %d\0" % len(data))
    digest.update(data)
    return digest.hexdigest()


def tip_of(name: str, advertised: Mapping[str, str]) -> tuple[str, str] | None:
    """The ref that a person means by `name`, and the commit it leads to: a branch, else a tag, else None.

    A name that starts with `refs/`, and HEAD, mean themselves.
    """
    for ref in candidates(name):
        if ref in advertised:
            return ref, advertised.get(ref + "^{}", advertised[ref])
    return None


def candidates(name: str) -> tuple[str, ...]:
    """The full names that `name` may stand for, the likeliest first."""
    if name == "HEAD" or name.startswith("refs/"):
        return (name,)
    return (f"refs/heads/{name}", f"refs/tags/{name}")
