"""Langfuse as the settings name it: its client, and the prompts that the parts ask with."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from desired.errors import OperatorError, UsageError
from nomad_operator.langfuse.api import Langfuse
from nomad_operator.langfuse.http import LangfuseHttp
from nomad_operator.log import Log, Outages
from nomad_operator.metrics import Metrics
from nomad_operator.settings import Settings
from observers.reach.address import Reach
from prompts.catalog import FilePrompts, Prompts
from prompts.fetched import FetchedPrompts
from prompts.labels import Labels

# A person waits for a command; a pass waits for nothing.
_DEADLINE = timedelta(seconds=20)
_SOON = timedelta(seconds=5)
_CONNECT = timedelta(seconds=3)
_KEYS = ("LANGFUSE_HOST", "LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY")


def langfuse(settings: Settings, *, deadline: timedelta = _SOON) -> Langfuse | None:
    """None where an address or a key is not set: half of them reach nothing."""
    public, secret = settings.langfuse_public_key, settings.langfuse_secret_key
    if settings.langfuse_host is None or public is None or secret is None:
        return None
    reach = Reach(
        service="Langfuse", setting="LANGFUSE_HOST", address=settings.langfuse_host, deadline=deadline,
        connect_timeout=_CONNECT,
    )  # fmt: skip
    http = LangfuseHttp(
        reach=reach, public_key=public.get_secret_value(), secret_key=secret.get_secret_value()
    )  # fmt: skip
    return Langfuse(http=http)


def for_a_command(settings: Settings) -> Langfuse:
    """UsageError with the settings that are missing."""
    client = langfuse(settings, deadline=_DEADLINE)
    if client is None:
        given = (settings.langfuse_host, settings.langfuse_public_key, settings.langfuse_secret_key)
        missing = [name for name, value in zip(_KEYS, given, strict=True) if value is None]
        raise UsageError(
            f"Langfuse is not set: {', '.join(missing)}",
            hint="a project's settings in Langfuse show its keys; without Langfuse prompts are files",
        )
    return client


def files(settings: Settings, log: Log | None = None) -> FilePrompts:
    """The prompt files; what is wrong with one of the user's is logged, or raised where there is no log."""

    def unusable(error: OperatorError) -> None:
        if log is None:
            raise error
        log.warning("prompt file not usable; the one that comes with the operator is used", problem=error.message)

    return FilePrompts(folder=settings.prompts_path, unusable=unusable)


def labels(settings: Settings) -> Labels:
    return Labels(settings.prompt_label, settings.prompt_compare.label, settings.prompt_compare.share)


def prompts(settings: Settings, *, client: Langfuse | None, log: Log, outages: Outages, metrics: Metrics) -> Prompts:
    """Where prompts come from at run time."""
    ours = files(settings, log)
    if client is None:
        return ours
    return FetchedPrompts(
        shelf=_Shelf(client),
        files=ours,
        labels=labels(settings),
        tell=_Told(log, outages, metrics),
        clock=time.monotonic,
    )


@asynccontextmanager
async def prompts_of_a_command(settings: Settings, told: Callable[[str], None]) -> AsyncIterator[Prompts]:
    """The same for a command that asks a model; what is wrong is told once, and the files are used."""
    client = langfuse(settings)
    ours = FilePrompts(folder=settings.prompts_path, unusable=lambda error: told(error.message))
    if client is None:
        yield ours
        return
    fetched = FetchedPrompts(
        shelf=_Shelf(client), files=ours, labels=labels(settings), tell=_Said(told), clock=time.monotonic
    )
    try:
        yield fetched
    finally:
        await fetched.aclose()
        await client.aclose()


class _Said:
    """Each once. That Langfuse lacks a prompt is no news for somebody who waits for an answer."""

    def __init__(self, told: Callable[[str], None]) -> None:
        self._told = told
        self._away = False

    def reached(self, problem: OperatorError | None) -> None:
        if problem is not None and not self._away:
            self._away = True
            self._told(f"{problem.message}: the files are asked with")

    def unusable(self, name: str, label: str, problem: OperatorError) -> None:
        self._told(f"{problem.message}: the file is asked with")

    def missing(self, name: str, label: str) -> None:
        """Silent."""


class _Shelf:
    def __init__(self, client: Langfuse) -> None:
        self._client = client

    async def prompt(self, name: str, *, label: str) -> Any | None:
        return await self._client.prompt(name, label=label)


_ONE_PROMPT = re.compile(r"the prompt \S+ \([^)]*\)")


class _Told:
    """A line in the log; Langfuse away is an outage like any other."""

    def __init__(self, log: Log, outages: Outages, metrics: Metrics) -> None:
        self._log = log
        self._outages = outages
        self._metrics = metrics

    def reached(self, problem: OperatorError | None) -> None:
        hint = problem.hint if problem else ""
        # Whichever prompt was asked for, it is the same outage.
        told = _ONE_PROMPT.sub("prompts", problem.message) if problem else None
        self._outages.report("langfuse", told, hint=hint)
        self._metrics.dependency_up("langfuse", up=problem is None)

    def unusable(self, name: str, label: str, problem: OperatorError) -> None:
        self._log.warning(
            "prompt not usable; the file is used", prompt=name, label=label, problem=problem.message, hint=problem.hint
        )

    def missing(self, name: str, label: str) -> None:
        self._log.info("prompt not in Langfuse; the file is used", prompt=name, label=label)
