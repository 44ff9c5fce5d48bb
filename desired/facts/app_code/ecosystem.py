"""What an ecosystem brings to be read: how its projects are recognised, and who reads its manifests and code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from desired.facts.app_code.seen import Seen
from desired.facts.app_code.sources import Sources


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with manifests of one ecosystem. `code` are the paths that its code may stand in, shallow ones first.

    `known` are the names of its dependencies, filled once the manifests are read.
    """

    folder: str
    manifests: tuple[str, ...]
    code: tuple[str, ...]
    known: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ecosystem:
    """`name` is the type that package URLs have for it. `manifest` and `image` match whole names.

    `manifests` yields dependencies and ways to start, `code` everything else; neither ever raises for a file's text.
    """

    name: str
    language: str
    manifest: re.Pattern[str]
    suffixes: tuple[str, ...]
    image: re.Pattern[str]
    manifests: Callable[[Sources, Project], Iterator[Seen]]
    code: Callable[[Sources, Project], Iterator[Seen]]
