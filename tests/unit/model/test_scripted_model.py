"""The double keeps the promises of a model, so that a test with it says something about the real one."""

from __future__ import annotations

import pytest

from desired.errors import Unavailable
from prompts.model.question import Message, Model, PromptVersion, Question
from prompts.model.unusable import UnusableAnswer
from tests.doubles.scripted_model import ScriptedModel

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def _question(text: str = "", prompt: str = "") -> Question:
    named = PromptVersion(prompt, 1) if prompt else None
    return Question((Message("user", text),), "count", SCHEMA, prompt=named)


async def test_lines_are_said_in_their_order_and_the_last_for_ever() -> None:
    model: Model = ScriptedModel({"count": [{"n": 1}, {"n": 2}]})
    assert [(await model.ask(_question())).value["n"] for _ in range(4)] == [1, 2, 2, 2]


async def test_each_prompt_has_its_own_lines_and_questions_are_kept() -> None:
    model = ScriptedModel({"count": [{"n": 1}], "repair": [lambda question: {"n": len(question.messages[0].text)}]})
    assert (await model.ask(_question("four", prompt="repair"))).value == {"n": 4}
    assert (await model.ask(_question())).value == {"n": 1}
    assert [question.messages[0].text for question in model.asked] == ["four", ""]


async def test_errors_are_raised_and_a_misfit_is_one() -> None:
    model = ScriptedModel({"count": [Unavailable("away"), {"n": "one"}]})
    with pytest.raises(Unavailable, match="away"):
        await model.ask(_question())
    with pytest.raises(UnusableAnswer, match="n is not of type integer"):
        await model.ask(_question())
    with pytest.raises(AssertionError, match="'other'"):
        await model.ask(_question(prompt="other"))
