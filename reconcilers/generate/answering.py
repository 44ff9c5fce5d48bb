"""What a model is asked about one app that nobody looks at: what its words mean, and what its code leaves open.

One round of at most three questions. Raises where the model could not be asked, so that whoever keeps the answers knows
that it is to be asked again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from types import MappingProxyType

from desired.draft.value import BY_PROMPT, Value
from desired.errors import OperatorError
from desired.facts.codebase import Codebase
from desired.help import Wanting
from prompts.catalog import Prompts
from prompts.model.question import Model
from reconcilers.generate.excerpts import excerpts
from reconcilers.generate.given import Given, standing, told_by
from reconcilers.generate.intent import Meant, ModelIntent
from reconcilers.generate.lived import about
from reconcilers.generate.model_draft import ModelDraft
from reconcilers.generate.model_facts import ModelFacts
from reconcilers.generate.recalled_apps import AppsRecalled
from reconcilers.generate.unattended import added, counts, is_there

Redact = Callable[[str], str]


async def _nothing(_wanting: Wanting) -> AppsRecalled:
    return AppsRecalled()


@dataclass(frozen=True, slots=True)
class Answering:
    """`there` tells places that the cluster has, as answers name them; those that are named like an app are its own.

    `recalled` tells what memory knows of apps like it.
    """

    model: Model
    prompts: Prompts
    redact: Redact
    there: Callable[[Wanting], Awaitable[Collection[str]]]
    recalled: Callable[[Wanting], Awaitable[AppsRecalled]] = _nothing

    async def meant(self, wanting: Wanting, given: Given) -> Given:
        """With what the words mean. Raises OperatorError."""
        told: list[OperatorError] = []
        asker = ModelIntent(self.model, self.prompts, self.redact, told.append, _purse(wanting))
        found = await asker.meant(wanting.words, app=str(wanting.key), variables=wanting.app.facts.env_uses)
        _raise(told)
        return replace(given, words=told_by(wanting.words), meant=MappingProxyType(_values(found)))

    async def answered(self, wanting: Wanting, given: Given, codebase: Codebase) -> Given:
        """With what answers the questions that are open. What was answered before and still stands is not asked again,
        nor what has no answer while the model would be shown the same. Raises OperatorError.
        """
        kept = standing(given.values, codebase)
        seen = await asyncio.to_thread(excerpts, codebase, wanting.app.component, redact=_as_it_is)
        shown = hashlib.sha256(seen.text.encode()).hexdigest()[:16]
        known = given.asked if given.shown == shown else frozenset()
        open_ = tuple(one for one in wanting.draft.questions if one.id not in kept and one.id not in known)
        told: list[OperatorError] = []
        values: dict[str, Value] = {}
        purse = _purse(wanting)
        if open_:
            there, recalled = await self.there(wanting), await self.recalled(wanting)
            asker = ModelDraft(
                self.model, self.prompts, self.redact, there, told.append, every=True, purse=purse, recalled=recalled
            )  # fmt: skip
            draft = replace(wanting.draft, questions=open_)
            found = await asker.values(draft, codebase, wanting.app.component)
            values = {at: value for at, value in found.items() if is_there(value, there)}
        _raise(told)
        before = wanting.app.facts
        if wanting.app.component.code and given.shown != shown and not (before.ports and before.health):
            # More than was asked for: without it the rest is as good.
            filled = await ModelFacts(self.model, self.prompts, self.redact, purse=purse).filled(wanting.app, codebase)
            values |= {one.id: one for one in added(before, filled.facts)}
        taken = {at: one for at, one in values.items() if counts(one, wanting.key.name)}
        asked = {one.id for one in wanting.draft.questions}
        return replace(
            given, code=wanting.code, asked=frozenset(asked), shown=shown, values=MappingProxyType({**taken, **kept})
        )  # fmt: skip


def about_app(wanting: Wanting) -> frozenset[str]:
    """What the app is, in words that apps of its kind share."""
    kind = next((str(value.data) for value in wanting.draft.values if value.at == ("type",)), "service")
    return about(wanting.app.facts, kind)


def _as_it_is(text: str) -> str:
    """Nobody is shown this."""
    return text


def _purse(wanting: Wanting) -> str:
    return f"the code of {wanting.key}"


def _values(meant: Meant) -> dict[str, Value]:
    return {at: _value(at, data, meant.words[at]) for at, data in meant.answers.items()}


def _value(at: str, data: object, words: str) -> Value:
    head, _, rest = at.partition(".")
    return Value((head, rest) if rest else (head,), data, BY_PROMPT, 1.0, f"“{words}”")


def _raise(told: list[OperatorError]) -> None:
    if told:
        raise told[0]
