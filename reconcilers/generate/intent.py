"""What a person's words mean, as typed answers: what plain patterns left over is what a model is asked about.

Every answer names the words that it was taken from; one whose words the person did not say is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from desired.draft.answers import read_answer
from desired.draft.prompt_words import understood
from desired.errors import OperatorError, UsageError
from desired.facts.possible_secret import may_be_secret
from desired.secret_literals import secret_kind
from prompts.catalog import Prompts
from prompts.model.question import Model, Question

_IDS = (
    "image", "type", "count", "command", "args", "ports", "check", "routes", "dependsOn", "datacenters",
    "resources.cpu", "resources.memory", "resources.memoryMax", "resources.disk",
)  # fmt: skip
# Who may read which secret is not decided by a sentence.
_MOST_ANSWERS = 20
_LONGEST = 4000
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Meant:
    """`answers` by the ids of values, as manifests have them; `words` what each was taken from."""

    answers: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    words: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class ModelIntent:
    """Never raises for a model that is away or talks nonsense: `told` hears it, and nothing is understood."""

    model: Model
    prompts: Prompts
    redact: Callable[[str], str]
    told: Callable[[OperatorError], None] = lambda error: None
    purse: str = ""

    async def meant(self, text: str, *, app: str, variables: Collection[str] = ()) -> Meant:
        """`variables` are the names that the app reads: `fixed: text` can be answered for those."""
        said = self.redact(text[:_LONGEST])
        if not said.strip():
            return Meant()
        ids = [*_IDS, *(f"env.{name}" for name in sorted(variables))]
        try:
            prompt = await self.prompts.chosen("intent", by=app)
            reply = await self.model.ask(
                Question(
                    messages=prompt.messages({"app": app, "ids": "\n".join(f"- {at}" for at in ids), "words": said}),
                    schema_name="intent", schema=_schema(ids), settings=prompt.settings, prompt=prompt.version,
                    purse=self.purse, app=app,
                )
            )  # fmt: skip
        except OperatorError as error:
            self.told(error)
            return Meant()
        answers: dict[str, Any] = {}
        words: dict[str, str] = {}
        for one in reply.value["answers"]:
            at, quoted = one["id"], " ".join(one["words"].split())
            if at in answers or not quoted or quoted.lower() not in " ".join(said.split()).lower():
                continue
            data = _read(at, one["answer"], quoted)
            if data is not None:
                answers[at], words[at] = data, quoted
        return Meant(MappingProxyType(answers), MappingProxyType(words))


def _read(at: str, text: str, quoted: str) -> Any:
    """None for what no person could answer, for secrets, and for numbers and names that nobody said."""
    try:
        data = read_answer(at, text)
    except UsageError:
        return None
    head, _, name = at.partition(".")
    if head == "env" and (not isinstance(data, Mapping) or "fixed" not in data or may_be_secret(name, data["fixed"])):
        return None
    if secret_kind(text) is not None or not _said(at, text, quoted):
        return None
    return data


def _said(at: str, text: str, quoted: str) -> bool:
    """A host, an image, a name or a value has to stand in the words; an amount may be said in another unit."""
    if at == "count":
        # What plain patterns read as a number, in whatever words.
        words = re.findall(r"[a-z]+|[0-9]+", quoted.lower())
        return any(understood(f"{word} instances").answers.get("count") == int(text) for word in words)
    if at in ("type", "check") or at.startswith("resources."):
        return True
    word = text.partition(": ")[2] if at.startswith("env.") else text
    return all(
        part in quoted.lower() for part in re.split(r"[,\s=]+", word.lower()) if part not in ("", "http", "none")
    )


def _schema(ids: Collection[str]) -> dict[str, Any]:
    answer = {
        "type": "object",
        "properties": {
            "id": {"type": "string", "enum": list(ids)},
            "answer": {"type": "string", "minLength": 1, "maxLength": 300},
            "words": {"type": "string", "minLength": 1, "maxLength": 300},
        },
        "required": ["id", "answer", "words"],
        "additionalProperties": False,
    }
    answers = {"type": "array", "items": answer, "maxItems": _MOST_ANSWERS}
    return {
        "type": "object", "properties": {"answers": answers}, "required": ["answers"], "additionalProperties": False,
    }  # fmt: skip
