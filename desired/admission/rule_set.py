"""Rules that are in force, and where they stand; or why nobody can tell what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from desired.problem import Problem

if TYPE_CHECKING:
    # Everybody who speaks of a revision imports this; the model behind rules takes its time.
    from desired.admission.rules import PolicySpec


# What is said of rules that cannot be read is no rule of theirs.
UNREADABLE = "policy"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One document of rules. Without `spec` the problems say why. `line` is where it begins, 0 where it is alone."""

    path: str
    spec: PolicySpec | None = None
    problems: tuple[Problem, ...] = ()
    line: int = 0

    @property
    def origin(self) -> str:
        """As people find it."""
        return f"{self.path}:{self.line}" if self.line else self.path
