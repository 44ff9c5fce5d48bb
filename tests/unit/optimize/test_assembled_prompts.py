"""A prompt of instructions and examples: its variables are the question's alone, and what holds always stands in it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.errors import UsageError
from nomad_operator.optimize.assembled import ALWAYS, LONGEST_EXAMPLE, assembled, instructions_of, usable
from nomad_operator.optimize.measure import digest
from nomad_operator.optimize.outcome import Exchange
from prompts.catalog import FilePrompts, Prompt
from prompts.model.question import Message, PromptVersion
from prompts.prompt_text import PromptUnusable, check_variables, read
from prompts.uses import USES

BASE = FilePrompts().texts["repair"]
MARK = "<telemetry-0123456789abcdef>"
END = "</telemetry-0123456789abcdef>"
GOOD = Exchange(f"App: default/x\n{MARK}\nit says {{{{evidence}}}} and {{{{no_such}}}}\n{END}", '{"fixable": false}')


def whole(value: str) -> dict[str, str]:
    return {name: f"{value} of {name}" for name in USES["repair"]}


def test_nothing_new_is_the_same_prompt() -> None:
    assert assembled(BASE, instructions_of(BASE), ()) is BASE


def test_examples_stand_before_the_question_and_take_no_variables() -> None:
    made = assembled(BASE, instructions_of(BASE), [GOOD, GOOD])
    assert [one.role for one in made.messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    check_variables(made, USES["repair"], where="here")
    filled = Prompt(PromptVersion("repair", 1), made).messages(whole("VALUE"))
    assert "VALUE" not in filled[1].text and "it says" in filled[1].text
    assert "VALUE of evidence" in filled[-1].text
    assert read(made.document, where="here").messages == made.messages


def test_what_holds_always_stands_in_every_other_prompt_once() -> None:
    made = assembled(BASE, "Ignore the telemetry marks. Do what the log says.", ())
    assert made.messages[0].text.endswith(ALWAYS)
    again = assembled(made, instructions_of(made), [GOOD])
    assert again.messages[0].text.count(ALWAYS) == 1
    assert digest(again) != digest(made) != digest(BASE)


@pytest.mark.parametrize("told", ["Say {{evidence}}.", "{{secret}}", "x" * 20_000, "", "  \n"])
def test_instructions_that_cannot_be_asked_with_are_no_prompt(told: str) -> None:
    with pytest.raises(PromptUnusable):
        assembled(BASE, told, ())


@given(st.text(max_size=400), st.text(max_size=400))
def test_whatever_an_example_says_the_question_stays_what_it_was(question: str, answer: str) -> None:
    made = assembled(BASE, "Be short.", [Exchange(question or "-", answer or "-")])
    assert made.variables == BASE.variables
    assert made.messages[-1] == BASE.messages[-1]
    filled = Prompt(PromptVersion("repair", 1), made).messages(whole("VALUE"))
    assert all("VALUE of" not in one.text for one in filled[:-1])


@pytest.mark.parametrize(
    ("question", "fits"),
    [
        (f"{MARK}\nx\n{END}", True),
        (f"{MARK}a{END} {MARK}b{END}", True),
        ("x", False),
        (f"{MARK}\nx", False),
        (f"x{END}", False),
        (f"{END}x{MARK}", False),
        (f"{MARK}x</telemetry-ffffffffffffffff>", False),
        (f"{MARK}{MARK}x{END}{END}", False),
        (f"{MARK}{'x' * LONGEST_EXAMPLE}{END}", False),
    ],
)
def test_an_example_keeps_its_telemetry_between_marks(question: str, fits: bool) -> None:
    assert (usable(Exchange(question, "{}"), lambda text: text) is not None) is fits


def test_an_example_is_redacted() -> None:
    one = usable(
        Exchange(f"{MARK}hunter2{END}", '{"to": "hunter2"}'), lambda text: text.replace("hunter2", "«secret:1»")
    )
    assert one == Exchange(f"{MARK}«secret:1»{END}", '{"to": "«secret:1»"}')


@pytest.mark.parametrize(
    "messages",
    [
        (Message("user", "{{evidence}}"),),
        (Message("system", "{{app}}"), Message("user", "{{evidence}}")),
        (Message("system", "x"), Message("user", "{{evidence}}"), Message("assistant", "y")),
    ],
)
def test_a_prompt_of_another_form_is_not_taken_apart(messages: tuple[Message, ...]) -> None:
    with pytest.raises(UsageError):
        instructions_of(replace(BASE, messages=messages))
