"""What came back for one request: an answer with its status, or nothing. And what each status means.

Source: OpenAI's guide to error codes; vLLM's and llama.cpp's server, for what they say of a context that is too long.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from desired.errors import Forbidden, OperatorError, RateLimited, Unavailable, Unsupported
from prompts.model.completion import error_text
from prompts.model.telling import Telling
from prompts.model.unusable import Fault, UnusableAnswer

# The request was fine; the same one may be answered later.
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
# It was turned away before anything was generated.
_FREE = frozenset({*range(300, 500), 503}) - {408}
_LEARNS = frozenset({400, 422, 500, 501})
# llama.cpp's words for an answer that its own parser cannot read: the endpoint is well.
_NO_ANSWER = re.compile(r"model produced output that", re.IGNORECASE)
_TOO_LONG = re.compile(
    r"context.{0,20}(length|size|window)|context_length_exceeded|exceed_context|maximum.{0,30}tokens|too many tokens",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Heard:
    """`retry_after` is what the endpoint asked for; None if it asked for nothing."""

    status: int
    body: bytes
    retry_after: timedelta | None = None

    @property
    def answered(self) -> bool:
        """There is a body that should be the answer."""
        return 200 <= self.status < 300

    @property
    def again(self) -> bool:
        """Whether the same request may bring something else."""
        return self.status in _AGAIN and "insufficient_quota" not in self._code

    @property
    def free(self) -> bool:
        """Nothing was generated for it."""
        return self.status in _FREE

    @property
    def objection(self) -> str:
        """What the endpoint says is wrong with the request, where that can be: to learn from. Never shown."""
        if self.status not in _LEARNS or _TOO_LONG.search(self._words + self._code):
            return ""
        # A 500 is mostly no objection; but some templates and grammars fail so.
        return f"{self._words[:600]} {self._parameter}".strip()

    def refusal(self, telling: Telling, *, model: str) -> OperatorError:
        """The error that this status means."""
        status, who, said = self.status, telling.who, telling.quoted(self._words)
        if status in (401, 403):
            # Endpoints repeat parts of a key that they do not know.
            return Forbidden(f"{who}: it answered {status}", hint="set OPENAI_API_KEY to a key that may use this model")
        if status == 404:
            return UnknownModel(
                f"{who}: it answered 404 for the model {model!r}",
                hint="NOMAD_OPERATOR_MODEL names a model that it lists, and OPENAI_BASE_URL mostly ends in /v1",
            )
        if status == 413 or (status < 500 and _TOO_LONG.search(self._words + self._code)):
            return Unsupported(
                f"{who}: the question is too long for it{said}",
                hint="serve the model with a longer context, or lower `max_tokens` in the prompt's config",
            )
        if status == 500 and _NO_ANSWER.search(self._words):
            return UnusableAnswer(
                f"{who}: it cannot read the model's answer itself{said}",
                fault=Fault.MALFORMED,
                hint="raise `max_tokens` in the prompt's config, or serve a model that follows schemas",
                wrong=("the answer is not one JSON object",),
            )
        if status == 429:
            hint = "wait, or have the endpoint allow more"
            return RateLimited(
                f"{who}: it answered 429: too many requests{said}", hint=hint, retry_after=self.retry_after
            )
        if 300 <= status < 400:
            return Unavailable(
                f"{who}: it answered {status}", hint="redirects are not followed: correct OPENAI_BASE_URL"
            )
        if status in _AGAIN or status > 501:
            return Unavailable(
                f"{who}: it answered {status}{said}", hint="look at the endpoint's log, and what stands before it"
            )
        return Unsupported(f"{who}: it refused the question with {status}{said}", hint="look at the endpoint's log")

    @property
    def _told(self) -> Any:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def _words(self) -> str:
        told = self._told
        if isinstance(told, dict) and isinstance(told.get("detail"), list):
            # FastAPI repeats the whole request beside each mistake.
            return "; ".join(_mistake(one) for one in told["detail"] if isinstance(one, dict))
        return error_text(told)

    @property
    def _code(self) -> str:
        return " ".join(str(value) for name, value in _error(self._told).items() if name in ("code", "type"))

    @property
    def _parameter(self) -> str:
        return str(_error(self._told).get("param") or "")


@dataclass(frozen=True, slots=True)
class Lost:
    """Nothing usable came. `sent` where it may have been asked all the same; `again` where asking again may help."""

    error: OperatorError
    sent: bool
    again: bool


class UnknownModel(Unsupported):
    """The endpoint does not have the model, or is none."""


def _error(told: Any) -> dict[str, Any]:
    found = told.get("error", told) if isinstance(told, dict) else {}
    return found if isinstance(found, dict) else {}


def _mistake(one: dict[str, Any]) -> str:
    place = one.get("loc")
    where = ".".join(str(part) for part in place) if isinstance(place, list) else ""
    return f"{where} {one.get('msg', '')}".strip()
