"""One version of a prompt as Langfuse exports it, read and checked: what a file holds, and what its API answers.

    {"name": "repair", "type": "chat", "prompt": [{"role": "system", "content": "… {{evidence}} …"}],
     "config": {"temperature": 0.2}, "version": 3, "labels": ["production"], "tags": []}

Whoever wrote it, it is input: it is checked whole, and all that is wrong is told at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from desired.errors import TerminalError
from desired.reasons import Reason
from prompts.model.question import Message
from prompts.template import variables_in

# Longer prompts leave no room for an answer; and what comes from elsewhere must have an end.
MOST_MESSAGES = 64
LONGEST_TEXT = 128 * 1024
_ROLES = ("system", "user", "assistant")
_EFFORTS = ("none", "minimal", "low", "medium", "high")


class PromptUnusable(TerminalError):
    """A prompt that cannot be asked with; `problems` are all that is wrong with it."""

    reason = Reason.UNSUPPORTED

    def __init__(self, where: str, problems: tuple[str, ...], *, hint: str = "") -> None:
        super().__init__(f"{where}: {'; '.join(problems)}", hint=hint)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class PromptText:
    """`config` is all that stands beside the text; `settings` the part of it that a model takes."""

    name: str
    version: int
    messages: tuple[Message, ...]
    config: Mapping[str, Any]
    labels: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def settings(self) -> Mapping[str, Any]:
        """What a model takes. Anything else in the config is somebody's note, and never sent to it."""
        return MappingProxyType({name: value for name, value in self.config.items() if name in SETTINGS})

    @property
    def variables(self) -> frozenset[str]:
        return frozenset().union(*(variables_in(message.text) for message in self.messages))

    @property
    def document(self) -> dict[str, Any]:
        """As a file holds it."""
        prompt = [{"role": message.role, "content": message.text} for message in self.messages]
        return {
            "name": self.name, "type": "chat", "prompt": prompt, "config": dict(self.config),
            "version": self.version, "labels": list(self.labels), "tags": list(self.tags),
        }  # fmt: skip

    @property
    def content(self) -> tuple[tuple[Message, ...], str]:
        """What two versions have in common when nothing but their number differs."""
        return self.messages, json.dumps(dict(self.config), sort_keys=True, ensure_ascii=False)


def read(document: object, *, where: str) -> PromptText:
    """PromptUnusable with everything that is wrong; `where` names the file or the address it is from.

    Keys that are not listed in the module are Langfuse's own (who wrote it, when), and left out.
    """
    if not isinstance(document, Mapping):
        raise PromptUnusable(where, ("it is no JSON object",))
    problems = [*_about(document), *_messages_problems(document.get("prompt")), *_config_problems(document)]
    if problems:
        raise PromptUnusable(where, tuple(problems), hint="docs/prompts.md shows the format")
    return PromptText(
        name=document["name"],
        version=document["version"],
        messages=tuple(Message(one["role"], one["content"]) for one in document["prompt"]),
        config=MappingProxyType(dict(document.get("config") or {})),
        labels=tuple(document.get("labels") or ()),
        tags=tuple(document.get("tags") or ()),
    )


def check_variables(text: PromptText, declared: frozenset[str], *, where: str) -> None:
    """PromptUnusable where the text and the code that fills it do not agree."""
    problems = []
    if unknown := sorted(text.variables - declared):
        problems.append(f"nothing fills {_named(unknown)}")
    if unused := sorted(declared - text.variables):
        problems.append(f"it leaves out {_named(unused)}")
    if problems:
        raise PromptUnusable(where, tuple(problems), hint=f"variables of {text.name}: {_named(sorted(declared))}")


def _named(variables: list[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in variables) or "none"


def _about(document: Mapping[Any, Any]) -> Iterator[str]:
    name, version = document.get("name"), document.get("version")
    if not isinstance(name, str) or not name:
        yield "name: expected a text"
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        yield "version: expected a number from 1"
    if document.get("type") != "chat":
        yield 'type: expected "chat", the only one that is asked with'
    for field in ("labels", "tags"):
        given = document.get(field)
        if given is not None and not (isinstance(given, list) and all(isinstance(one, str) for one in given)):
            yield f"{field}: expected a list of texts"


def _messages_problems(prompt: object) -> Iterator[str]:
    if not isinstance(prompt, list) or not prompt:
        yield "prompt: expected a list of messages"
        return
    if len(prompt) > MOST_MESSAGES:
        yield f"prompt: {len(prompt)} messages, at most {MOST_MESSAGES} are taken"
        return
    size = 0
    for number, message in enumerate(prompt):
        if not isinstance(message, Mapping) or message.get("type") == "placeholder":
            # Langfuse's placeholders stand for whole messages, which no code here fills.
            yield f"prompt[{number}]: expected a message with role and content"
            continue
        if message.get("role") not in _ROLES:
            yield f"prompt[{number}].role: expected one of {', '.join(_ROLES)}"
        content = message.get("content")
        if not isinstance(content, str) or not content:
            yield f"prompt[{number}].content: expected a text"
        else:
            size += len(content)
    if size > LONGEST_TEXT:
        yield f"prompt: {size} characters, at most {LONGEST_TEXT} are taken"


def _number(least: float, most: float) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _whole(least: int, most: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


# What the model's client takes of a prompt, and how what is allowed is told: told here, a version with a wrong value is
# never asked with; there, every question would fail.
SETTINGS: Mapping[str, tuple[Callable[[object], bool], str]] = MappingProxyType(
    {
        "model": (lambda value: isinstance(value, str) and bool(value), "a text"),
        "temperature": (_number(0, 2), "a number from 0 to 2"),
        "top_p": (_number(0, 1), "a number from 0 to 1"),
        "top_k": (_whole(-1, 10_000), "a whole number from -1 to 10000"),
        "min_p": (_number(0, 1), "a number from 0 to 1"),
        "max_tokens": (_whole(1, 65_536), "a whole number from 1 to 65536"),
        "seed": (_whole(0, 2**31 - 1), "a whole number from 0 to 2147483647"),
        "presence_penalty": (_number(-2, 2), "a number from -2 to 2"),
        "frequency_penalty": (_number(-2, 2), "a number from -2 to 2"),
        "repetition_penalty": (_number(0, 10), "a number from 0 to 10"),
        "reasoning_effort": (lambda value: value in _EFFORTS, f"one of {', '.join(_EFFORTS)}"),
        "enable_thinking": (lambda value: isinstance(value, bool), "true or false"),
    }
)


def _config_problems(document: Mapping[Any, Any]) -> Iterator[str]:
    config = document.get("config")
    if config is None:
        return
    if not isinstance(config, Mapping) or not all(isinstance(name, str) for name in config):
        yield "config: expected an object"
        return
    for name, value in cast(Mapping[str, object], config).items():
        if name in SETTINGS and not SETTINGS[name][0](value):
            yield f"config.{name}: expected {SETTINGS[name][1]}"
