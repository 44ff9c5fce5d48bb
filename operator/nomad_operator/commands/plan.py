"""`plan`: what the next pass would do, app by app, and how many of them it would change."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from desired.errors import UsageError
from nomad_operator.commands.table import plain, plain_lines
from nomad_operator.plan import Change, Plan, Planned
from nomad_operator.plan import plan as make_plan
from nomad_operator.settings_load import load

_SIGNS = {
    Change.CREATE: "+",
    Change.UPDATE: "~",
    Change.ADOPT: "=",
    Change.STOP: "-",
    Change.NOTHING: " ",
    Change.BLOCKED: "!",
    Change.FAILED: "x",
}

_WORDS = {
    Change.CREATE: "to create",
    Change.UPDATE: "to update",
    Change.STOP: "to stop",
    Change.ADOPT: "to adopt unchanged",
    Change.NOTHING: "without a change",
    Change.BLOCKED: "held back",
    Change.FAILED: "not planned",
}


def plan(arguments: argparse.Namespace) -> int:
    path = None if arguments.path is None else _folder(arguments.path)
    settings = load(required=() if path else ("git_url",)).settings
    found = asyncio.run(make_plan(settings, arguments.app, ref=arguments.ref, path=path))
    for note in found.notes:
        print(f"note: {plain(note)}", file=sys.stderr)
    if arguments.json:
        print(json.dumps({"apps": [one.as_json() for one in found.apps], "sources": list(found.sources)}))
    else:
        print("\n".join(lines(found.apps)), flush=True)
        _tell_problems(found.sources, {one.key for one in found.apps} if arguments.app else None)
    _tell_stale(found)
    return 1 if found.sources and not arguments.app else found.exit_code


def lines(planned: Sequence[Planned]) -> list[str]:
    """An app a line with its diff below, and the summary. Nothing in them can steer the terminal."""
    told = []
    for one in planned:
        told.append(f"{_SIGNS[one.change]} {plain(one.key)}  {plain(one.message)}".rstrip())
        told += [f"    {line}" for line in plain_lines(one.diff)]
        if one.hint:
            told.append(f"    hint: {plain(one.hint)}")
    return [*told, summary([one.change for one in planned])]


def summary(changes: Sequence[Change]) -> str:
    """How many apps, and what becomes of them."""
    if not changes:
        return "no apps"
    counts = Counter(changes)
    told = ", ".join(f"{counts[change]} {words}" for change, words in _WORDS.items() if counts[change])
    return f"{len(changes)} {'app' if len(changes) == 1 else 'apps'}: {told}"


def _tell_problems(unread: Sequence[Mapping[str, Any]], keys: Collection[str] | None) -> None:
    """All of them; of those that `keys` are not about only the number."""
    told = [one for one in unread if keys is None or one["key"] in keys]
    for one in told:
        print(f"{plain(one['path'])}: {plain(one['problem'])}", file=sys.stderr)
    if others := len({one["path"] for one in unread} - {one["path"] for one in told}):
        files = "other file has" if others == 1 else "other files have"
        print(f"note: {others} {files} problems; `nomad-operator plan` shows all", file=sys.stderr)


def _tell_stale(found: Plan) -> None:
    if found.stale is None:
        return
    print(f"note: this is the last good revision: {plain(found.stale.message)}", file=sys.stderr)
    if found.stale.hint:
        print(f"hint: {plain(found.stale.hint)}", file=sys.stderr)


def _folder(path: str) -> Path:
    if not Path(path).is_dir():
        raise UsageError(f"--path {path} is not a folder", hint="name the work tree that holds the desired apps")
    return Path(path)
