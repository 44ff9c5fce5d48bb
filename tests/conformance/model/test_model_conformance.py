"""What the client relies on at an endpoint that enforces schemas: on an imitated one, and on a real one."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from desired.errors import DeadlineExceeded, OperatorError, Unsupported
from prompts.model.dialect import Form
from prompts.model.question import Message, Question
from prompts.model.unusable import Fault, UnusableAnswer
from tests.conformance.model.conftest import Target

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "operation": {"enum": ["set_memory", "set_cpu"]},
        "value": {"type": "integer", "minimum": 64, "maximum": 4096},
        "sure": {"type": "boolean"},
        "why": {"type": "string", "maxLength": 24},
    },
    "required": ["operation", "value", "sure", "why"],
    "additionalProperties": False,
}
PROSE: dict[str, Any] = {"type": "object", "properties": {"never": {"enum": ["zq7"]}}, "required": ["never"]}


def _question(
    text: str = "The task was killed at 256 MB.", *, schema: dict[str, Any] = SCHEMA, **settings: Any
) -> Question:
    messages = (Message("system", "You repair jobs."), Message("user", text))
    return Question(messages, "repair", schema, settings={"max_tokens": 400, "temperature": 0.5, **settings})


async def _error(target: Target, question: Question, *, seconds: float = 0.0) -> OperatorError:
    model = target.client(seconds=seconds)
    with pytest.raises(OperatorError) as raised:
        await model.ask(question)
    await model.aclose()
    assert raised.value.hint
    return raised.value


async def test_answers_are_bound_to_the_schema_and_counted(target: Target) -> None:
    model = target.client()
    for seed in range(3):
        reply, form = await model.ask_and_tell(_question(seed=seed))
        assert form is Form.SCHEMA and reply.value["operation"] in ("set_memory", "set_cpu")
        assert reply.model and reply.tokens_in > 10 and reply.tokens_out > 5 and reply.seconds > 0
    await model.aclose()


async def test_an_answer_that_is_cut_off_is_told_so(target: Target) -> None:
    error = await _error(target, _question(max_tokens=3))
    assert isinstance(error, UnusableAnswer) and error.fault is Fault.CUT_OFF


async def test_a_question_that_is_too_long_is_told_so(target: Target) -> None:
    error = await _error(target, _question("word " * 300_000))
    assert isinstance(error, Unsupported) and "the question is too long" in error.message


async def test_settings_that_only_some_know_do_no_harm(target: Target) -> None:
    model = target.client()
    await model.ask(_question(top_k=20, min_p=0.01, enable_thinking=False, repetition_penalty=1.05))
    await model.aclose()


async def test_a_deadline_ends_the_request_and_the_endpoint_goes_on(target: Target) -> None:
    started = time.monotonic()
    error = await _error(target, _question("word " * 500, schema=PROSE | {"maxProperties": 1}), seconds=0.001)
    assert isinstance(error, DeadlineExceeded) and time.monotonic() - started < 2
    model = target.client()
    await model.ask(_question())
    await model.aclose()


async def test_questions_at_once_get_answers(target: Target) -> None:
    model = target.client()
    replies = await asyncio.gather(*(model.ask(_question(seed=number)) for number in range(6)))
    await model.aclose()
    assert len(replies) == 6
