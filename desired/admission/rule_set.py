"""Rules that are in force, and where they stand; or why nobody can tell what they are."""

from __future__ import annotations

from dataclasses import dataclass

from desired.admission.rules import PolicySpec
from desired.problem import Problem


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One document of rules. `origin` is its file, as people find it. Without `spec` the problems say why."""

    origin: str
    spec: PolicySpec | None = None
    problems: tuple[Problem, ...] = ()
