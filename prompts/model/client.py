"""The model behind an OpenAI-compatible endpoint: bounded in time, tokens and questions at once, never trusted.

One deadline holds for a whole question: the wait for a turn, every try, the last byte. Asking changes nothing, so what
may pass is asked again inside that deadline. Answers are read strictly and held to their schema here, whatever an
endpoint says that it enforces. Every way to have no answer is an OperatorError; anything else is a mistake of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from opentelemetry.trace import Tracer

from desired.errors import DeadlineExceeded, Forbidden, OperatorError, RateLimited, Unavailable
from prompts.model.breaker import Breaker, Call
from prompts.model.dialect import Form
from prompts.model.generation import answered, generation, own_tracer
from prompts.model.heard import UnknownModel
from prompts.model.question import Question, Reply
from prompts.model.sampling import sampling_of
from prompts.model.schema import check_schema
from prompts.model.telling import Telling
from prompts.model.token_budget import OutOfTokens, TokenBudget
from prompts.model.tries import Asking, Endpoint, Tries
from prompts.model.unusable import UnusableAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """`who` names the model and where it is, in errors. `model` empty is the only one that the endpoint lists.

    `tokens_out` is the most that is answered where a prompt does not say; `retries` are those of one question.
    """

    who: str
    model: str = ""
    deadline: timedelta = timedelta(seconds=60)
    at_once: int = 4
    tokens_out: int = 2048
    retries: int = 2


class Outcome(StrEnum):
    """How a question ended, beside the faults of an answer. They are labels of metrics and only grow."""

    ANSWERED = "answered"
    GIVEN_UP = "given_up"
    TOO_LATE = "too_late"
    UNAVAILABLE = "unavailable"
    RATE_LIMITED = "rate_limited"
    OUT_OF_TOKENS = "out_of_tokens"
    IMPOSSIBLE = "impossible"  # the endpoint or a setting is wrong: nobody is asked again without a change


class Accounts(Protocol):
    """Who counts what was asked; `prompt` is its name, `outcome` one of `Outcome` or `Fault`."""

    def model_asked(self, prompt: str, outcome: str, seconds: float) -> None: ...

    def model_tokens(self, prompt: str, tokens_in: int, tokens_out: int) -> None: ...


class ModelClient:
    """Implements `Model`. `clock` is monotonic, in seconds; `redact` takes secrets out of what errors quote."""

    def __init__(
        self,
        *,
        settings: ModelSettings,
        endpoint: Endpoint,
        budget: TokenBudget,
        breaker: Breaker,
        accounts: Accounts,
        redact: Callable[[str], str],
        clock: Callable[[], float],
        random: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        tracer: Tracer | None = None,
    ) -> None:
        self._settings = settings
        self._endpoint = endpoint
        self._breaker = breaker
        self._accounts = accounts
        self._redact = redact
        self._clock = clock
        self._tracer = tracer or own_tracer()
        self._turns = asyncio.Semaphore(settings.at_once)
        self._tries = Tries(
            endpoint=endpoint, budget=budget, model=settings.model, tokens_out=settings.tokens_out,
            retries=settings.retries, clock=clock, random=random, sleep=sleep,
        )  # fmt: skip

    async def ask(self, question: Question) -> Reply:
        """See `Model`. Cancelling it ends the request."""
        reply, _ = await self.ask_and_tell(question)
        return reply

    async def ask_and_tell(self, question: Question) -> tuple[Reply, Form]:
        """The reply, and in which way it was bound to its schema."""
        check_schema(question.schema)
        name = question.prompt.name if question.prompt is not None else question.schema_name
        started = self._clock()
        asking = Asking(
            question, sampling_of(question), Telling(f"{self._settings.who}, asked for {name}", self._redact),
            started + self._settings.deadline.total_seconds(),
        )  # fmt: skip
        outcome: str = Outcome.GIVEN_UP
        try:
            with generation(self._tracer, question) as span:
                reply = await self._in_time(asking, started)
                answered(span, reply, form=asking.form.value)
            outcome = Outcome.ANSWERED
        except OperatorError as error:
            outcome = _outcome(error)
            raise
        finally:
            self._accounts.model_asked(name, outcome, self._clock() - started)
            self._accounts.model_tokens(name, asking.tokens_in, asking.tokens_out)
        return reply, asking.form

    async def aclose(self) -> None:
        await self._endpoint.aclose()

    async def _in_time(self, asking: Asking, started: float) -> Reply:
        call: Call | None = None
        seconds = self._settings.deadline.total_seconds()
        try:
            async with asyncio.timeout(seconds), self._turns:
                call = self._breaker.admit()
                answer = await self._tries.answer(asking)
                call.worked()
        except TimeoutError:
            waited = "its turn did not come" if call is None else "no complete answer"
            late = DeadlineExceeded(
                f"{asking.telling.who}: {waited} within {seconds:g} s",
                hint="is it overloaded? raise NOMAD_OPERATOR_MODEL_TIMEOUT_SECONDS, or lower the prompt's `max_tokens`",
            )
            if call is not None:
                call.failed(late)
            raise late from None
        except OperatorError as error:
            if call is not None:
                _judge(call, error)
            raise
        finally:
            # Cancelled: nothing was learned.
            if call is not None:
                call.let_go()
        return Reply(answer.value, answer.model, asking.tokens_in, asking.tokens_out, self._clock() - started)


def _judge(call: Call, error: OperatorError) -> None:
    """Whether the endpoint is of any use, as far as one question can tell."""
    if isinstance(error, OutOfTokens):
        call.let_go()
    elif isinstance(error, Unavailable | DeadlineExceeded | Forbidden | UnknownModel):
        call.failed(error)
    else:
        call.worked()


def _outcome(error: OperatorError) -> str:
    if isinstance(error, UnusableAnswer):
        return error.fault
    table = (
        (OutOfTokens, Outcome.OUT_OF_TOKENS), (RateLimited, Outcome.RATE_LIMITED),
        (DeadlineExceeded, Outcome.TOO_LATE), (Unavailable, Outcome.UNAVAILABLE),
    )  # fmt: skip
    return next((outcome for kind, outcome in table if isinstance(error, kind)), Outcome.IMPOSSIBLE)
