"""`memory`: what was learned from repairs, and forgetting some of it.

The daemon is asked, for it has the memory open. Where none runs, the memory is opened here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from desired.errors import DeadlineExceeded, Unavailable, UsageError
from nomad_operator.client_api import DaemonClient
from nomad_operator.commands.apps import reading, with_token
from nomad_operator.commands.memory_words import app_detail, detail, listed
from nomad_operator.commands.table import Style
from nomad_operator.settings import Settings
from nomad_operator.settings_load import load

if TYPE_CHECKING:
    from nomad_operator.memory_desk import MemoryDesk


def memory(arguments: argparse.Namespace) -> int:
    _check(arguments)
    settings = load().settings
    if arguments.action == "forget":
        return _forget(arguments, settings)
    answer = _answered(settings, lambda daemon: daemon.memory(), lambda desk: desk.listed())
    style, now = Style.of(sys.stdout), datetime.now(UTC)
    if arguments.action == "list":
        print(json.dumps(answer) if arguments.json else "\n".join(listed(answer, now, style)))
        return 0
    found = [one for one in answer["memories"] if one["key"] in arguments.key]
    apps = [one for one in answer.get("apps", ()) if one["key"] in arguments.key]
    if missing := [key for key in arguments.key if key not in {one["key"] for one in (*found, *apps)}]:
        raise UsageError(
            f"nothing is remembered as {', '.join(missing)}", hint="`nomad-operator memory list` shows what is"
        )
    if arguments.json:
        print(json.dumps({**answer, "memories": found, "apps": apps}))
    else:
        between = [""] if found and apps else []
        print("\n".join([*detail(found, now, style), *between, *app_detail(apps, now, style)]))
    return 0


def _forget(arguments: argparse.Namespace, settings: Settings) -> int:
    keys = arguments.key
    if arguments.all:
        answer = _answered(settings, lambda daemon: daemon.memory(), lambda desk: desk.listed())
        keys = [one["key"] for one in (*answer["memories"], *answer.get("apps", ()))]
    told = {"forgotten": 0}
    if keys:
        told = _answered(settings, lambda daemon: daemon.forget(keys), lambda desk: desk.forget(keys), changes=True)
    print(json.dumps(told) if arguments.json else f"forgotten: {told['forgotten']}")
    return 0


def _answered(
    settings: Settings,
    ask: Callable[[DaemonClient], dict[str, Any]],
    here: Callable[[MemoryDesk], Awaitable[dict[str, Any]]],
    *,
    changes: bool = False,
) -> dict[str, Any]:
    try:
        with with_token(settings) if changes else reading(settings) as daemon:
            return ask(daemon)
    except DeadlineExceeded:
        # It is there, and has the memory open.
        raise
    except Unavailable as error:
        if settings.addr is not None:
            # A daemon of elsewhere has its own memory.
            raise
        try:
            return asyncio.run(_here(settings, here))
        except Unavailable as closed:
            raise Unavailable(closed.message, hint=f"{closed.hint}; {error.message}") from closed


async def _here(settings: Settings, ask: Callable[[MemoryDesk], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    from nomad_operator.from_settings import connection
    from nomad_operator.memory_desk import MemoryDesk, no_memory
    from nomad_operator.memory_from_settings import kept
    from nomad_operator.memory_from_settings import memory as experience_of
    from observers.nomad.client import NomadClient

    nomad = NomadClient(connection=connection(settings), namespaces=settings.namespaces)
    experience = experience_of(settings, nomad=nomad, clock=time.monotonic)
    try:
        if experience is None:
            raise no_memory()
        return await ask(MemoryDesk(experience=experience, kept=kept(settings)))
    finally:
        if experience is not None:
            await experience.aclose()
        await nomad.aclose()


def _check(arguments: argparse.Namespace) -> None:
    """All that is wrong at once."""
    wrong = []
    if arguments.action == "list" and arguments.key:
        wrong.append("memory list takes no key")
    if arguments.action == "show" and not arguments.key:
        wrong.append("memory show needs a key")
    if arguments.action == "forget" and bool(arguments.key) is arguments.all:
        wrong.append("memory forget needs either keys or --all")
    if arguments.all and arguments.action != "forget":
        wrong.append("--all belongs to memory forget")
    if wrong:
        raise UsageError("\n".join(wrong), hint="`nomad-operator memory --help` shows what it takes")
