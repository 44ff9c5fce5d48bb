"""All apps as a table, and what the operator says of itself above it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from desired.errors import Unavailable
from nomad_operator import status
from nomad_operator.commands.app_list import overview, withdrawn
from nomad_operator.commands.table import Style

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLAIN = Style(color=False, width=None)
AWAY = Unavailable("reading git: no route", hint="is the server up?")


@pytest.mark.parametrize(
    ("which", "service"), [("source_problem", "git"), ("nomad_problem", "nomad"), ("state_problem", "state")]
)
def test_what_is_away_is_told_with_what_to_do(which: str, service: str) -> None:
    problems: dict[str, Any] = {"source_problem": None, which: AWAY}
    answer = status.status(state=None, reports={}, records={}, mode="act", repairs="on", **problems)
    lines = overview(answer, NOW, PLAIN)
    [told] = [line for line in lines if line.startswith(f"{service}: ")]
    assert "reading git: no route" in told
    assert lines[lines.index(told) + 1] == "  hint: is the server up?"
    assert not [line for line in lines if "hint" in line and "is the server up?" not in line]


def test_what_is_withdrawn_is_counted_by_itself() -> None:
    apps = [
        {"key": "default/web", "ready": "True", "step": "Steady"},
        {"key": "default/old", "ready": "Unknown", "step": "Pruned"},
    ]
    assert overview({"apps": apps}, NOW, PLAIN)[0] == "1 of 1 apps ready · 1 withdrawn"


@pytest.mark.parametrize(
    ("app", "stopped"),
    [
        ({}, "after the grace time"),
        ({"confirmed": True}, "confirmed"),
        ({"held": True}, "held back"),
        ({"held": True, "confirmed": True}, "held back (confirmed)"),
        ({"held": True, "prune": False}, "never (prune: false)"),
        ({"leftRunning": True}, "never"),
    ],
)
def test_what_is_withdrawn_says_when_it_is_stopped(app: dict[str, Any], stopped: str) -> None:
    answer = {"held": "", "apps": [{"key": "default/web", "prune": True, "confirmed": False, **app}]}
    header, row, *_ = withdrawn(answer, NOW, PLAIN)
    assert row[header.index("STOPPED") :].split("  ")[0] == stopped
