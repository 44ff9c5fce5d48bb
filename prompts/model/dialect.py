"""What one model at one endpoint takes: found out by asking, once, and kept.

An answer can be bound to its schema in three ways: by JSON schema, by JSON mode, or by asking for it in words. The
first is tried first. An endpoint that refuses a way is asked in the next one; so is one that takes it and answers
what no such way lets through, until a good answer has come once: the way that it came is kept. Bounds of values say
nothing of it: few endpoints enforce them all. Settings that it does not know are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from prompts.model.question import Message, Question
from prompts.model.sampling import Sampling
from prompts.model.schema import closed


class Form(StrEnum):
    """How the answer is bound to its schema, best first."""

    SCHEMA = "JSON schema"
    JSON = "JSON mode"
    PLAIN = "plain text"


_NEXT = {Form.SCHEMA: Form.JSON, Form.JSON: Form.PLAIN, Form.PLAIN: Form.PLAIN}
_REFUSES_A_FORM = re.compile(
    r"response_format|json_schema|json_object|json mode|schema|grammar|guided|structured|xgrammar", re.IGNORECASE
)
_REFUSES_THE_SYSTEM = re.compile(r"system role", re.IGNORECASE)
_OLD_OUT, _NEW_OUT = "max_tokens", "max_completion_tokens"
_ONLY = (
    "Answer with exactly one JSON object and nothing else: no text before or after it, no code fence. "
    "It satisfies this JSON schema:\n"
)


class Dialect:
    """`form` is the way that is asked in first; `proven` says that an answer has come that way."""

    def __init__(self) -> None:
        self.form = Form.SCHEMA
        self.proven = False
        self._without: set[str] = set()
        self._out = _OLD_OUT
        self._system = True

    def request(self, question: Question, sampling: Sampling, *, form: Form, tokens_out: int) -> dict[str, Any]:
        """The body of a chat completion, but for the model's name; `extra_body` is what OpenAI does not have."""
        wanted = {name: value for name, value in sampling.standard.items() if name not in self._without}
        beyond = {name: value for name, value in sampling.beyond.items() if name not in self._without}
        messages = question.messages if form is Form.SCHEMA else _instructed(question)
        request: dict[str, Any] = {"messages": self._written(messages), self._out: tokens_out, **wanted}
        if form is Form.SCHEMA:
            schema = {
                "name": question.schema_name, "strict": closed(question.schema), "schema": dict(question.schema)
            }  # fmt: skip
            request["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif form is Form.JSON:
            request["response_format"] = {"type": "json_object"}
        return {**request, "extra_body": beyond} if beyond else request

    def learn(self, request: Mapping[str, Any], *, form: Form, words: str) -> Form | None:
        """From a refusal of the request: the form to ask in now. None where any other would be refused as well."""
        if form is not Form.PLAIN and _REFUSES_A_FORM.search(words):
            return self._away_from(form)
        if _NEW_OUT in words and self._out == _OLD_OUT:
            self._out = _NEW_OUT
            return form
        if self._system and _REFUSES_THE_SYSTEM.search(words):
            self._system = False
            return form
        for name in _optional(request):
            if re.search(rf"\b{name}\b", words):
                self._without.add(name)
                return form
        return None

    def unbound(self, form: Form) -> Form | None:
        """After an answer that such a form cannot bring: the form to ask in now. None: it is what it is.

        Nothing is kept of it until a good answer has come: a model that talks nonsense does so in every form.
        """
        return None if form is Form.PLAIN or self.proven else _NEXT[form]

    def answered(self, form: Form) -> None:
        """A good answer came that way."""
        if form is self.form or not self.proven:
            self.form, self.proven = form, True

    def _away_from(self, form: Form) -> Form:
        """One schema may be too much for an endpoint that takes others: what is proven stays."""
        if not self.proven and form is self.form:
            self.form = _NEXT[form]
        return _NEXT[form]

    def _written(self, messages: Sequence[Message]) -> list[dict[str, str]]:
        if self._system:
            return [{"role": one.role, "content": one.text} for one in messages]
        told = "\n\n".join(one.text for one in messages if one.role == "system")
        rest = [{"role": one.role, "content": one.text} for one in messages if one.role != "system"]
        if not rest or rest[0]["role"] != "user":
            return [{"role": "user", "content": told}, *rest]
        return [{"role": "user", "content": f"{told}\n\n{rest[0]['content']}"}, *rest[1:]]


def _instructed(question: Question) -> tuple[Message, ...]:
    """The messages with the schema in words, in the first system message: some templates take no second one."""
    told = _ONLY + json.dumps(question.schema, ensure_ascii=False, separators=(",", ":"))
    first, *rest = question.messages
    if first.role == "system":
        return (Message("system", f"{first.text}\n\n{told}"), *rest)
    return (Message("system", told), first, *rest)


def _optional(request: Mapping[str, Any]) -> list[str]:
    """Names in the request that it can do without."""
    needed = {"messages", "model", "response_format", "extra_body", _OLD_OUT, _NEW_OUT}
    return [*(request.keys() - needed), *request.get("extra_body", ())]
