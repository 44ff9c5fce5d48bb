"""One question, asked until there is an answer: in the forms that the endpoint takes, again where that may help.

Each try sets its tokens aside before it is sent. Who calls bounds the time. What is learned about an endpoint is kept.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from desired.errors import OperatorError, RateLimited, Unavailable, Unsupported
from prompts.model.answer_text import NoObject, is_object, read_object
from prompts.model.completion import model_of, read_body, text_of, usage_of
from prompts.model.dialect import Dialect, Form
from prompts.model.heard import Heard, Lost
from prompts.model.question import Question
from prompts.model.sampling import Sampling
from prompts.model.schema import has_form, violations
from prompts.model.telling import Telling
from prompts.model.token_budget import Reservation, TokenBudget
from prompts.model.unusable import Fault, UnusableAnswer

# What an endpoint does not take is left out one by one: that has an end.
_MOST_REQUESTS = 12
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0
# Prompts name models of their own only here and there.
_MOST_DIALECTS = 50
# Of English and of JSON a token has about four bytes, of other scripts three: rather too many tokens than too few.
_BYTES_A_TOKEN = 3
_TOKENS_A_MESSAGE = 8


class Endpoint(Protocol):
    """Sends one request; bounded in size, not in time."""

    async def complete(self, request: Mapping[str, Any]) -> Heard | Lost: ...

    async def models(self) -> Heard | Lost: ...

    async def aclose(self) -> None: ...


@dataclass(slots=True)
class Asking:
    """One question on its way. `until` is on the clock; tokens are those of every answer that came for it."""

    question: Question
    sampling: Sampling
    telling: Telling
    until: float
    form: Form = Form.SCHEMA
    failures: int = 0
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """`value` satisfies the schema; `model` is what the endpoint calls the one that answered."""

    value: Mapping[str, Any]
    model: str


class _Unbound(UnusableAnswer):
    """An answer that was not bound to its schema, whatever was asked for."""


class Tries:
    """`model` empty is the only one that is listed; `clock` is monotonic, `random` from 0 to 1."""

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        budget: TokenBudget,
        model: str,
        tokens_out: int,
        retries: int,
        clock: Callable[[], float],
        random: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._endpoint = endpoint
        self._budget = budget
        self._model = model
        self._tokens_out = tokens_out
        self._retries = retries
        self._clock = clock
        self._random = random
        self._sleep = sleep
        self._dialects: dict[str, Dialect] = {}

    async def answer(self, asking: Asking) -> Answer:
        """Raises OperatorError."""
        model = await self._name(asking)
        if len(self._dialects) >= _MOST_DIALECTS:
            self._dialects.clear()
        dialect = self._dialects.setdefault(model, Dialect())
        asking.form = dialect.form
        most = asking.sampling.tokens_out or self._tokens_out
        for _ in range(_MOST_REQUESTS):
            request = dialect.request(asking.question, asking.sampling, form=asking.form, tokens_out=most)
            estimate = _estimate(request)
            reserved = self._budget.reserve(estimate + most, purse=asking.question.purse)
            heard = await self._endpoint.complete({"model": model, **request})
            if isinstance(heard, Lost) or not heard.answered:
                await self._turned_away(asking, dialect, request, heard, reserved, model)
                continue
            try:
                answer = self._read(asking, heard, reserved, estimate=estimate, model=model)
            except UnusableAnswer as error:
                form = dialect.unbound(asking.form) if isinstance(error, _Unbound) else None
                if form is None:
                    raise
                asking.form = form
                continue
            dialect.answered(asking.form)
            return answer
        raise Unsupported(f"{asking.telling.who}: it refused every form of the question", hint="look at its log")

    async def _turned_away(
        self,
        asking: Asking,
        dialect: Dialect,
        request: Mapping[str, Any],
        heard: Heard | Lost,
        reserved: Reservation,
        model: str,
    ) -> None:
        """Returns where another try is worth it."""
        if isinstance(heard, Lost):
            if not heard.sent:
                reserved.release()
            await self._again(asking, heard.error, again=heard.again)
            return
        if heard.free:
            reserved.release()
        form = dialect.learn(request, form=asking.form, words=heard.objection)
        if form is not None:
            asking.form = form
            return
        await self._again(asking, heard.refusal(asking.telling, model=model), again=heard.again)

    async def _again(self, asking: Asking, error: OperatorError, *, again: bool) -> None:
        """Wait, and come back where there is time for another try; raise the error where there is not."""
        if not again or asking.failures >= self._retries:
            raise error
        wait = min(_FIRST_WAIT * 2**asking.failures, _LONGEST_WAIT) * (0.5 + self._random() / 2)
        if isinstance(error, RateLimited) and error.retry_after is not None:
            wait = max(wait, error.retry_after.total_seconds())
        if self._clock() + wait >= asking.until:
            raise error
        asking.failures += 1
        await self._sleep(wait)

    def _read(self, asking: Asking, heard: Heard, reserved: Reservation, *, estimate: int, model: str) -> Answer:
        telling = asking.telling
        told = read_body(heard.body, telling)
        usage = usage_of(told)
        tokens_in = estimate if usage.tokens_in is None else usage.tokens_in
        # An endpoint that does not count has thought as well, perhaps: its whole body is what it said.
        tokens_out = _tokens(len(heard.body)) if usage.tokens_out is None else usage.tokens_out
        reserved.settle(tokens_in + tokens_out)
        asking.tokens_in += tokens_in
        asking.tokens_out += tokens_out
        text = text_of(told, telling)
        try:
            value = read_object(text)
        except NoObject as error:
            kind = UnusableAnswer if is_object(text) else _Unbound
            raise kind(
                f"{telling.who}: its answer cannot be read, {error}{telling.quoted(text)}",
                fault=Fault.MALFORMED,
                hint="a model that follows schemas, or an endpoint that enforces them, answers better",
                wrong=(f"the answer is not one JSON object: {error}",),
            ) from None
        wrong = violations(value, asking.question.schema)
        if wrong:
            kind = UnusableAnswer if has_form(value, asking.question.schema) else _Unbound
            raise kind(
                f"{telling.who}: its answer is not what was asked for: {'; '.join(wrong)}",
                fault=Fault.MISFIT,
                hint="a model that follows schemas, or an endpoint that enforces them, answers better",
                wrong=wrong,
            )
        return Answer(value, model_of(told) or model)

    async def _name(self, asking: Asking) -> str:
        """The prompt's model before the setting's; without either the only one that is listed, kept from then on."""
        if asking.sampling.model or self._model:
            return asking.sampling.model or self._model
        who = asking.telling.who
        while True:
            heard = await self._endpoint.models()
            if isinstance(heard, Heard) and heard.answered:
                break
            error = heard.error if isinstance(heard, Lost) else heard.refusal(asking.telling, model="")
            await self._again(asking, error, again=heard.again)
        listed = read_body(heard.body, asking.telling).get("data")
        names = [one.get("id") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        usable = [name for name in names if isinstance(name, str) and name]
        if not usable:
            raise Unavailable(f"{who}: it lists no model", hint="is one loaded there? else set NOMAD_OPERATOR_MODEL")
        if len(usable) > 1:
            raise Unsupported(
                f"{who}: it lists {len(usable)} models, and none was chosen", hint="set NOMAD_OPERATOR_MODEL to one"
            )
        self._model = usable[0]
        return self._model


def _estimate(request: Mapping[str, Any]) -> int:
    """Tokens of the question."""
    return sum(_tokens(len(one["content"].encode())) + _TOKENS_A_MESSAGE for one in request["messages"]) + _tokens(
        len(json.dumps(request.get("response_format", {})))
    )


def _tokens(size: int) -> int:
    return -(-size // _BYTES_A_TOKEN)
