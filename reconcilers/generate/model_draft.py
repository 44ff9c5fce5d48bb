"""Suggestions for what a draft leaves open: answers in the words that people answer in, each with what it rests on.

The model fills the typed manifest, never a job: an answer that no person could give is dropped, and so is one that
neither a shown file nor the cluster holds. Nothing is decided here, a suggestion stays a suggestion.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from desired.draft.answers import answer_text, read_answer
from desired.draft.value import BY_NAME, Draft, Value
from desired.errors import OperatorError, UsageError
from desired.facts.codebase import Codebase, Component
from desired.facts.possible_secret import may_be_secret
from desired.question import Question as Open
from prompts.catalog import Prompts
from prompts.model.question import Model, Question
from reconcilers.generate.cited import cited
from reconcilers.generate.excerpts import Excerpts, Redact, excerpts
from reconcilers.generate.model_facts import MOST_SURE, NAME
from reconcilers.generate.recalled_apps import AppsRecalled, names

# What a person decides by knowing what is wanted: no code says it.
_NOT_ASKED = frozenset({"dockerfile", "dependsOn", "prompt", "volumes", "files"})
_MOST_ASKED = 20
_CLUSTER = "the cluster"


@dataclass(frozen=True, slots=True)
class ModelDraft:
    """`there` are places that the cluster was seen to have, as answers name them (`vault: path#field`, `consul: key`).

    `recalled` is what memory knows of apps like this one.
    `every`: also questions that have a suggestion are asked. `purse` is what the tokens are counted against.
    Never raises for a model that is away or talks nonsense: `told` hears it.
    """

    model: Model
    prompts: Prompts
    redact: Redact
    there: Collection[str] = ()
    told: Callable[[OperatorError], None] = lambda error: None
    every: bool = False
    purse: str = ""
    recalled: AppsRecalled = field(default_factory=AppsRecalled)

    async def values(self, draft: Draft, codebase: Codebase, component: Component) -> Mapping[str, Value]:
        """Suggestions for questions of the draft, by their ids."""
        open_ = [
            one
            for one in draft.questions
            if (self.every or not one.default) and one.id.partition(".")[0] not in _NOT_ASKED
        ]
        # Many files take their time: nobody else's.
        shown = await asyncio.to_thread(excerpts, codebase, component, redact=self.redact)
        if not open_ or not shown.lines:
            return {}
        asked = open_[:_MOST_ASKED]
        try:
            prompt = await self.prompts.chosen("draft", by=draft.name)
            reply = await self.model.ask(
                Question(
                    messages=prompt.messages({
                        "app": draft.name,
                        "questions": "\n".join(map(_line, asked)),
                        "there": "\n".join(f"- {one}" for one in sorted(self.there)) or "nothing is known",
                        "recalled": self.redact(self.recalled.in_words()),
                        "files": shown.text,
                    }),
                    schema_name="draft", schema=_schema(asked, shown, self.recalled), settings=prompt.settings,
                    prompt=prompt.version, purse=self.purse, app=draft.name,
                )
            )  # fmt: skip
        except OperatorError as error:
            self.told(error)
            return {}
        found = {one.id: self._value(draft.name, one.id, reply.value.get(one.id), shown) for one in asked}
        return {at: value for at, value in found.items() if value is not None}

    def _value(self, name: str, at: str, answer: Mapping[str, Any] | None, shown: Excerpts) -> Value | None:
        if answer is None:
            return None
        text = str(answer["answer"]).strip()
        head, _, rest = at.partition(".")
        try:
            data = read_answer(at, text)
        except UsageError:
            return None
        fixed = data.get("fixed") if isinstance(data, Mapping) else None
        if data is None or (fixed is not None and may_be_secret(rest, str(fixed))):
            return None
        reason = " ".join(str(answer["reason"]).split())[:200]
        if answer["recalled"] is not None:
            return self.recalled.value(answer["recalled"], at, text, name=name, reason=reason)
        where = self._rests_on(at, text, answer, shown)
        if where is None:
            return None
        return Value((head, rest) if rest else (head,), data, f"{NAME}: {where}", MOST_SURE, reason)

    def _rests_on(self, at: str, text: str, answer: Mapping[str, Any], shown: Excerpts) -> str | None:
        if text in self.there:
            return _CLUSTER
        if text.partition(": ")[0] in ("vault", "nomad", "consul"):
            return None  # only what was seen to be there: a place that is made up is found missing much later
        if answer["path"] is None or answer["line"] is None:
            return None
        places = [cited(shown.lines, answer["path"], answer["line"], word) for word in words_of(at, text)]
        return str(places[0]) if places and all(places) else None


def words_of(at: str, text: str) -> list[str]:
    """What of an answer has to stand in the file that it is taken from: the label of a port is ours."""
    if at == "ports":
        return [one.rpartition("=")[2].strip() for one in text.split(",")]
    return [text.partition(": ")[2] if text.startswith("fixed: ") else text]


def _line(one: Open) -> str:
    return f"- {one.id}: {one.text}{f' (usual: {one.default})' if one.default else ''}"


def _schema(asked: Collection[Open], shown: Excerpts, recalled: AppsRecalled) -> dict[str, Any]:
    answer = {
        "type": "object",
        "properties": {
            "answer": {"type": "string", "minLength": 1, "maxLength": 300},
            "path": {"type": ["string", "null"], "enum": [*sorted(shown.lines), None]},
            "line": {"type": ["integer", "null"], "minimum": 1},
            "recalled": {"type": ["string", "null"], "enum": [*names(recalled.apps), None]},
            "reason": {"type": "string", "maxLength": 300},
        },
        "required": ["answer", "path", "line", "recalled", "reason"],
        "additionalProperties": False,
    }
    ids = [one.id for one in asked]
    return {
        "type": "object", "properties": {at: {"anyOf": [{"type": "null"}, answer]} for at in ids}, "required": ids,
        "additionalProperties": False,
    }  # fmt: skip


def with_suggestions(draft: Draft, values: Mapping[str, Value]) -> Draft:
    """The draft that suggests these where it suggests nothing of its own that is surer; all else is as it was."""
    asked = [one for one in draft.questions if one.id in values]
    found = {one.id: values[one.id] for one in asked if _surer(values[one.id], one, draft)}
    return replace(
        draft,
        questions=tuple(_suggested(one, found) for one in draft.questions),
        suggestions=MappingProxyType({**draft.suggestions, **found}),
    )


def _surer(value: Value, question: Open, draft: Draft) -> bool:
    """Than what the draft suggests itself, which mostly is a guess by a name."""
    own = draft.suggestions.get(question.id)
    if not question.default or own is None:
        return not question.default
    return own.source.startswith(BY_NAME) and value.confidence > own.confidence


def _suggested(one: Open, found: Mapping[str, Value]) -> Open:
    value = found.get(one.id)
    return one if value is None else replace(one, default=answer_text(one.id, value.data) or "")
