"""What stands in the body of a chat completion: the text, and what it cost. Every odd form of one has its error.

Source: OpenAI's API reference (chat/completions); vLLM and llama.cpp, where theirs differ (`reasoning_content`, content
in parts, an `error` in a 200).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from desired.errors import Unavailable
from prompts.model.telling import Telling
from prompts.model.unusable import Fault, UnusableAnswer

# A count beyond this is no count.
_MOST_TOKENS = 10_000_000
_CUT_OFF = frozenset({"length", "max_tokens", "model_length"})
_FILTERED = frozenset({"content_filter", "safety", "recitation"})
_TOOLS = frozenset({"tool_calls", "function_call", "tool_use"})


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the endpoint counted them; None where it did not."""

    tokens_in: int | None
    tokens_out: int | None


def read_body(raw: bytes, telling: Telling) -> Mapping[str, Any]:
    """The JSON object of an answer. Unavailable where it is another program's, or only the beginning of one."""
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unavailable(
            f"{telling.who}: it answered with {_kind(raw)}, which is no completion",
            hint="does OPENAI_BASE_URL name the endpoint, with its path (mostly /v1), and what stands between?",
        ) from None
    if not isinstance(told, dict):
        raise Unavailable(
            f"{telling.who}: it answered with JSON that is no object, which is no completion",
            hint="does OPENAI_BASE_URL name an OpenAI-compatible endpoint, with its path (mostly /v1)?",
        )
    if told.get("error") and not told.get("choices"):
        said = telling.quoted(error_text(told))
        raise Unavailable(f"{telling.who}: it answered with an error{said}", hint="look at the endpoint's log")
    return told


def error_text(told: Any) -> str:
    """The words of an error, wherever such endpoints put them; empty where there are none."""
    for name in ("error", "message", "detail"):
        found = told.get(name) if isinstance(told, dict) else None
        if isinstance(found, dict):
            found = found.get("message")
        if found:
            return found if isinstance(found, str) else json.dumps(found)
    return ""


def usage_of(told: Mapping[str, Any]) -> Usage:
    usage = told.get("usage")
    if not isinstance(usage, dict):
        return Usage(None, None)
    # No question has no tokens: who says so does not count.
    return Usage(_count(usage.get("prompt_tokens"), least=1), _count(usage.get("completion_tokens"), least=0))


def model_of(told: Mapping[str, Any]) -> str:
    """Which model says that it answered; empty where it does not say so."""
    name = told.get("model")
    return name[:200] if isinstance(name, str) and name.isprintable() else ""


def text_of(told: Mapping[str, Any], telling: Telling) -> str:
    """The text of the first choice, whole. Raises UnusableAnswer."""
    choices = told.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise UnusableAnswer(
            f"{telling.who}: it answered without a choice that has a message",
            fault=Fault.EMPTY,
            hint="does OPENAI_BASE_URL name an endpoint with chat completions?",
            wrong=("there was no answer",),
        )
    finish = choice.get("finish_reason")
    if finish in _CUT_OFF:
        raise UnusableAnswer(
            f"{telling.who}: its answer was cut off before its end",
            fault=Fault.CUT_OFF,
            hint="raise `max_tokens` in the prompt's config, or lower what the model thinks (`enable_thinking: false`)",
            wrong=("the answer was too long, and cut off before its end",),
        )
    if finish in _FILTERED or message.get("refusal"):
        refusal = message.get("refusal")
        said = telling.quoted(refusal) if isinstance(refusal, str) else ""
        raise UnusableAnswer(
            f"{telling.who}: it would not answer{said}", fault=Fault.REFUSED, hint="a person has to look at it",
            wrong=("the answer was a refusal; one that proposes nothing has the form that is asked for as well",),
        )  # fmt: skip
    if finish in _TOOLS or message.get("tool_calls") or message.get("function_call"):
        raise UnusableAnswer(
            f"{telling.who}: it called a tool, and was given none",
            fault=Fault.TOOL,
            hint="serve it without a parser for tool calls",
            wrong=("a tool was called, and there is none",),
        )
    text = _joined(message.get("content"))
    if not text.strip():
        thought = any(message.get(name) for name in ("reasoning_content", "reasoning"))
        raise UnusableAnswer(
            f"{telling.who}: it {'thought, and answered nothing' if thought else 'answered nothing'}",
            fault=Fault.EMPTY,
            hint="set `enable_thinking: false` in the prompt's config" if thought else "is this a model that chats?",
            wrong=("the answer was empty",),
        )
    return text


def _joined(content: Any) -> str:
    """Some send a list of parts; of those, texts are read."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") in (None, "text")]
    return "".join(text for text in texts if isinstance(text, str))


def _count(told: Any, *, least: int) -> int | None:
    return told if isinstance(told, int) and not isinstance(told, bool) and least <= told <= _MOST_TOKENS else None


def _kind(raw: bytes) -> str:
    start = raw.lstrip()[:6].lower()
    if not start:
        return "nothing"
    if start.startswith(b"<"):
        return "a web page"
    if start.startswith((b"data:", b"event:", b": ")):
        return "a stream of events"
    return "JSON that is cut off or broken" if start.startswith((b"{", b"[")) else "text that is not JSON"
