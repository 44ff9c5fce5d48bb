"""Paths of secrets as people write them: `secret/data/web/db` as in the API, `secret/web/db` as in the command line."""

from __future__ import annotations

from dataclasses import dataclass

from desired.errors import Unsupported
from observers.vault.standing import Mount

# What stands between the mount and the name in a path of version 2.
_INFIXES = ("data", "metadata", "subkeys", "delete", "undelete", "destroy")


@dataclass(frozen=True, slots=True)
class Place:
    """`infix` is what stood between mount and name, empty where nothing did."""

    name: str
    infix: str


def checked(path: str) -> str:
    """The path without slashes around it. Raises Unsupported for one that HTTP would read as another."""
    plain = path.strip("/")
    parts = plain.split("/")
    if not plain or any(part in ("", ".", "..") for part in parts) or not plain.isprintable():
        raise Unsupported(
            f"{path!r} is no path of a secret", hint="it reads mount/data/name, without dots or doubled slashes"
        )
    return plain


def place(path: str, mount: Mount) -> Place:
    """A checked path, seen from its mount. On a mount without versions nothing is an infix."""
    inner = path.removeprefix(mount.path).lstrip("/")
    first, _, rest = inner.partition("/")
    if mount.version == 2 and first in _INFIXES:
        return Place(name=rest, infix=first)
    return Place(name=inner, infix="")


def in_templates(mount: Mount, name: str) -> str:
    """The path as a template of Nomad reads it."""
    return f"{mount.path}/data/{name}" if mount.version == 2 else f"{mount.path}/{name}"


def parent(name: str) -> tuple[str, str]:
    """The folder of a name, and its last part."""
    folder, _, last = name.rpartition("/")
    return folder, last
