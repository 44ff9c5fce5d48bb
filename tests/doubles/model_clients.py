"""Model clients for tests: the real one, on the loopback or on a scripted endpoint in the process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from opentelemetry.trace import Tracer

from desired.errors import OperatorError
from prompts.model.breaker import Breaker, BreakerSettings
from prompts.model.client import ModelClient, ModelSettings
from prompts.model.heard import Heard, Lost
from prompts.model.question import Message, Question
from prompts.model.token_budget import TokenBudget
from prompts.model.tries import Endpoint
from prompts.model.wire import Wire

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"memory": {"type": "integer", "minimum": 1}, "why": {"type": "string"}},
    "required": ["memory", "why"],
    "additionalProperties": False,
}
GOOD = {"memory": 512, "why": "it was killed"}
KEY = "sk-never-to-be-told-0123456789"


def question(*, settings: Mapping[str, Any] | None = None, purse: str = "", text: str = "It died.") -> Question:
    """A question that `GOOD` answers."""
    messages = (Message("system", "You repair jobs."), Message("user", text))
    return Question(messages, "repair", SCHEMA, settings=settings or {}, purse=purse)


@dataclass(slots=True)
class Counted:
    """What the client told of its questions, and of its endpoint: an error where it opened, None where it closed."""

    outcomes: list[str] = field(default_factory=list)
    tokens: list[tuple[int, int]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    watched: list[OperatorError | None] = field(default_factory=list)

    def model_asked(self, prompt: str, outcome: str, seconds: float) -> None:
        self.outcomes.append(outcome)
        self.seconds.append(seconds)

    def model_tokens(self, prompt: str, tokens_in: int, tokens_out: int) -> None:
        self.tokens.append((tokens_in, tokens_out))


class SaidEndpoint:
    """Stands in for the wire: `lines` are what comes back, in their order, the last for ever; a float waits first."""

    def __init__(self, *lines: Heard | Lost | tuple[float, Heard | Lost], models: Heard | Lost | None = None) -> None:
        self._lines = list(lines)
        self._models = models
        self.requests: list[Mapping[str, Any]] = []
        self.at_once = self.at_most = 0

    async def complete(self, request: Mapping[str, Any]) -> Heard | Lost:
        self.requests.append(request)
        line = self._lines.pop(0) if len(self._lines) > 1 else self._lines[0]
        wait, said = line if isinstance(line, tuple) else (0.0, line)
        self.at_once += 1
        self.at_most = max(self.at_most, self.at_once)
        try:
            await asyncio.sleep(wait)
        finally:
            self.at_once -= 1
        return said

    async def models(self) -> Heard | Lost:
        assert self._models is not None, "nobody was to ask for the models"
        return self._models

    async def aclose(self) -> None:
        """Nothing is open."""


def client(
    endpoint: Endpoint,
    *,
    counted: Counted | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    budget: TokenBudget | None = None,
    breaker: BreakerSettings | None = None,
    redact: Callable[[str], str] = lambda text: text.replace(KEY, "«key»"),
    tracer: Tracer | None = None,
    **settings: Any,
) -> ModelClient:
    """The real client on any endpoint."""
    counted = counted or Counted()
    about: dict[str, Any] = {"who": "the model at http://there/v1", "model": "qwen3", **settings}
    return ModelClient(
        settings=ModelSettings(**about),
        endpoint=endpoint,
        budget=budget or TokenBudget(per_hour=1_000_000, per_purse=1_000_000, clock=clock),
        breaker=Breaker(clock=clock, watcher=counted.watched.append, settings=breaker),
        accounts=counted,
        redact=redact,
        clock=clock,
        random=lambda: 0.0,
        sleep=sleep,
        tracer=tracer,
    )


def wired(base_url: str, *, seconds: float = 5.0, key: str = KEY, **about: Any) -> ModelClient:
    """The real client on a real connection. Waits between tries take no time."""

    async def at_once(_seconds: float) -> None:
        await asyncio.sleep(0)

    within = timedelta(seconds=seconds)
    wire = Wire(who="the model at http://there/v1", base_url=base_url, api_key=key, deadline=within)
    return client(wire, **{"sleep": at_once, "deadline": within, **about})
