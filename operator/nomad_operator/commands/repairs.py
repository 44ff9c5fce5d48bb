"""`explain` and `repairs`: why an app failed, what was done about it, and what people decide."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

from desired.errors import UsageError
from nomad_operator.commands.apps import app_key, reading, with_token
from nomad_operator.commands.repair_words import listed, report
from nomad_operator.commands.table import Style
from nomad_operator.settings_load import load

_OF_AN_APP = ("approve", "reject", "revert")


def explain(arguments: argparse.Namespace) -> int:
    settings = load().settings
    with reading(settings) as daemon:
        answer = daemon.explain(app_key(arguments.app, settings))
    if arguments.json:
        print(json.dumps(answer))
    else:
        print("\n".join(report(answer, datetime.now(UTC), Style.of(sys.stdout))))
    return 0


def repairs(arguments: argparse.Namespace) -> int:
    _check(arguments)
    if arguments.action == "list":
        return _list(arguments)
    settings = load().settings
    with with_token(settings) as daemon:
        if arguments.action == "stop":
            answer = daemon.stop_repairs(rollback=arguments.rollback)
            told = "repairs are stopped: nothing is written for any repair"
            told += (
                "; what was being tried is put back" if arguments.rollback else "; what is being tried stays as it is"
            )
        elif arguments.action == "start":
            answer = daemon.start_repairs()
            told = "repairs go on"
        else:
            key = app_key(arguments.app, settings)
            answer = daemon.command(key, arguments.action, proposal=arguments.proposal)
            told = f"{key}: {answer['told']}"
    print(json.dumps(answer) if arguments.json else told)
    return 0


def _list(arguments: argparse.Namespace) -> int:
    with reading(load().settings) as daemon:
        answer = daemon.repairs()
    if arguments.json:
        print(json.dumps(answer))
    else:
        print("\n".join(listed(answer, datetime.now(UTC), Style.of(sys.stdout))))
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """All that is wrong at once."""
    action, wrong = arguments.action, []
    if action in _OF_AN_APP and not arguments.app:
        wrong.append(f"repairs {action} needs an app")
    if action not in _OF_AN_APP and arguments.app:
        wrong.append(f"repairs {action} takes no app")
    if arguments.proposal and action != "approve":
        wrong.append("--proposal belongs to repairs approve")
    if arguments.rollback and action != "stop":
        wrong.append("--rollback belongs to repairs stop")
    if wrong:
        raise UsageError("\n".join(wrong), hint="`nomad-operator repairs --help` shows what it takes")
