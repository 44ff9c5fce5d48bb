"""The story of a failure in one or two plain sentences by a model, for people who do not know Nomad. Never more than an
addition: who explains goes on without it, within a few seconds, and nothing is decided by it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from desired.errors import OperatorError
from prompts.catalog import Prompts
from prompts.model.question import Model, Question

_PATIENCE = timedelta(seconds=5)
# Who asks for the same again waits no second time for a model that is away.
_SILENT_FOR = timedelta(minutes=5)
_MOST_KEPT = 200
_MOST_SENTENCES = 2
_LONGEST_SENTENCE = 300
_LONGEST_STORY = 8_000
_PURSE = "explain"
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "sentences": {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": _LONGEST_SENTENCE},
            "minItems": 1,
            "maxItems": _MOST_SENTENCES,
        }
    },
    "required": ["sentences"],
    "additionalProperties": False,
}


class InPlainWords:
    """`clock` is in seconds and never goes back. The same story is asked about once, and one question at a time.

    `redact` is for what a model makes of what it has read; the story itself has no secrets.
    """

    def __init__(
        self, *, model: Model, prompts: Prompts, redact: Callable[[str], str], clock: Callable[[], float]
    ) -> None:
        self._model = model
        self._prompts = prompts
        self._redact = redact
        self._clock = clock
        self._said: OrderedDict[str, tuple[str, float]] = OrderedDict()  # with when a silence ends
        self._asking = False

    async def of(self, story: Mapping[str, Any]) -> str:
        """At most two sentences; empty where nobody has an answer in time. Never raises for a model."""
        told = json.dumps(story, sort_keys=True, ensure_ascii=False, default=str)
        about = hashlib.sha256(told.encode()).hexdigest()
        known = self._said.get(about)
        if known is not None and (known[0] or self._clock() < known[1]):
            return known[0]
        if self._asking:
            return ""
        self._asking = True
        words = ""
        try:
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                words = await self._asked(str(story.get("key", "")), told, about)
        except (OperatorError, TimeoutError):
            words = ""
        finally:
            self._asking = False
            self._said[about] = (words, self._clock() + _SILENT_FOR.total_seconds())
            if len(self._said) > _MOST_KEPT:
                self._said.popitem(last=False)
        return words

    async def _asked(self, app: str, told: str, mark: str) -> str:
        prompt = await self._prompts.chosen("explain", by=app)
        # Whoever wrote what is in it does not know the mark.
        fenced = f"<telemetry-{mark[:16]}>\n{told[:_LONGEST_STORY]}\n</telemetry-{mark[:16]}>"
        reply = await self._model.ask(
            Question(
                messages=prompt.messages({"app": app, "story": fenced}), schema_name="explain", schema=_SCHEMA,
                settings=prompt.settings, prompt=prompt.version, purse=_PURSE, app=app,
            )
        )  # fmt: skip
        return self._redact(" ".join(_one_line(one) for one in reply.value["sentences"]))


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
