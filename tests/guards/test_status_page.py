"""docs/status.md names every reason and condition that people can meet, and none that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from desired.reasons import Reason
from nomad_operator.web import VERBS
from reconcilers.decision import Condition


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs/status.md").read_text(encoding="utf-8")


def _section(page: str, heading: str) -> str:
    return page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_every_reason_is_explained(page: str) -> None:
    assert set(re.findall(r"`([A-Z]\w+)`", _section(page, "Reasons"))) >= {reason.value for reason in Reason}


def test_every_condition_is_explained(page: str) -> None:
    named = set(re.findall(r"`([A-Z]\w+)`", _section(page, "Conditions")))
    assert named >= {condition.value for condition in Condition}


def test_every_command_over_http_is_named(page: str) -> None:
    assert all(f"`{verb}`" in _section(page, "HTTP") for verb in VERBS)
