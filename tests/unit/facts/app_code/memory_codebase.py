"""A codebase in memory, for extractors' tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MemoryCodebase:
    """Files by path; None stands for one that cannot be read as text."""

    files: Mapping[str, str | None]
    name: str = "app"

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self.files))

    def text(self, path: str) -> str | None:
        return self.files.get(path)
