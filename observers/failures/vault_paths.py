"""Paths of secrets, as Vault's two KV versions write them. Pure.

Version 2 puts `data` after the mount; what Vault lists and people say has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def plain(path: str) -> str:
    """Without the `data` (or `metadata`) of version 2."""
    parts = path.strip("/").split("/")
    return "/".join(parts[:1] + (parts[2:] if len(parts) > 2 and parts[1] in ("data", "metadata") else parts[1:]))


def version_of(path: str, versions: Mapping[str, int]) -> int | None:
    """Of the path's mount; None where it is not known."""
    mount = path.strip("/").split("/")[0]
    return versions.get(mount) or versions.get(f"{mount}/")


def wrong_shape(path: str, versions: Mapping[str, int], listed: Sequence[str] | None) -> str:
    """The mount's version where the path has the shape of the other one; empty where it fits or is not known."""
    parts = path.strip("/").split("/")
    version = version_of(path, versions)
    has_data = len(parts) > 1 and parts[1] == "data"
    if version is None or (version == 2) == has_data:
        return ""
    # In version 1 a secret may well live under a name that begins with `data`.
    if version == 1 and path.strip("/") in (listed or ()):
        return ""
    return str(version)


def keys_of(path: str, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """The names of a secret's fields, however its path is written; None where they were not read."""
    return {plain(one): keys for one, keys in known.items()}.get(plain(path))
