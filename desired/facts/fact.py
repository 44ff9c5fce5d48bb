"""One thing found out about a codebase, with where it stands: every value that people are shown has a source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A file below the codebase's root, with "/"; `line` counts from 1, None where a line has no meaning."""

    path: str
    line: int | None = None

    def __str__(self) -> str:
        return self.path if self.line is None else f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Fact(Generic[T]):
    """A value, who found it and how sure that is (0-1). `reason` says why, where the value was inferred and not read.

    `overruled` are the values for the same thing that weighed less, heaviest first; they have none of their own.
    """

    value: T
    extractor: str
    confidence: float
    place: Place | None = None
    reason: str = ""
    overruled: tuple[Fact[T], ...] = field(default=(), compare=False)

    @property
    def source(self) -> str:
        """As people read it: `compose: compose.yaml:12`."""
        return self.extractor if self.place is None else f"{self.extractor}: {self.place}"
