"""A codebase whose files are read once for all extractors and components, within a bound of memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

from desired.facts.codebase import Codebase

T = TypeVar("T")
# Of texts that are kept to be asked for again; what was not asked for longest goes first.
MOST_CHARACTERS = 8_000_000


class ReadOnce:
    """The same files as `codebase`. What is made of a codebase as a whole is made once, by `once`."""

    def __init__(self, codebase: Codebase, *, most_characters: int = MOST_CHARACTERS) -> None:
        self._codebase = codebase
        self._most = most_characters
        self._kept: OrderedDict[str, str | None] = OrderedDict()
        self._size = 0
        self._made: dict[Callable[[Codebase], Any], Any] = {}

    @property
    def name(self) -> str:
        return self._codebase.name

    @cached_property
    def paths(self) -> tuple[str, ...]:
        return self._codebase.paths

    @cached_property
    def path_set(self) -> frozenset[str]:
        return frozenset(self.paths)

    def text(self, path: str) -> str | None:
        """None for what is not among the paths, whoever names it: what is hidden is not read."""
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        text = self._codebase.text(path) if path in self.path_set else None
        self._kept[path] = text
        self._size += len(text or "")
        while self._size > self._most and len(self._kept) > 1:
            self._size -= len(self._kept.popitem(last=False)[1] or "")
        return text

    def made(self, make: Callable[[Codebase], T]) -> T:
        if make not in self._made:
            self._made[make] = make(self)
        found: T = self._made[make]
        return found


def once(codebase: Codebase, make: Callable[[Codebase], T]) -> T:
    """What `make` makes of the codebase; the same as before where it was made before."""
    return codebase.made(make) if isinstance(codebase, ReadOnce) else make(codebase)


def path_set(codebase: Codebase) -> frozenset[str]:
    return codebase.path_set if isinstance(codebase, ReadOnce) else frozenset(codebase.paths)
