"""The model that the settings name; none where they name no endpoint and no key. Everything else works without one."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from desired.errors import OperatorError
from desired.help import Wanting
from nomad_operator.from_settings import secrets_of
from nomad_operator.interview.cluster import learn
from nomad_operator.service_clients import ServiceClients
from nomad_operator.settings import Settings
from observers.nomad.client import NomadClient
from observers.redaction import Placeholders, Redactor
from prompts.catalog import Prompts
from prompts.model.question import Model
from reconcilers.generate.answering import Answering, about_app
from reconcilers.generate.recalled_apps import AppsRecalled
from reconcilers.generate.unattended import named_like
from reconcilers.repair.experience import Experience

if TYPE_CHECKING:
    from prompts.model.client import Accounts, ModelClient

# Where a key alone leads.
OPENAI = "https://api.openai.com/v1"
_LEARNT_WITHIN = timedelta(seconds=10)


class Outages(Protocol):
    """One line when it goes, one when it is back."""

    def report(self, service: str, problem: str | None, *, hint: str = "") -> bool: ...


class Metrics(Protocol):
    """What is counted of it."""

    def model_asked(self, prompt: str, outcome: str, seconds: float) -> None: ...

    def model_tokens(self, prompt: str, tokens_in: int, tokens_out: int) -> None: ...

    def dependency_up(self, service: str, *, up: bool) -> None: ...


def model_address(settings: Settings) -> str | None:
    """Where the model is asked; None where none is set."""
    return settings.openai_base_url or (OPENAI if settings.openai_api_key is not None else None)


def model(settings: Settings, *, metrics: Metrics, outages: Outages, placeholders: Placeholders) -> ModelClient | None:
    """For the life of a process; nothing is asked yet. UsageError where the address cannot be one."""
    if model_address(settings) is None:
        return None

    def watch(error: OperatorError | None) -> None:
        outages.report("model", error.message if error else None, hint=error.hint if error else "")
        metrics.dependency_up("model", up=error is None)

    metrics.dependency_up("model", up=True)
    return model_client(settings, accounts=metrics, watch=watch, placeholders=placeholders)


def answering_for(
    settings: Settings,
    *,
    model: Model | None,
    prompts: Prompts,
    services: ServiceClients,
    nomad: NomadClient,
    placeholders: Placeholders,
    experience: Experience | None,
) -> Answering | None:
    """What it is asked about the code of apps while nobody looks; None without a model."""
    if model is None:
        return None

    async def there(wanting: Wanting) -> Collection[str]:
        known = await learn(
            vault=services.vault, consul=services.consul, nomad=nomad, namespace=wanting.key.namespace,
            deadline=_LEARNT_WITHIN,
        )  # fmt: skip
        return named_like(wanting.key.name, known.as_answers)

    async def recalled(wanting: Wanting) -> AppsRecalled:
        if experience is None:
            return AppsRecalled()
        return await experience.apps_like(about_app(wanting), app=str(wanting.key))

    redact = Redactor(known=secrets_of(settings), placeholders=placeholders).redact
    return Answering(model, prompts, redact, there, recalled)


def model_client(
    settings: Settings,
    *,
    accounts: Accounts,
    watch: Callable[[OperatorError | None], None],
    placeholders: Placeholders,
    deadline: timedelta | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> ModelClient:
    """`deadline` takes the place of the setting's."""
    # openai takes half a second to import: nobody waits for it who has no model.
    from prompts.model.breaker import Breaker
    from prompts.model.client import ModelClient, ModelSettings
    from prompts.model.token_budget import TokenBudget
    from prompts.model.wire import Wire

    address = model_address(settings) or OPENAI
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key is not None else ""
    who = f"the model at {address}"
    within = deadline if deadline is not None else settings.model_timeout
    return ModelClient(
        settings=ModelSettings(who=who, model=settings.model, deadline=within, at_once=settings.model_concurrency),
        endpoint=Wire(who=who, base_url=address, api_key=key, deadline=within),
        budget=TokenBudget(
            per_hour=settings.model_tokens_per_hour,
            per_purse=settings.model_tokens_per_episode,
            clock=time.monotonic,
        ),
        breaker=Breaker(clock=time.monotonic, watcher=watch),
        accounts=accounts,
        redact=Redactor(known=secrets_of(settings), placeholders=placeholders).redact,
        clock=time.monotonic,
        random=random.random,
        sleep=sleep,
    )
