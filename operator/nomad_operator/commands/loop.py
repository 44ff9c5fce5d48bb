"""Commands that run the loop, or a part of it, in this process: run, once, demo, embedded.

Wrong arguments and settings are told before anything large is imported.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from desired.errors import DeadlineExceeded, UsageError
from nomad_operator.commands.app_list import overview
from nomad_operator.commands.table import Style
from nomad_operator.settings import Settings
from nomad_operator.settings_values import check_address

# The table above has them all.
_NAMED_AT_MOST = 20


def run(_arguments: argparse.Namespace) -> int:
    settings = _settings(("git_url",))
    from nomad_operator.run import run as run_daemon

    return asyncio.run(run_daemon(settings))


def once(arguments: argparse.Namespace) -> int:
    settings = _settings(("git_url",))
    from nomad_operator.once import once as run_once

    done = asyncio.run(run_once(settings, timeout_seconds=arguments.timeout))
    if arguments.json:
        print(json.dumps(done.status))
    else:
        print("\n".join(overview(done.status, datetime.now(UTC), Style.of(sys.stdout))))
    if done.waiting:
        sys.stdout.flush()
        more = len(done.waiting) - _NAMED_AT_MOST
        named = [*done.waiting[:_NAMED_AT_MOST], *([f"and {more} more"] if more > 0 else [])]
        when = f"when {done.signal} came" if done.signal else f"after {arguments.timeout:g} s"
        hint = "a later `once` goes on where this one ended" + ("" if done.signal else "; --timeout allows more time")
        raise DeadlineExceeded(f"not settled {when}: {', '.join(named)}", hint=hint)
    return done.code


def demo(arguments: argparse.Namespace) -> int:
    from nomad_operator.demo.story import play, play_embedded

    if arguments.nomad is None:
        return asyncio.run(play_embedded(port=arguments.port, stay=arguments.stay))
    try:
        address = check_address(arguments.nomad, sockets=True)
    except ValueError as error:
        raise UsageError(f"--nomad {arguments.nomad} {error}", hint="such as --nomad http://127.0.0.1:4646") from None
    # A Nomad that others use: the story's jobs carry a name of their own, and are purged at the end.
    return asyncio.run(play(address, image=arguments.image, prefix="demo-", port=arguments.port, stay=arguments.stay))


def embedded(arguments: argparse.Namespace) -> int:
    from nomad_operator.settings_values import check_listen

    try:
        host, _, port = check_listen(arguments.listen).rpartition(":")
    except ValueError as error:
        raise UsageError(f"--listen {arguments.listen} {error}", hint="such as --listen 127.0.0.1:4646") from None
    world = None if arguments.world is None else Path(arguments.world)
    if world is not None and not world.is_file():
        raise UsageError(f"--world {world} is not a file", hint="without --world there is one node and any image runs")
    from nomad_operator.embedded.server import serve_embedded

    return serve_embedded(world=world, host=host.strip("[]"), port=int(port))


def _settings(required: Collection[str]) -> Settings:
    from nomad_operator.settings_load import DOTENV, load
    from nomad_operator.tracing.variables import add_from_file

    settings = load(required=required).settings
    add_from_file(os.environ, Path(DOTENV))
    return settings
