"""The prompts that the code asks with: chosen by name, filled with values, each with the version it was made from.

Whoever asks takes a `Prompts`. `FilePrompts` is the one that needs no service: the files beside this module, or those
of a folder of the user's own where they are usable.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Protocol

from desired.errors import OperatorError
from prompts.model.question import Message, PromptVersion
from prompts.prompt_text import PromptText, PromptUnusable, check_variables, read
from prompts.template import filled
from prompts.uses import USES


@dataclass(frozen=True, slots=True)
class Prompt:
    """One version of a prompt, ready to be filled. `version.label` is empty for what came from a file."""

    version: PromptVersion
    text: PromptText

    @property
    def settings(self) -> Mapping[str, Any]:
        """For `Question.settings`."""
        return self.text.settings

    def messages(self, variables: Mapping[str, str]) -> tuple[Message, ...]:
        """The prompt with all its variables filled, each once: a value that holds `{{x}}` is not filled again.

        ValueError where they are not exactly those of the prompt.
        """
        if variables.keys() != self.text.variables:
            wrong = sorted(variables.keys() ^ self.text.variables)
            raise ValueError(f"the prompt {self.version.name} is not filled with its variables: {', '.join(wrong)}")
        return tuple(Message(one.role, filled(one.text, variables)) for one in self.text.messages)


class Prompts(Protocol):
    """Where prompts come from. Never raises for a service that is away."""

    async def chosen(self, name: str, *, by: str = "") -> Prompt:
        """The prompt to ask with; `by` decides which of two versions that are compared, always the same way."""
        ...


class FilePrompts:
    """The packaged files, each replaced by one of the same name in `folder`; loaded and checked once, when made.

    A file of the user's that cannot be used is told to `unusable`, and the packaged one stays. One of ours raises.
    """

    def __init__(
        self,
        *,
        folder: Path | None = None,
        unusable: Callable[[OperatorError], None] = lambda _error: None,
        uses: Mapping[str, frozenset[str]] = USES,
        packaged: Traversable | None = None,
    ) -> None:
        ours = packaged if packaged is not None else files("prompts")
        self._texts = {name: load(ours / f"{name}.json", name, uses[name]) for name in uses}
        for own, name in () if folder is None else ((folder / f"{name}.json", name) for name in uses):
            try:
                if own.exists():
                    self._texts[name] = load(own, name, uses[name])
            except PromptUnusable as error:
                unusable(error)

    @property
    def texts(self) -> Mapping[str, PromptText]:
        """By name."""
        return self._texts

    def prompt(self, name: str) -> Prompt:
        text = self._texts[name]
        return Prompt(PromptVersion(name, text.version), text)

    async def chosen(self, name: str, *, by: str = "") -> Prompt:
        return self.prompt(name)


def load(file: Traversable, name: str, variables: frozenset[str]) -> PromptText:
    """PromptUnusable where the file cannot be read, is no prompt, has another name, or other variables."""
    where = str(file)
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PromptUnusable(where, (f"it cannot be read ({type(error).__name__})",)) from error
    except (ValueError, RecursionError) as error:
        raise PromptUnusable(where, ("it is no JSON",)) from error
    text = read(document, where=where)
    if text.name != name:
        raise PromptUnusable(where, (f"name: expected {name}, as the file is called",))
    check_variables(text, variables, where=where)
    return text
