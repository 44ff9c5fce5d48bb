"""What one case of the corpus is: a world, what people commit into it, and what may come of it.

The world decides what is healthy; the job that somebody would call right is nowhere: whatever the world is content with
counts as repaired, and any changed leaf that the fault does not allow is a wrong change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from desired.policy import Policy
from observers.failures.failure_class import FailureClass


class Part(StrEnum):
    """The parts of the corpus."""

    BROKEN = "broken"
    LEAVE = "leave"
    READ = "read"  # no rule can decide it; a person who reads the evidence can
    ADVERSARIAL = "adversarial"


class End(StrEnum):
    """What is to become of a case."""

    FIXED = "fixed"  # a rule decides it, and nobody is asked
    APPROVED = "approved"  # a rule decides it, and a person has to agree first
    TOLD = "told"  # nobody can know the answer: it is named, and nothing is changed
    HEALS = "heals"  # it passes by itself, and nothing is changed
    HEALTHY = "healthy"  # nothing is wrong with it at all
    WAITS = "waits"  # not ours to end: a canary, a drain, a stop


class Stage(Protocol):
    """What a story may do to the world while it runs."""

    def http(self, method: str, path: str, body: Any = None, **query: str) -> Any: ...

    def commit_text(self, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Event:
    """Something that somebody does, so many seconds after the broken job was committed."""

    after_seconds: float
    does: Callable[[Stage], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`good` is a version that was in force before, empty where there was none. `others` are jobs that others run.

    `text` is what is committed: a job file, or a manifest. `says` are the verdicts that are right, empty where there
    is to be none. `may_change` are patterns of leaves (see `tests.repair.leaves`), `most` the greatest values of some.
    `later` is what the story itself commits. `becomes` are the only values that some leaves may get.
    `answers` are operations that somebody who has read the evidence would propose, each for one step; without a model
    nothing becomes of such a case.
    """

    name: str
    part: Part
    fault: str
    app: str
    world: Mapping[str, Any]
    text: str
    ends: End
    says: frozenset[FailureClass] = frozenset()
    good: str = ""
    others: tuple[str, ...] = ()
    may_change: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    policy: Policy = field(default_factory=Policy)
    most: tuple[tuple[str, int], ...] = ()
    later: tuple[str, ...] = ()
    becomes: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    answers: tuple[Mapping[str, Any], ...] = ()
    faults: int = 1

    @property
    def eligible(self) -> bool:
        """It counts for the fix rate: a rule can decide it, or whoever reads the evidence."""
        return self.ends in (End.FIXED, End.APPROVED)

    @property
    def label(self) -> str:
        """The class that it is counted under."""
        if self.faults > 1:
            return "several"
        return "|".join(sorted(one.value for one in self.says)) or self.ends.value
