"""What a model is asked, and what it answered: the words that those who ask and those who carry it share.

An answer is data, never instructions: whoever asked judges every value of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation; `text` holds no secret: whoever writes it has redacted it."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class PromptVersion:
    """Which version of which prompt a question was made from; `label` is what it was chosen by."""

    name: str
    version: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """`schema` is the JSON schema of the one object that may be answered; `schema_name` has letters, digits, - and _.

    `settings` are the prompt's own (`temperature`, `max_tokens`, `top_p`, ...). `purse` names what the tokens are
    counted against beside the hour, mostly an episode's id; `app` is the app's key as people write it.
    """

    messages: tuple[Message, ...]
    schema_name: str
    schema: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    prompt: PromptVersion | None = None
    purse: str = ""
    app: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """`value` satisfies the question's schema. Tokens are the endpoint's own count, or our estimate without one."""

    value: Mapping[str, Any]
    model: str
    tokens_in: int
    tokens_out: int
    seconds: float


class Model(Protocol):
    """Somebody who answers. Bounded in time, tokens and concurrency by whoever implements it."""

    async def ask(self, question: Question) -> Reply:
        """Raises OperatorError where there is no usable answer: away, too slow, over budget, malformed, cut off."""
        ...
