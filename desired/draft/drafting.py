"""The draft of one app's manifest: facts first, then what names and defaults suggest. Pure.

A value that is not sure enough is a question with the value as its suggestion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from desired.conventions import Conventions
from desired.draft.answered import answered, by_label, question_about
from desired.draft.draft_notes import notes
from desired.draft.drafted_environment import DraftedEnvironment
from desired.draft.drafted_network import main_port, network
from desired.draft.drafted_process import placement, process, resources
from desired.draft.manifest_order import checked, in_order
from desired.draft.port_label import port_labels
from desired.draft.refused import without_refused
from desired.draft.value import BY_PERSON, BY_PROMPT, SURE, Draft, Value
from desired.draft.volumes import volume_questions
from desired.facts.facts import Facts
from desired.question import Question


@dataclass(frozen=True, slots=True)
class Context:
    """What is known besides the code. `confirmed` are places of secrets and keys that were seen to be there.

    Both as the manifest writes them: `path#field` of Vault and of Nomad variables, a key of Consul. `siblings` are the
    other apps of the same codebase, by the host names that they have for each other.
    """

    conventions: Conventions = field(default_factory=Conventions)
    confirmed: frozenset[str] = frozenset()
    siblings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def draft(
    name: str,
    facts: Facts,
    context: Context,
    answers: Mapping[str, Any] | None = None,
    *,
    prompted: Mapping[str, Any] | None = None,
    helped: Mapping[str, Value] | None = None,
) -> Draft:
    """The draft for one component. `answers` are a person's, by the ids of values and questions; they always win.

    `prompted` is what was taken from a person's words, by the same ids: it gives way to answers alone. `helped` are
    answers of somebody else, which give way to both.
    """
    return _Drafting(name, facts, context, answers or {}, prompted or {}, helped or {}).draft()


class _Drafting:
    def __init__(
        self,
        name: str,
        facts: Facts,
        context: Context,
        answers: Mapping[str, Any],
        prompted: Mapping[str, Any],
        helped: Mapping[str, Value],
    ) -> None:
        self._name = name
        self._facts = facts
        self._told = {
            **{
                at: (data, one.source, one.reason)
                for one in helped.values()
                for at, data in by_label({one.id: one.data}).items()
            },
            **{at: (data, BY_PROMPT, "") for at, data in by_label(prompted).items()},
            **{at: (data, BY_PERSON, "") for at, data in by_label(answers).items()},
        }
        self._main = main_port(facts)
        self._labels = port_labels(facts.ports, self._main)
        said = [data["to"] for at, (data, *_) in self._told.items() if at.startswith("ports.") and data]
        self._environment = DraftedEnvironment(
            name=name, facts=facts, listens=said[0] if said else self._main, serves=bool(self._labels),
            conventions=context.conventions, confirmed=context.confirmed, siblings=context.siblings,
        )  # fmt: skip

    def draft(self) -> Draft:
        values: list[Value] = []
        questions: list[Question] = []
        suggestions: dict[str, Value] = {}
        left = dict(self._told)
        for found in self._all():
            if found.id in left:
                values += answered(found.id, *left.pop(found.id))
            elif found.id.partition(".")[0] == "ports" and "ports" in self._told:
                continue  # which ports there are was said as a whole
            elif isinstance(found, Question):
                questions.append(found)
            elif found.confidence < SURE:
                suggestions[found.id] = found
                questions.append(question_about(found))
            else:
                values.append(found)
        for at, told in left.items():
            values += answered(at, *told)
        made = Draft(self._name, in_order(checked(values)), tuple(questions), tuple(notes(self._facts)), suggestions)
        return without_refused(made)

    def _all(self) -> Iterator[Value | Question]:
        yield from process(self._facts)
        yield from network(self._facts, self._labels, self._main)
        yield from self._environment.all()
        yield from resources(self._facts)
        yield from volume_questions(self._name, self._facts)
        yield from placement(self._facts)
