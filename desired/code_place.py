"""Where the code of an app is: a folder of the repository of its manifest, or of another one."""

from __future__ import annotations

from dataclasses import dataclass

# What another repository is followed by where the manifest names no ref: its default branch.
DEFAULT_REF = "HEAD"


@dataclass(frozen=True, slots=True, order=True)
class CodePlace:
    """`git` is "" for the manifest's own repository, else a URL without credentials; `path` is "." for all of it.

    Equal places are the same folder of the same repository, however they were written.
    """

    path: str = "."
    git: str = ""
    ref: str = ""

    def __str__(self) -> str:
        below = "" if self.path == "." else f"/{self.path}" if self.git else self.path
        at = "" if self.ref in ("", DEFAULT_REF) else f" at {self.ref}"
        return f"{self.git}{below}{at}" if self.git else below or "the repository"


@dataclass(frozen=True, slots=True, order=True)
class CodeWish:
    """What a manifest wants to be known of code: where it is, and which Dockerfile counts, below that place."""

    place: CodePlace
    dockerfile: str | None = None
