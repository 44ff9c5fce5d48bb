"""What a model adds to an interview, where one is set: facts, the meaning of a person's words, suggestions.

Everything is a suggestion with its source, or said in the person's own words; a model that is away is told once, and
the interview goes on as without one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from desired.errors import OperatorError
from desired.facts.analyze import Analysis
from desired.facts.codebase import Codebase
from nomad_operator.from_settings import secrets_of
from nomad_operator.interview.found_app import FoundApp, found_apps
from nomad_operator.interview.knowledge import Knowledge
from nomad_operator.interview.remembered import AppsRemembered
from nomad_operator.langfuse.from_settings import prompts_of_a_command
from nomad_operator.model_from_settings import model_address, model_client
from nomad_operator.settings import Settings
from observers.redaction import Placeholders, Redactor
from prompts.catalog import Prompts
from prompts.model.question import Model
from prompts.model.unusable import UnusableAnswer
from reconcilers.generate.intent import ModelIntent
from reconcilers.generate.model_draft import ModelDraft
from reconcilers.generate.model_facts import ModelFacts

# People wait for it, sometimes at a terminal.
DEADLINE = timedelta(seconds=45)
_MOST_APPS = 8


class Uncounted:
    """A command's life is too short for metrics."""

    def model_asked(self, prompt: str, outcome: str, seconds: float) -> None: ...

    def model_tokens(self, prompt: str, tokens_in: int, tokens_out: int) -> None: ...


@dataclass(frozen=True, slots=True)
class ModelHelp:
    """`told` hears what the model could not be asked or did not answer, each once."""

    model: Model
    prompts: Prompts
    redact: Callable[[str], str]
    told: Callable[[OperatorError], None]

    async def facts(self, analysis: Analysis, codebase: Codebase) -> Analysis:
        """The analysis with the gaps of its apps filled as far as files say so."""
        return await ModelFacts(self.model, self.prompts, self.redact, self.told).fill(analysis, codebase)

    async def apps(
        self, analysis: Analysis, codebase: Codebase, knowledge: Knowledge, prompt: str, memory: AppsRemembered
    ) -> tuple[FoundApp, ...]:
        """The apps as they are found without a model, with what was understood of the words and suggested besides."""
        analysis = await self.facts(analysis, codebase)
        found = tuple(memory.suggesting(app) for app in found_apps(analysis, knowledge, prompt))
        made = [await self._meant(app) for app in found[:_MOST_APPS]]
        helped = []
        for app, one in zip(made, analysis.apps, strict=False):
            recalled = memory.like(app)
            asker = ModelDraft(
                self.model, self.prompts, self.redact, knowledge.as_answers, self.told, recalled=recalled
            )  # fmt: skip
            values = await asker.values(app.draft({}), codebase, one.component)
            helped.append(replace(app, suggested=MappingProxyType({**app.suggested, **values})))
        return (*helped, *found[_MOST_APPS:])

    async def _meant(self, app: FoundApp) -> FoundApp:
        """What is understood of the words that plain patterns left; the words themselves are kept."""
        rest = app.prompted.get("prompt")
        if not rest:
            return app
        asker = ModelIntent(self.model, self.prompts, self.redact, self.told)
        meant = await asker.meant(str(rest), app=app.name, variables=app.facts.env_uses)
        prompted: Mapping[str, Any] = {**meant.answers, **app.prompted}
        return replace(app, prompted=MappingProxyType(dict(prompted)))


async def with_model(
    settings: Settings, told: Callable[[str], None], ask: Callable[[ModelHelp], Any]
) -> Any:  # fmt: skip
    """What `ask` comes to with the model of the settings, which has to be set; closed in the end."""
    placeholders = Placeholders()
    heard: set[str] = set()

    def once(error: OperatorError) -> None:
        # That it is away is the same news for every question.
        news = error.message if isinstance(error, UnusableAnswer) else ""
        if news not in heard:
            heard.add(news)
            told(f"{error.message}{f' ({error.hint})' if error.hint else ''}")

    deadline = min(DEADLINE, settings.model_timeout)
    client = model_client(
        settings, accounts=Uncounted(), watch=lambda _: None, placeholders=placeholders, deadline=deadline
    )
    redact = Redactor(known=secrets_of(settings), placeholders=placeholders).redact
    try:
        async with prompts_of_a_command(settings, told) as prompts:
            return await ask(ModelHelp(client, prompts, redact, once))
    finally:
        await client.aclose()


def has_model(settings: Settings) -> bool:
    return model_address(settings) is not None
