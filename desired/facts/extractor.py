"""The one interface of whatever finds facts: rules today, a model later. `desired.facts.registry` is the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from desired.facts.codebase import Codebase, Component
from desired.facts.facts import Facts
from desired.problem import Problem


@dataclass(frozen=True, slots=True)
class Extraction:
    """What one extractor found about one component. `warnings` are files it could not read as what they claim to be.

    A warning never costs the rest: an extractor does not raise for anything that a file may say.
    """

    facts: Facts = field(default_factory=Facts)
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Extractor:
    """`priority` decides between extractors (higher wins) and is the confidence of what they read word for word."""

    name: str
    priority: float
    extract: Callable[[Codebase, Component], Extraction]
