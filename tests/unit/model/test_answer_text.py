"""The one JSON object in a model's text: what is taken, what is refused, and that nothing of it is repeated."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.model.answer_text import LARGEST, NoObject, read_object

TAKEN = {
    "plain": '{"a": 1}',
    "white space": '\n\n {"a": 1}\n',
    "fence": '```json\n{"a": 1}\n```',
    "fence without a language": '```\n{"a": 1}\n```',
    "fence with words beside it": 'Here it is:\n\n```json\n{"a": 1}\n```\nGood luck!',
    "fence on carriage returns": '```json\r\n{"a": 1}\r\n```',
    "reasoning": '<think>{"a": 2}</think>{"a": 1}',
    "empty reasoning": '<think>\n\n</think>\n\n{"a": 1}',
    "reasoning twice": '<think>x</think><think>y</think>{"a": 1}',
    "reasoning whose beginning is in the prompt": 'well, {"a": 2} or\n</think>\n\n{"a": 1}',
    "reasoning, then a fence": '<think>```</think>\n```json\n{"a": 1}\n```',
}


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN)
def test_one_object_is_found(text: str) -> None:
    assert read_object(text) == {"a": 1}


def test_tags_and_fences_inside_of_a_text_belong_to_it() -> None:
    value = {"a": "<think>```x```</think>", "b": "</think>"}
    assert read_object(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("<think>secret thing</think>", "it is empty"),
        ("<think>secret thing", "its reasoning never ends"),
        ("I cannot do that", "it is not JSON from character 1 on"),
        ('Sure: {"a": 1}', "it is not JSON from character 1 on"),
        ('{"a": 1} as you asked', "it is not JSON from character 10 on"),
        ('{"a": 1}{"a": 2}', "it is not JSON from character 9 on"),
        ('{"a": "secret thing', "it is not JSON from character 7 on"),
        ('{"a": 1', "its JSON ends too early"),
        ('{"a": ', "its JSON ends too early"),
        ("{'a': 1}", "it is not JSON from character 2 on"),
        ('{"a": 1,}', "it is not JSON from character 9 on"),
        ('[{"a": 1}]', "it is JSON, but no object"),
        ('"secret thing"', "it is JSON, but no object"),
        ("null", "it is JSON, but no object"),
        ("7", "it is JSON, but no object"),
        ('{"a": 1, "a": 2}', "it has the same name twice in an object"),
        ('{"b": {"a": 1, "a": 1}}', "it has the same name twice in an object"),
        ('{"a": NaN}', "it has NaN or Infinity, which JSON does not have"),
        ('{"a": -Infinity}', "it has NaN or Infinity, which JSON does not have"),
        ('{"a": 1e999}', "it has a number that is too large"),
        ('{"a": ' + "9" * 5000 + "}", "it has a number that is too long"),
        ('{"a": ' * 9000, "it is nested too deeply"),
        ('{"a": "\\ud83d"}', "it has half a character in a text"),
        ('{"\\ude00": 1}', "it has half a character in a text"),
        ('{"a": ["\\ud83d"]}', "it has half a character in a text"),
        ('```json\n{"a": 1}\n```\n```json\n{"a": 2}\n```', "it has more than one code block, or one that never ends"),
        ('```json\n{"a": 1}', "it has more than one code block, or one that never ends"),
        ('```hcl\njob "x" {}\n```', "its code block is not JSON"),
        ('{"a": "' + "x" * LARGEST + '"}', "it is longer than 256 KiB"),
    ],
)
def test_what_is_not_one_object_is_told_without_its_words(text: str, why: str) -> None:
    with pytest.raises(NoObject) as told:
        read_object(text)
    assert str(told.value) == why


@given(st.text())
def test_no_text_brings_anything_else_than_an_object_or_a_reason(text: str) -> None:
    try:
        assert isinstance(read_object(text), dict)
    except NoObject as error:
        assert str(error).startswith(("it ", "its "))


_inner = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=("Cs",))),
    lambda value: (
        st.lists(value, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), value)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), _inner), st.booleans())
def test_every_object_is_read_as_it_was_written(value: dict[str, object], escaped: bool) -> None:
    assert read_object(json.dumps(value, ensure_ascii=escaped)) == value
