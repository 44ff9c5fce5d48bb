"""The state of the interview about one app, and steps from one state to the next. Pure.

questions ──► values ──► review ──► written
              ▲   │ one       │
              └───┴───────────┘
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from desired.draft.value import Draft
from desired.policy import Policy
from desired.problem import Problem
from nomad_operator.interview.found_app import FoundApp
from nomad_operator.interview.job_text import problems_of, read_back
from nomad_operator.interview.knowledge import Knowledge
from nomad_operator.interview.suggestions import informed


class Stage(StrEnum):
    """Where the interview is."""

    QUESTIONS = "questions"
    VALUES = "values"
    ONE = "one"
    REVIEW = "review"
    WRITTEN = "written"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Interview:
    """`answers` are texts by ids, as answers' files have them; `later` are questions that are left open.

    `queue` are the values that are looked at one by one. `part` is the beginning of an answer that is not whole yet:
    a source, or a source with its path. `before` is the state that `back` leads to.
    """

    app: FoundApp
    target: str
    knowledge: Knowledge = field(default_factory=Knowledge)
    defaults: Policy = field(default_factory=Policy)
    namespace: str = "default"
    answers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    stage: Stage = Stage.QUESTIONS
    queue: tuple[str, ...] = ()
    later: frozenset[str] = frozenset()
    part: str = ""
    problem: str = ""
    before: Interview | None = field(default=None, compare=False, repr=False)

    @property
    def draft(self) -> Draft:
        return informed(self.app.draft(self.answers), self.app.facts, self.knowledge)

    @property
    def done(self) -> bool:
        return self.stage in (Stage.WRITTEN, Stage.SKIPPED)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the manifest as it would be written now; open questions are no mistakes."""
        made = read_back(self.draft, self.target, defaults=self.defaults, namespace=self.namespace)
        return problems_of(made)

    def unanswered(self) -> tuple[str, ...]:
        """The questions that are still to be put, in their order."""
        return tuple(one.id for one in self.draft.questions if one.id not in self.later)

    def step(
        self,
        stage: Stage,
        *,
        answers: Mapping[str, str] | None = None,
        queue: tuple[str, ...] = (),
        later: frozenset[str] | None = None,
    ) -> Interview:
        """The next state, from which `back` leads to this one."""
        return replace(
            self, stage=stage, part="", problem="", before=replace(self, problem=""), queue=queue,
            answers=self.answers if answers is None else MappingProxyType(dict(answers)),
            later=self.later if later is None else later,
        )  # fmt: skip

    def begun(self, part: str) -> Interview:
        """With the beginning of an answer whose rest is asked for."""
        return replace(self, part=part, problem="", before=replace(self, problem=""))

    def refused(self, problem: str) -> Interview:
        """The same, and why the answer was not taken."""
        return replace(self, problem=problem)

    def back(self) -> Interview:
        return self.before or self.refused("this is where it begins")
