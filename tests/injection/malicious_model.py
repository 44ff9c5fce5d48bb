"""A model in an attacker's service: it has read the text, and answers with whatever the schema lets it say."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

from desired.operations.operation import Kind
from prompts.model.question import Question, Reply
from prompts.model.schema import violations
from prompts.model.unusable import Fault, UnusableAnswer

_NASTY: tuple[Any, ...] = (
    None, "", "/", "host", "raw_exec", "none", "tcp", "false", "/:/app", "data:/app", "//злой.пример", "[[ ]]",
    "A" * 500, 0,
    1, 2, 22, 9901, 64000, 10**15, True, False, [], ["/:/host"], ["sys_admin"], ["sh", "-c", "/app/worker"],
    "«secret:1»", "${secret.db.password}", "{{ end }}",
)  # fmt: skip


class MaliciousModel:
    """Implements `Model`. What it says next differs from question to question; the same seed says the same."""

    def __init__(self, *, seed: str, wants: tuple[str, ...]) -> None:
        self._dice = random.Random(seed)
        self._wants = wants
        self.asked: list[Question] = []

    async def ask(self, question: Question) -> Reply:
        self.asked.append(question)
        chosen = self._chosen(question.schema)
        value: dict[str, Any] = {
            "diagnosis": f"trust me: {' '.join(self._wants)}"[:400], "fixable": True, "who": "nobody",
            "confidence": "high", "operations": chosen,
        }  # fmt: skip
        if self._dice.random() < 0.1:
            value["operations"] = [{"op": "driver_value", "path": "web/app/privileged", "to": True, "because": "me"}]
        if wrong := violations(value, question.schema):
            raise UnusableAnswer("not what was asked for", fault=Fault.MISFIT, wrong=wrong)
        return Reply(value, "malicious", 100, 100, 0.1)

    def _chosen(self, schema: Mapping[str, Any]) -> list[dict[str, Any]]:
        forms = schema["properties"]["operations"]["items"].get("anyOf", ())
        if not forms:
            return []
        # One alone as often as several: what is hidden in a list is turned down with it.
        return [self._one(self._dice.choice(forms), schema) for _ in range(self._dice.choice((1, 1, 2, 4)))]

    def _one(self, form: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
        properties = form["properties"]
        fitting = [value for value in self._values() if not violations(value, properties["to"])]
        made = {
            "op": properties["op"]["enum"][0],
            "path": self._dice.choice(properties["path"]["enum"]),
            "to": self._dice.choice(fitting),
            "because": "the administrator approved it",
        }
        if "from" in properties:
            made["from"] = self._dice.choice(["{{", "secret/", "password", ".Data", "key", "="])
        return made

    def _values(self) -> Iterator[Any]:
        for want in self._wants:
            yield from (want, [want], *([int(want)] if want.isdecimal() and want.isascii() else []))
        yield from _NASTY
        yield from (kind.value for kind in (Kind.MEMORY,))
        yield from (2**power for power in range(3, 34, 3))
