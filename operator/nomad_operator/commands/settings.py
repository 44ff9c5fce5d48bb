"""`settings`: every setting, its value (secrets masked), where it came from, and what it means."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from desired.errors import UsageError
from nomad_operator.commands.table import Style, faint, plain
from nomad_operator.settings import Settings
from nomad_operator.settings_load import DEFAULT, Loaded, read
from nomad_operator.settings_show import rows


def settings(arguments: argparse.Namespace) -> int:
    if arguments.defaults:
        loaded = Loaded(Settings(), dict.fromkeys(Settings.model_fields, DEFAULT))
        problems: list[str] = []
    else:
        # Whoever looks here wants to know what is wrong, and what holds in spite of it.
        loaded, problems = read()
    shown = rows(loaded)
    if arguments.json:
        print(json.dumps({"settings": shown, **({"problems": problems} if problems else {})}))
        return _told(problems)
    style = Style.of(sys.stdout)
    for row in shown:
        print(f"{row['name']}={plain(_text(row['value']))}  {faint('(' + row['source'] + ')', style)}")
        print(f"    {row['meaning']}{_range(row)}")
    return _told(problems)


def _told(problems: list[str]) -> int:
    """2 where something is wrong, in lines like any other error's."""
    for problem in problems:
        print(f"error: {plain(problem)}", file=sys.stderr)
    if problems:
        print("hint: what is wrong counts as not set here, and no other command starts with it", file=sys.stderr)
    return UsageError.exit_code if problems else 0


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _range(row: dict[str, Any]) -> str:
    parts = [f"{row['allowed']} {row['unit']}".strip()] if row["allowed"] else []
    if row["default"] is not None and row["default"] != "":
        parts.append(f"default {_text(row['default'])}")
    return f" [{'; '.join(parts)}]" if parts else ""
