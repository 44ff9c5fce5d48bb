"""One app that was found in a codebase, and its draft once it is known what people said. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from desired.draft.answers import NONE, YES, read_answer
from desired.draft.answers_file import Answers
from desired.draft.drafting import Context, draft
from desired.draft.prompt_words import understood
from desired.draft.value import Draft, Value
from desired.draft.vault_role import ROLE, with_role
from desired.errors import UsageError
from desired.facts.analyze import Analysis
from desired.facts.facts import Facts
from desired.manifest_problems import near
from desired.problem import Problem
from nomad_operator.interview.knowledge import Knowledge
from reconcilers.generate.model_draft import with_suggestions

Texts = Mapping[str, str]
IMAGE = "image"


@dataclass(frozen=True, slots=True)
class FoundApp:
    """`prompted` is what was taken from a person's words about the app, by the ids of values.

    `source` is where the code is, as manifests say it; None where they cannot. `suggested` is what somebody else
    suggests for what stays open.
    """

    name: str
    facts: Facts
    context: Context = field(default_factory=Context)
    prompted: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    source: Mapping[str, str] | None = None
    suggested: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))

    def draft(self, answers: Texts) -> Draft:
        """With these answers, as texts. Raises UsageError for one that says nothing."""
        if not answers:
            return self._with({})
        suggestions = self._with({}).suggestions
        told: dict[str, Any] = {}
        for at, text in answers.items():
            if text == YES:
                told |= {at: suggestions[at].data} if at in suggestions else {}
            elif not at.startswith("job."):
                told[at] = read_answer(at, text)
            elif text == NONE:
                told[at] = None
        return self._with(told)

    def _with(self, told: Mapping[str, Any]) -> Draft:
        values = {at: data for at, data in told.items() if at != ROLE}
        made = with_role(draft(self.name, self.facts, self.context, values, prompted=self.prompted), self.facts, told)
        made = with_suggestions(made, self.suggested)
        if self.source is None or IMAGE not in (question.id for question in made.questions):
            return made
        # Whoever reads the manifest sees what the image has to be built from, and the operator that it is asked for.
        source = Value(("source",), dict(self.source), "the code", 1.0)
        return replace(made, values=(source, *made.values))


def found_apps(analysis: Analysis, knowledge: Knowledge, prompt: str) -> tuple[FoundApp, ...]:
    """The apps of a codebase in their order. What plain patterns do not understand of `prompt` is kept in its words.

    What is said about a codebase with several apps is said about the first one that has code of its own.
    """
    context = Context(knowledge.conventions, knowledge.confirmed, analysis.hosts)
    spoken_of = next((one for one in analysis.apps if one.component.code), next(iter(analysis.apps), None))
    told = _told(prompt)
    return tuple(
        FoundApp(
            one.component.name, one.facts, context,
            MappingProxyType(told if one is spoken_of else {}),
        )
        for one in analysis.apps
    )  # fmt: skip


def strangers(answers: Answers, apps: Sequence[FoundApp], path: str) -> tuple[Problem, ...]:
    """Sections of a file of answers that speak of no app: whoever misspelled one would wait for ever."""
    names = [app.name for app in apps]
    known = ", ".join(names)
    return tuple(
        Problem(
            path, message=f"answers for {one}, which is none of its apps", hint=near(one, names) or f"it has {known}"
        )
        for one in answers.apps
        if one not in names
    )


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


def named(apps: Sequence[T], name: str | None) -> tuple[T, ...]:
    """All, or the one that is called so. Raises UsageError where none is."""
    found = tuple(one for one in apps if name in (None, one.name))
    if not found:
        raise UsageError(f"{name} is not among its apps", hint=f"it has {', '.join(one.name for one in apps)}")
    return found


def _told(prompt: str) -> dict[str, Any]:
    found = understood(prompt)
    return {**found.answers, **({"prompt": found.rest} if found.rest else {})}
