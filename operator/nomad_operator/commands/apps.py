"""Commands about running apps: they ask the daemon, and print what it says."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

from desired.app import AppKey
from desired.errors import UsageError
from nomad_operator.api_token import token_for_reading, token_of_command
from nomad_operator.client_api import DaemonClient
from nomad_operator.commands.app_detail import detail
from nomad_operator.commands.app_list import overview, withdrawn
from nomad_operator.commands.table import Style, plain
from nomad_operator.settings import Settings
from nomad_operator.settings_load import load


def status(arguments: argparse.Namespace) -> int:
    settings = load().settings
    key = app_key(arguments.app, settings) if arguments.app is not None else None
    with reading(settings) as daemon:
        answer = daemon.app(key) if key else daemon.status()
    if arguments.json:
        print(json.dumps(answer))
    else:
        show = detail if key else overview
        print("\n".join(show(answer, datetime.now(UTC), Style.of(sys.stdout))))
    return 0


def command(arguments: argparse.Namespace) -> int:
    settings = load().settings
    key = app_key(arguments.app, settings)
    with with_token(settings) as daemon:
        answer = daemon.command(key, arguments.verb)
    print(json.dumps(answer) if arguments.json else f"{key}: {plain(answer.get('told') or 'noted')}")
    return 0


def prune(arguments: argparse.Namespace) -> int:
    settings = load().settings
    if arguments.confirm:
        with with_token(settings) as daemon:
            answer = daemon.confirm_prune()
    else:
        with reading(settings) as daemon:
            answer = daemon.prune_candidates()
    if arguments.json:
        print(json.dumps(answer))
    else:
        print("\n".join(withdrawn(answer, datetime.now(UTC), Style.of(sys.stdout))))
    return 0


def reading(settings: Settings) -> DaemonClient:
    """Most daemons let everybody read: the token is shown to one that asks for it."""
    return DaemonClient(address=settings.daemon_addr, token=None, asked_for=token_for_reading(settings))


def with_token(settings: Settings) -> DaemonClient:
    return DaemonClient(address=settings.daemon_addr, token=token_of_command(settings))


def app_key(text: str, settings: Settings) -> AppKey:
    try:
        return AppKey.parse(text, settings.nomad_namespace)
    except ValueError as error:
        raise UsageError(str(error), hint="an app is named namespace/name, or name") from None
