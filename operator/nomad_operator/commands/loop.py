"""Commands that run the loop, or a part of it, in this process: run, once, plan, demo, embedded."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path

from desired.errors import UsageError
from nomad_operator.settings import Settings


def run(_arguments: argparse.Namespace) -> int:
    from nomad_operator.daemon import run as run_daemon

    return run_daemon(_ready_to_log(("git_url",)))


def once(arguments: argparse.Namespace) -> int:
    from nomad_operator.daemon import once as run_once

    return run_once(_ready_to_log(("git_url",)), json=arguments.json, timeout=arguments.timeout)


def plan(arguments: argparse.Namespace) -> int:
    from nomad_operator.plan import plan as run_plan

    path = None if arguments.path is None else _folder(arguments.path)
    settings = _ready_to_log(() if path else ("git_url",))
    return run_plan(settings, arguments.app, ref=arguments.ref, path=path, json=arguments.json)


def demo(arguments: argparse.Namespace) -> int:
    from nomad_operator.demo import demo as run_demo

    return run_demo(nomad_address=arguments.nomad)


def embedded(arguments: argparse.Namespace) -> int:
    from nomad_operator.embedded.server import serve_embedded
    from nomad_operator.settings_values import check_listen

    try:
        host, _, port = check_listen(arguments.listen).rpartition(":")
    except ValueError as error:
        raise UsageError(f"--listen {arguments.listen} {error}", hint="such as --listen 127.0.0.1:4646") from None
    world = None if arguments.world is None else Path(arguments.world)
    if world is not None and not world.is_file():
        raise UsageError(f"--world {world} is not a file", hint="without --world there is one node and any image runs")
    return serve_embedded(world=world, host=host.strip("[]"), port=int(port))


def _folder(path: str) -> Path:
    if not Path(path).is_dir():
        raise UsageError(f"--path {path} is not a folder", hint="name the work tree that holds the desired apps")
    return Path(path)


def _ready_to_log(required: Collection[str]) -> Settings:
    from nomad_operator.log import configure
    from nomad_operator.settings_load import load

    settings = load(required=required).settings
    configure(form=settings.log_format, level=settings.log_level)
    return settings
