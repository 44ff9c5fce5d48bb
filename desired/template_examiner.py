"""Objects to templates that no client of Nomad could read: the task would fail when it starts, and Nomad accepts them.

By the text alone. What a template looks up is `observers.secret_examiner`'s; what the servers' version lacks of its
functions is `observers.nomad.feature_examiner`'s.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desired.app import AppKey
from desired.objection import Objection
from desired.reasons import Reason
from desired.secret_reads import tasks_of
from desired.state import JobBody
from desired.template_functions import DENIED, FUNCTIONS
from desired.template_syntax import Mistake, mistakes
from desired.template_tokens import actions

RULE = "template-syntax"
DENIED_RULE = "template-denied"


@dataclass(frozen=True, slots=True)
class WrittenTemplate:
    """A template whose text stands in the job. `at` is its place, as `desired.job.hcl_places` has it."""

    group: str
    task: str
    destination: str
    at: tuple[str, ...]
    text: str
    left: str
    right: str

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        return mistakes(self.text, left=self.left, right=self.right)

    def called(self) -> Iterator[tuple[str, int]]:
        """Each function that it calls, with the line within it."""
        for action in actions(self.text, left=self.left, right=self.right):
            yield from ((word.text, word.line) for word in action.words if word.kind == "name")


def templates_of(body: JobBody) -> Iterator[WrittenTemplate]:
    """All of a job, in its order. A file of the node that is read for one is not at hand."""
    for group, task in tasks_of(body):
        name = _text(task, "Name")
        for index, one in enumerate(task.get("Templates") or ()):
            if isinstance(one, Mapping) and (text := _text(one, "EmbeddedTmpl")):
                at = ("group", group, "task", name, "template", str(index), "data")
                left, right = _text(one, "LeftDelim") or "{{", _text(one, "RightDelim") or "}}"
                yield WrittenTemplate(group, name, _text(one, "DestPath"), at, text, left, right)


class TemplateExaminer:
    """Pure; the same answer for the same job."""

    async def objections(self, key: AppKey, body: JobBody) -> Sequence[Objection]:
        return [one for template in templates_of(body) for one in _of(template)]


def _of(template: WrittenTemplate) -> Iterator[Objection]:
    where = f"{template.group}/{template.task}: the template {template.destination}"
    for one in template.mistakes:
        yield Objection(
            RULE,
            f"{where}, line {one.line}: {one.message}",
            one.hint or _meant(one.function),
            template.at,
            warning=not one.sure,
            reason=Reason.VALIDATION_FAILED,
            lasting=True,
            line=one.line,
        )
    for function, line in dict.fromkeys(template.called()):
        if function in DENIED:
            yield Objection(
                DENIED_RULE,
                f"{where}, line {line}: {function} is turned off on clients of Nomad, as they come",
                "leave it out, or set `function_denylist` of the clients",
                template.at,
                warning=True,
                reason=Reason.VALIDATION_FAILED,
                lasting=True,
                line=line,
            )


def _meant(function: str) -> str:
    if not function:
        return ""
    by_letters = {name.lower(): name for name in sorted(FUNCTIONS)}
    near = difflib.get_close_matches(function.lower(), by_letters, n=1, cutoff=0.75)
    if near:
        return f"did you mean {by_letters[near[0]]}?"
    return "consul-template's and Go's functions are there, sprig's as sprig_…"


def _text(part: Mapping[str, Any], key: str) -> str:
    found = part.get(key)
    return found if isinstance(found, str) else ""
