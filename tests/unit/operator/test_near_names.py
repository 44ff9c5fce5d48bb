"""What was probably meant, wherever a name is not known: options, keys of world files, apps, settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desired.app import AppKey
from desired.errors import TerminalError, UsageError
from nomad_operator.cli import main
from nomad_operator.embedded.world import read_world
from nomad_operator.plan import chosen


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("status", "--jsonn"), "did you mean --json?"),
        (("init", "--no-question"), "did you mean --no-questions?"),
        (("prompts", "list", "--jsn"), "did you mean --json?"),
    ],
)
def test_an_option_that_nobody_knows(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert told in error and f"`nomad-operator {arguments[0]}" in error


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nodes: [{name: a, cpus: 3}]", "nodes.0.cpus: Extra inputs are not permitted (did you mean cpu?)"),
        ("behaviors: []", "behaviors: Extra inputs are not permitted (did you mean behaviours?)"),
        ("behaviours: [{exit_cod: 1}]", "did you mean exit_code?"),
        ("zzzzzz: 1", "zzzzzz: Extra inputs are not permitted"),
    ],
)
def test_a_key_of_a_world_file(text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_world(text, "w.yaml")
    assert told in caught.value.message


def test_an_app_that_plan_does_not_know_is_told_as_status_tells_it() -> None:
    with pytest.raises(TerminalError, match="no app default/nosuch") as caught:
        chosen(["nosuch"], {AppKey("default", "web")}, "default")
    assert caught.value.exit_code == 1 and "default/web" in caught.value.hint


def test_settings_are_shown_beside_what_is_wrong_with_some(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NOMAD_OPERATOR_CONCURENCY", "3")
    monkeypatch.setenv("NOMAD_OPERATOR_GIT_POLL_SECONDS", "soon")
    monkeypatch.setenv("NOMAD_OPERATOR_GIT_REF", "trunk")
    assert main(["settings", "--json"]) == 2
    answer = capsys.readouterr()
    told = json.loads(answer.out)
    rows = {row["name"]: row for row in told["settings"]}
    assert rows["NOMAD_OPERATOR_GIT_REF"]["value"] == "trunk"
    assert rows["NOMAD_OPERATOR_GIT_POLL_SECONDS"]["source"] == "default"
    assert len(told["problems"]) == 2 and answer.err.count("error: ") == 2
    assert main(["settings"]) == 2
    assert main(["settings", "--defaults"]) == 0
