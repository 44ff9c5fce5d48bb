"""Writes docs/reference.md as the code has it: commands, settings, failures, operations. `make picture`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from desired.cause import Cause
from desired.operations.table import ROWS as OPERATIONS
from desired.operations.table import Row
from nomad_operator.cli import parser
from nomad_operator.settings import Settings
from nomad_operator.settings_load import Loaded
from nomad_operator.settings_show import rows
from observers.failures.row import Family
from observers.failures.table import ROWS

PAGE = Path(__file__).parents[2] / "docs/reference.md"
_FAMILIES = {
    Family.IMAGE: "Images",
    Family.START: "Start of a task",
    Family.RUN: "While it runs",
    Family.NETWORK: "Network",
    Family.PLACEMENT: "Placement",
    Family.SECRETS: "Secrets and templates",
    Family.HEALTH: "Health",
    Family.SUBMISSION: "What Nomad refuses",
    Family.REST: "The rest",
    Family.NONE: "No trouble of the job",
}
_WHO = {
    Cause.SPEC: "the job itself must change",
    Cause.CLUSTER: "who runs the cluster",
    Cause.EXTERNAL: "who runs what it needs",
    Cause.TIME: "nobody: it may pass",
    Cause.NONE: "nobody",
    Cause.UNKNOWN: "not known",
}
_HEAD = """\
# Reference

Written from the code by `make picture`; a test compares. Conditions, reasons and the HTTP API stand in
[status.md](status.md), metrics in [metrics.md](metrics.md), fields of a manifest in [manifest.md](manifest.md), and
rules in [policy.md](policy.md).
"""


def page() -> str:
    return "\n".join([_HEAD, *_commands(), *_settings(), *_failures(), *_operations()])


def _commands() -> Iterator[str]:
    yield "## Commands\n\n`nomad-operator COMMAND --help` has the options of each.\n"
    subparsers = next(one for one in parser()._actions if isinstance(one, argparse._SubParsersAction))
    yield from _table(("command", "does"), [(f"`{one.dest}`", one.help or "") for one in subparsers._choices_actions])


def _settings() -> Iterator[str]:
    yield "## Settings\n\nFrom the environment, then from `.env` in the working folder, then from the default.\n"
    origins = dict.fromkeys(Settings.model_fields, "default")
    loaded = Loaded(settings=Settings.model_construct(), origins=origins)
    yield from _table(
        ("setting", "default", "allowed", "meaning"),
        [
            (f"`{row['name']}`", _default(row["default"], row["unit"]), _cell(row["allowed"]), _cell(row["meaning"]))
            for row in rows(loaded)
        ],
    )


def _failures() -> Iterator[str]:
    yield (
        "## Failures\n\nThe names stand in `explain`, in metrics and in records. *Operations* are what may help:\n"
        "which are tried, the guard and the rules decide. A word in braces is put in where it is known.\n"
    )
    for family, heading in _FAMILIES.items():
        yield f"### {heading}\n"
        yield from _table(
            ("failure", "who acts", "advice", "operations"),
            [
                (
                    f"`{row.failure.value}`",
                    _WHO[row.cause],
                    _cell(row.advice),
                    ", ".join(f"`{kind.value}`" for kind in row.may_help),
                )
                for row in ROWS
                if row.family is family
            ],
        )


def _operations() -> Iterator[str]:
    yield (
        "## Operations\n\nWhat a repair may change. `auto`: without being asked, where the guard finds nothing\n"
        "against it (`NOMAD_OPERATOR_REPAIR_AUTO`); `approve`: proposed, and a person decides.\n"
    )
    yield from _table(
        ("operation", "on", "value", "tier"),
        [(f"`{row.kind.value}`", f"{row.scope.value}", _value(row), row.tier.value) for row in OPERATIONS.values()],
    )


def _value(row: Row) -> str:
    return f"{row.type.value}, {row.unit.value}" if row.unit.value else row.type.value


def _default(value: object, unit: str) -> str:
    if value is None or value == "":
        return ""
    return f"`{value}`" + (f" {unit}" if unit else "")


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def _table(heads: Sequence[str], body: Sequence[Sequence[str]]) -> Iterator[str]:
    lines = [heads, ["---"] * len(heads), *body]
    yield "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print("docs/reference.md: written from the code", file=sys.stderr)
