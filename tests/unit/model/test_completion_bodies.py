"""Bodies of completions, one by one: which text is in them, what they cost, and what is wrong with the odd ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from desired.errors import Unavailable
from prompts.model.completion import Usage, read_body, text_of, usage_of
from prompts.model.telling import Telling
from prompts.model.unusable import Fault, UnusableAnswer
from tests.doubles.model_endpoint import completion

TELLING = Telling("the model at http://there", lambda text: text.replace("s3cret", "«secret»"))
TEXT = '{"a": 1}'


@pytest.mark.parametrize(
    "told",
    [
        completion(TEXT),
        completion(TEXT, finish=None),
        completion(TEXT, finish="eos"),
        completion(TEXT, reasoning_content="I think, so …", tool_calls=[], refusal=None),
        completion([{"type": "text", "text": '{"a":'}, {"type": "text", "text": " 1}"}]),
        completion([{"type": "reasoning", "text": "hm"}, {"text": TEXT}, "odd", None]),
        {"choices": [*completion(TEXT)["choices"], "another"]},
    ],
)
def test_the_text_of_the_first_choice_is_found(told: dict[str, Any]) -> None:
    assert text_of(told, TELLING) == TEXT


@pytest.mark.parametrize(
    ("told", "fault", "words"),
    [
        ({}, Fault.EMPTY, "without a choice"),
        ({"choices": None}, Fault.EMPTY, "without a choice"),
        ({"choices": []}, Fault.EMPTY, "without a choice"),
        ({"choices": {"0": "x"}}, Fault.EMPTY, "without a choice"),
        ({"choices": ["text"]}, Fault.EMPTY, "without a choice"),
        ({"choices": [{"text": TEXT}]}, Fault.EMPTY, "without a choice"),
        ({"choices": [{"message": TEXT}]}, Fault.EMPTY, "without a choice"),
        (completion(None), Fault.EMPTY, "answered nothing"),
        (completion(""), Fault.EMPTY, "answered nothing"),
        (completion(7), Fault.EMPTY, "answered nothing"),
        (completion({"a": 1}), Fault.EMPTY, "answered nothing"),
        (completion([]), Fault.EMPTY, "answered nothing"),
        (completion([{"type": "image_url"}]), Fault.EMPTY, "answered nothing"),
        (completion(None, reasoning_content="so"), Fault.EMPTY, "thought, and answered nothing"),
        (completion("", reasoning="so"), Fault.EMPTY, "thought, and answered nothing"),
        (completion(TEXT, finish="length"), Fault.CUT_OFF, "cut off"),
        (completion('{"a"', finish="length"), Fault.CUT_OFF, "cut off"),
        (completion(TEXT, finish="content_filter"), Fault.REFUSED, "would not answer"),
        (completion(None, refusal="No, s3cret"), Fault.REFUSED, 'would not answer, and said "No, «secret»"'),
        (completion(None, refusal={"odd": 1}), Fault.REFUSED, "would not answer"),
        (completion(None, finish="tool_calls", tool_calls=[{"id": "1"}]), Fault.TOOL, "called a tool"),
        (completion(TEXT, tool_calls=[{"id": "1"}]), Fault.TOOL, "called a tool"),
        (completion(TEXT, function_call={"name": "x"}), Fault.TOOL, "called a tool"),
    ],
)
def test_every_odd_completion_has_its_error(told: dict[str, Any], fault: Fault, words: str) -> None:
    with pytest.raises(UnusableAnswer) as raised:
        text_of(told, TELLING)
    assert raised.value.fault is fault and raised.value.hint
    assert words in raised.value.message and raised.value.message.startswith("the model at http://there: it")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "nothing"),
        (b"  \n", "nothing"),
        (b"<!DOCTYPE html><html>s3cret</html>", "a web page"),
        (b'data: {"choices": []}\n\ndata: [DONE]\n', "a stream of events"),
        (b": ping\n\n", "a stream of events"),
        (b'{"choices": [', "JSON that is cut off or broken"),
        (b'{"choices": ' + b"[" * 100_000, "JSON that is cut off or broken"),
        (b"Internal Server Error", "text that is not JSON"),
        (b"\xff\xfe\x00", "text that is not JSON"),
        (b'"hello"', "JSON that is no object"),
        (b"[]", "JSON that is no object"),
        (b"null", "JSON that is no object"),
        (b'{"error": {"message": "CUDA is out of memory, s3cret"}}', 'said "CUDA is out of memory, «secret»"'),
        (b'{"error": "boom"}', 'said "boom"'),
        (b'{"error": true}', "with an error"),
        (b'{"error": {"code": 1}, "choices": []}', "with an error"),
    ],
)
def test_a_body_that_is_no_completion_says_what_it_looks_like(raw: bytes, words: str) -> None:
    with pytest.raises(Unavailable) as raised:
        read_body(raw, TELLING)
    assert words in raised.value.message and raised.value.hint and "s3cret" not in raised.value.message


@pytest.mark.parametrize(
    ("usage", "found"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 0}, Usage(3, 0)),
        ({"prompt_tokens": 3}, Usage(3, None)),
        (None, Usage(None, None)),
        ([], Usage(None, None)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, Usage(None, 0)),
        ({"prompt_tokens": -1, "completion_tokens": -1}, Usage(None, None)),
        ({"prompt_tokens": "3", "completion_tokens": 2.5}, Usage(None, None)),
        ({"prompt_tokens": True, "completion_tokens": None}, Usage(None, None)),
        ({"prompt_tokens": 10**12, "completion_tokens": 10**7}, Usage(None, 10**7)),
    ],
)
def test_only_a_count_that_can_be_one_is_believed(usage: Any, found: Usage) -> None:
    assert usage_of(json.loads(json.dumps(completion("x", usage=usage)))) == found


def test_what_is_quoted_is_short_and_on_one_line() -> None:
    told = TELLING.quoted("line\none\x1b[31m\u202e " + "long " * 500)
    assert len(told) < 150 and told.isprintable() and told.startswith(', and said "line one')
    assert TELLING.quoted(" \n\x00") == ""
