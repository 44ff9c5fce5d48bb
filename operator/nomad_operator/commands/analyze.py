"""`analyze`: what can be known of a codebase without running it, each value with where it stands.

Asks no service, unless `--model` says so; of a URL one commit is fetched.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from desired.errors import UsageError
from desired.facts.analyze import Analysis, Analyzed, analyze
from desired.facts.codebase import Codebase
from desired.facts.fact import Fact
from desired.facts.rows import Row, plain, rows
from desired.problem import Problem
from nomad_operator.codebases import open_codebase
from nomad_operator.commands.table import Style, bold, columns, faint
from nomad_operator.commands.table import plain as one_line
from nomad_operator.interview.model_help import ModelHelp, has_model, with_model
from nomad_operator.settings import Settings
from nomad_operator.settings_load import load

# Of one kind in the table, such as dependencies; JSON has all.
_MOST_OF_A_KIND = 12


def command(arguments: argparse.Namespace) -> int:
    # The `.env` beside a codebase is the app's, not ours.
    settings = load(env_file=None).settings
    codebase = open_codebase(arguments.path, settings, ref=arguments.ref)
    found = analyze(codebase, arguments.dockerfile)
    if arguments.model:
        found = _with_model(found, codebase, settings)
    if arguments.json:
        print(json.dumps(as_json(codebase.name, found)))
        return 0
    print("\n".join(_told(found, Style.of(sys.stdout))))
    for problem in found.warnings:
        print(f"warning: {one_line(str(problem))}", file=sys.stderr)
    for note in found.notes:
        print(f"note: {one_line(note)}", file=sys.stderr)
    return 0


def _with_model(found: Analysis, codebase: Codebase, settings: Settings) -> Analysis:
    if not has_model(settings):
        raise UsageError("--model: no model is set", hint="set OPENAI_BASE_URL, or OPENAI_API_KEY, and MODEL")

    async def ask(help: ModelHelp) -> Analysis:
        return await help.facts(found, codebase)

    made: Analysis = asyncio.run(
        with_model(settings, lambda text: print(f"warning: {one_line(text)}", file=sys.stderr), ask)
    )
    return made


def as_json(name: str, found: Analysis) -> dict[str, Any]:
    return {
        "codebase": name,
        "dockerfiles": list(found.dockerfiles),
        "dockerfile": found.dockerfile,
        "apps": [_app(one) for one in found.apps],
        "warnings": [_warning(problem) for problem in found.warnings],
        "notes": list(found.notes),
    }


def _app(one: Analyzed) -> dict[str, Any]:
    of = one.component
    return {
        "name": of.name,
        "root": of.root or ".",
        "dockerfile": of.dockerfile,
        "service": of.service or None,
        "facts": [{"field": row.field, **_fact(row.fact)} for row in rows(one.facts)],
    }


def _fact(fact: Fact[Any]) -> dict[str, Any]:
    told = {
        "value": plain(fact.value),
        "extractor": fact.extractor,
        "path": fact.place.path if fact.place is not None else None,
        "line": fact.place.line if fact.place is not None else None,
        "confidence": fact.confidence,
        "reason": fact.reason,
    }
    return {**told, "overruled": [_fact(other) for other in fact.overruled]} if fact.overruled else told


def _warning(problem: Problem) -> dict[str, Any]:
    return {"path": problem.path, "line": problem.line, "column": problem.column, "message": problem.message}


def _told(found: Analysis, style: Style) -> Iterator[str]:
    for number, one in enumerate(found.apps):
        if number:
            yield ""
        yield bold(one_line(_headline(one)), style)
        yield from columns(("FIELD", "VALUE", "CONFIDENCE", "SOURCE"), list(_lines(one)), style)
        yield from (faint(line, style) for line in _left_out(one))
    others = [path for path in found.dockerfiles if path != found.dockerfile]
    if others and not any(one.component.dockerfile in others for one in found.apps):
        yield ""
        listed = ", ".join(others)
        yield one_line(
            f"{found.dockerfile} was chosen; --dockerfile takes another of {len(found.dockerfiles)}: {listed}"
        )


def _headline(one: Analyzed) -> str:
    of = one.component
    if not of.code:
        return f"{of.name}: an image from elsewhere"
    where = of.dockerfile or "no Dockerfile"
    return f"{of.name}: {where}" + (f", code in {of.root}" if of.root else "")


def _lines(one: Analyzed) -> Iterator[tuple[str, ...]]:
    seen: Counter[str] = Counter()
    for row in rows(one.facts):
        kind = row.field.partition(".")[0]
        seen[kind] += 1
        if seen[kind] <= _MOST_OF_A_KIND:
            yield row.field, _value(row), f"{row.fact.confidence:.2f}", _source(row.fact)


def _value(row: Row) -> str:
    if row.field.startswith("secret_literals."):
        return "(a secret, left out)"
    others = [str(one.value) for one in row.fact.overruled]
    return f"{row.shown} (not {', '.join(dict.fromkeys(others))})" if others and row.shown not in others else row.shown


def _source(fact: Fact[Any]) -> str:
    return f"{fact.source} ({fact.reason})" if fact.reason else fact.source


def _left_out(one: Analyzed) -> Iterator[str]:
    counts = Counter(row.field.partition(".")[0] for row in rows(one.facts))
    for kind, count in counts.items():
        if count > _MOST_OF_A_KIND:
            yield f"{count - _MOST_OF_A_KIND} more {kind.replace('_', ' ')} (--json has all)"
