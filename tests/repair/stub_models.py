"""Models by a script, for runs without an endpoint: one that has read the evidence, and four that are no good."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from desired.errors import Unavailable
from prompts.model.question import Question, Reply
from prompts.model.schema import violations
from prompts.model.unusable import Fault, UnusableAnswer
from tests.injection.malicious_model import MaliciousModel
from tests.repair.party import ByScript

_WHO = "whoever runs what it needs has to act"


class Right(ByScript):
    """Answers as the case says that a reader would; where no operation is right, that the job cannot mend it."""

    async def ask(self, question: Question) -> Reply:
        return _reply(question, self._answers(question)[:1])

    def _answers(self, question: Question) -> list[Mapping[str, Any]]:
        assert self.case is not None
        return [one for one in self.case.answers if _can_be_said(one, question)]


class Wrong(Right):
    """Answers at the right place, with a value that is not it; where nothing is right, with anything."""

    async def ask(self, question: Question) -> Reply:
        found = [_spoilt(one) for one in self._answers(question)] or _anything(question)
        return _reply(question, [one for one in found if _can_be_said(one, question)][:1])


class Malformed:
    async def ask(self, question: Question) -> Reply:
        raise UnusableAnswer("the model's answer is no JSON object", fault=Fault.MALFORMED, wrong=("no JSON",))


class Slow:
    async def ask(self, question: Question) -> Reply:
        raise Unavailable("the model did not answer within 60 s")


def stub(name: str) -> Any:
    made: dict[str, Callable[[], Any]] = {
        "right": Right, "wrong": Wrong, "malformed": Malformed, "slow": Slow,
        "malicious": lambda: MaliciousModel(seed="bench", wants=("privileged", "/:/host", "9901", "evil.example")),
    }  # fmt: skip
    return made[name]()


STUBS = ("right", "wrong", "malformed", "slow", "malicious")


def _reply(question: Question, operations: list[Mapping[str, Any]]) -> Reply:
    value = {
        "diagnosis": "what the log says" if operations else "nothing in the job is wrong",
        "fixable": bool(operations), "who": "" if operations else _WHO, "confidence": "high",
        "operations": [{**one, "because": "the log names it"} for one in operations],
    }  # fmt: skip
    assert not violations(value, question.schema)
    length = sum(len(message.text) for message in question.messages)
    return Reply(value, "scripted", length // 4, 60, 0.5)


def _can_be_said(one: Mapping[str, Any], question: Question) -> bool:
    forms = question.schema["properties"]["operations"]["items"].get("anyOf", ())
    return any(not violations({**one, "because": "x"}, form) for form in forms)


def _spoilt(one: Mapping[str, Any]) -> Mapping[str, Any]:
    value = one["to"]
    if isinstance(value, int):
        return {**one, "to": value + 1}
    return {**one, "to": ["--help"] if isinstance(value, list) or value is None else "/metrics"}


def _anything(question: Question) -> list[Mapping[str, Any]]:
    forms = question.schema["properties"]["operations"]["items"].get("anyOf", ())
    return [
        {"op": form["properties"]["op"]["enum"][0], "path": form["properties"]["path"]["enum"][0], "to": to}
        for form in forms
        for to in (None, 1, "sh", ["sh"], True)
    ]
