"""Prompts by label from where they are kept, with what was fetched before, and the file where that is no help.

What is fetched once is served at once for ever; when it is old, a newer one is fetched beside the work. Only the first
question for a prompt waits for it, and not for long. Whatever cannot be asked with is told once, and the file is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from desired.errors import OperatorError
from prompts.catalog import FilePrompts, Prompt
from prompts.labels import Labels
from prompts.model.question import PromptVersion
from prompts.prompt_text import PromptUnusable, check_variables, read

# As long as Langfuse's own library keeps a prompt.
FRESH = timedelta(seconds=60)
PATIENCE = timedelta(seconds=2)


class Shelf(Protocol):
    """Where prompts are kept by label."""

    async def prompt(self, name: str, *, label: str) -> Any | None:
        """One version as it is kept; None where no version has the label. Raises OperatorError where it is away."""
        ...


class Teller(Protocol):
    """Who is told what was found; each is told once until it changes."""

    def reached(self, problem: OperatorError | None) -> None:
        """Whether the shelf answered."""
        ...

    def unusable(self, name: str, label: str, problem: OperatorError) -> None: ...

    def missing(self, name: str, label: str) -> None: ...


@dataclass(slots=True)
class _Kept:
    """What is known of one prompt under one label; `prompt` is None where the file is to be used."""

    prompt: Prompt | None
    until: float
    told: str = ""


class FetchedPrompts:
    """Implements `prompts.catalog.Prompts`; `clock` is monotonic, in seconds. One event loop."""

    def __init__(
        self,
        *,
        shelf: Shelf,
        files: FilePrompts,
        labels: Labels,
        tell: Teller,
        clock: Callable[[], float],
        fresh: timedelta = FRESH,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._shelf = shelf
        self._files = files
        self._labels = labels
        self._tell = tell
        self._clock = clock
        self._fresh = fresh.total_seconds()
        self._patience = patience.total_seconds()
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._fetching: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def chosen(self, name: str, *, by: str = "") -> Prompt:
        """At most `patience` after the first question for it; at once after that."""
        label = self._labels.label(name, by)
        found = await self._known(name, label)
        if found is None and label != self._labels.main:
            found = await self._known(name, self._labels.main)
        return found or self._files.prompt(name)

    def ahead(self) -> None:
        """Fetch all there is before anybody asks."""
        for name in self._files.texts:
            for label in self._labels.all:
                self._fetch((name, label))

    async def aclose(self) -> None:
        for task in (fetching := list(self._fetching.values())):
            task.cancel()
        await asyncio.gather(*fetching, return_exceptions=True)

    async def _known(self, name: str, label: str) -> Prompt | None:
        key = (name, label)
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._clock():
            fetching = self._fetch(key)
            if kept is None:
                # Not cancelled when nobody waits any more: the next one finds what came late.
                await asyncio.wait([fetching], timeout=self._patience)
                kept = self._kept.setdefault(key, _Kept(None, 0.0))
        return kept.prompt

    def _fetch(self, key: tuple[str, str]) -> asyncio.Task[None]:
        running = self._fetching.get(key)
        if running is None:
            running = self._fetching[key] = asyncio.create_task(self._fetched(key))
            running.add_done_callback(lambda _task: self._fetching.pop(key, None))
        return running

    async def _fetched(self, key: tuple[str, str]) -> None:
        name, label = key
        before = self._kept.get(key) or _Kept(None, 0.0)
        now = before.prompt
        told = ""
        try:
            body = await self._shelf.prompt(name, label=label)
            self._tell.reached(None)
            if body is None:
                now, told = None, "missing"
                if before.told != told:
                    self._tell.missing(name, label)
            else:
                now = self._read(name, label, body)
        except PromptUnusable as error:
            now, told = None, error.message
            if before.told != told:
                self._tell.unusable(name, label, error)
        except OperatorError as error:
            # What was fetched before goes on being served.
            told = before.told
            self._tell.reached(error)
        self._kept[key] = _Kept(now, self._clock() + self._fresh, told)

    def _read(self, name: str, label: str, body: Any) -> Prompt:
        where = f"the prompt {name} ({label})"
        text = read(body, where=where)
        where = f"the prompt {name}, version {text.version} ({label})"
        if text.name != name:
            raise PromptUnusable(where, (f"it says that it is {text.name}",))
        check_variables(text, self._files.texts[name].variables, where=where)
        return Prompt(PromptVersion(name, text.version, label), text)
