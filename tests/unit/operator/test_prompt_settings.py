"""The settings of prompts: labels as Langfuse takes them, and which share is compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from desired.errors import UsageError
from nomad_operator.langfuse.from_settings import labels
from nomad_operator.settings import Settings
from nomad_operator.settings_load import load
from nomad_operator.settings_show import rows
from prompts.labels import Labels


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def read(monkeypatch: pytest.MonkeyPatch, **settings: str) -> Settings:
    for name, value in settings.items():
        monkeypatch.setenv(f"NOMAD_OPERATOR_{name}", value)
    return load().settings


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, Labels("production")),
        ({"PROMPT_LABEL": "staging-2.1_x"}, Labels("staging-2.1_x")),
        ({"PROMPT_COMPARE": "candidate=0.2"}, Labels("production", "candidate", 0.2)),
        ({"PROMPT_COMPARE": " candidate = 1 "}, Labels("production", "candidate", 1.0)),
        ({"PROMPT_LABEL": "a", "PROMPT_COMPARE": "b=0"}, Labels("a", "b", 0.0)),
        ({"PROMPT_COMPARE": ""}, Labels("production")),
    ],
)
def test_labels_and_shares_are_read(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], expected: Labels
) -> None:
    assert labels(read(monkeypatch, **settings)) == expected


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"PROMPT_LABEL": "Production"}, "PROMPT_LABEL=Production is no label: lower case letters"),
        ({"PROMPT_LABEL": "a b"}, "is no label"),
        ({"PROMPT_LABEL": "x" * 37}, "is no label"),
        ({"PROMPT_COMPARE": "candidate"}, "is not label=share"),
        ({"PROMPT_COMPARE": "candidate=2"}, "is not label=share"),
        ({"PROMPT_COMPARE": "candidate=-0.1"}, "is not label=share"),
        ({"PROMPT_COMPARE": "=0.1"}, "is not label=share"),
        ({"PROMPT_COMPARE": "candidate=0.1,other=0.2"}, "is not label=share"),
        ({"TRACES": "maybe"}, "TRACES=maybe: expected true or false"),
    ],
)
def test_what_is_wrong_with_them_is_told(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError) as error:
        read(monkeypatch, **settings)
    assert told in error.value.message


def test_what_is_compared_is_shown_as_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    read(monkeypatch, PROMPT_COMPARE="candidate=0.25")
    shown = {row["name"]: row["value"] for row in rows(load())}
    assert shown["NOMAD_OPERATOR_PROMPT_COMPARE"] == "candidate=0.25"
