"""Paths as files name each other, never out of the codebase."""

from __future__ import annotations


def joined_path(folder: str, to: str) -> str | None:
    """The path that a file in a folder means by `to`; None where that leaves the codebase."""
    if to.startswith("/"):
        return None
    parts = folder.split("/") if folder else []
    for part in to.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
