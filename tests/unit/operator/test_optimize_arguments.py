"""`prompts optimize`: what cannot be done is told before anything is imported, asked or written."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nomad_operator.cli import main
from prompts.catalog import FilePrompts

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    # Where nothing listens: whoever asked would fail in another way.
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

    def command(*arguments: str) -> tuple[int, str]:
        code = main(["prompts", "optimize", *arguments])
        assert list(tmp_path.iterdir()) == []
        return code, capsys.readouterr().err

    return command


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["draft"], "nothing measures draft"),
        (["facts"], "nothing measures facts"),
        (["intent"], "nothing measures intent"),
        (["explain"], "nothing measures explain"),
        (["repairs"], "did you mean repair?"),
        ([], "required: NAME"),
        (["repair", "--optimizer", "Luck"], "BootstrapFewShot, MIPROv2"),
        (["repair", "--held-out", "1"], "no share between 0 and 1"),
        (["repair", "--examples", "0"], "no number from 1 to 50"),
        (["repair", "--budget-tokens", "-1"], "no number of tokens"),
        (["repair", "--data", "none.jsonl"], "none.jsonl cannot be read"),
        (["repair", "--corpus", "none"], "none cannot be read"),
    ],
)
def test_what_is_asked_wrongly(run: Run, arguments: list[str], told: str) -> None:
    code, err = run(*arguments)
    assert code == 2 and told in err


def test_without_a_model_it_says_what_to_set(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    code, err = run("repair")
    assert code == 1 and "none is set" in err and "hint: set OPENAI_BASE_URL" in err


def test_without_the_extra_it_says_which(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dspy", None)
    code, err = run("repair")
    assert code == 1 and "not installed" in err and "pip install 'nomad-operator[optimize]'" in err


def test_a_prompt_of_the_users_that_cannot_be_taken_apart_is_told(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("ours")
    text = FilePrompts().texts["repair"].document
    text["prompt"] = [{"role": "user", "content": "\n".join(one["content"] for one in text["prompt"])}]
    (folder / "repair.json").write_text(json.dumps(text))
    monkeypatch.setenv("NOMAD_OPERATOR_PROMPTS_PATH", str(folder))
    code, err = run("repair")
    assert code == 2 and "another form" in err
