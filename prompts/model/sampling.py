"""What a prompt's own settings ask of the model. Names that are not known here belong to somebody else.

Source: OpenAI's API reference; vLLM's extra parameters (`top_k`, `min_p`, `repetition_penalty`,
`chat_template_kwargs`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from desired.errors import Unsupported
from prompts.model.question import Question

# Lowest and highest, and whether it is a whole number.
_STANDARD: Mapping[str, tuple[float, float, bool]] = {
    "temperature": (0, 2, False), "top_p": (0, 1, False), "presence_penalty": (-2, 2, False),
    "frequency_penalty": (-2, 2, False), "seed": (0, 2**31 - 1, True),
}  # fmt: skip
_BEYOND: Mapping[str, tuple[float, float, bool]] = {
    "top_k": (-1, 10_000, True), "min_p": (0, 1, False), "repetition_penalty": (0, 10, False),
}  # fmt: skip
_MOST_OUT = 65_536
_LONGEST_NAME = 200
_EFFORTS = ("none", "minimal", "low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Sampling:
    """`beyond` is not part of OpenAI's interface. `model` is empty, `tokens_out` None where the prompt leaves them."""

    standard: Mapping[str, Any] = field(default_factory=dict)
    beyond: Mapping[str, Any] = field(default_factory=dict)
    model: str = ""
    tokens_out: int | None = None


def sampling_of(question: Question) -> Sampling:
    """Unsupported names the setting that cannot be used."""
    settings = question.settings
    standard: dict[str, Any] = {
        name: _number(question, name, *rule) for name, rule in _STANDARD.items() if name in settings
    }
    beyond: dict[str, Any] = {
        name: _number(question, name, *rule) for name, rule in _BEYOND.items() if name in settings
    }
    if "reasoning_effort" in settings:
        if settings["reasoning_effort"] not in _EFFORTS:
            raise _wrong(question, "reasoning_effort", f"one of {', '.join(_EFFORTS)}")
        standard["reasoning_effort"] = settings["reasoning_effort"]
    thinking = settings.get("enable_thinking")
    if thinking is not None:
        if not isinstance(thinking, bool):
            raise _wrong(question, "enable_thinking", "true or false")
        beyond["chat_template_kwargs"] = {"enable_thinking": thinking}
    model = settings.get("model", "")
    if not isinstance(model, str) or not model.isprintable() or len(model) > _LONGEST_NAME:
        raise _wrong(question, "model", f"a name of at most {_LONGEST_NAME} characters")
    out = int(_number(question, "max_tokens", 1, _MOST_OUT, True)) if "max_tokens" in settings else None
    return Sampling(standard, beyond, model.strip(), out)


def _number(question: Question, name: str, low: float, high: float, whole: bool) -> float:
    told = question.settings[name]
    right = isinstance(told, int if whole else int | float) and not isinstance(told, bool)
    if not right or not low <= told <= high:
        raise _wrong(question, name, f"{'a whole' if whole else 'a'} number from {low:g} to {high:g}")
    return told  # type: ignore[no-any-return]


def _wrong(question: Question, name: str, allowed: str) -> Unsupported:
    prompt = question.prompt
    called = (
        f"version {prompt.version} of the prompt {prompt.name}" if prompt else f"the question {question.schema_name}"
    )
    return Unsupported(
        f"{called} sets {name} to what is not {allowed}",
        hint="correct `config` in the prompt, or promote another version",
    )
