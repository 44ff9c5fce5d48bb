"""`prompts promote` and `push`: what an optimizer made becomes what is asked with only where nothing is worse."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from nomad_operator.cli import main
from nomad_operator.optimize.measure import digest
from prompts.catalog import FilePrompts
from prompts.prompt_text import PromptText, read
from tests.doubles.langfuse_server import PUBLIC_KEY, SECRET_KEY, LangfuseDouble, langfuse_double

USE = {"repair": frozenset({"evidence"})}
Run = Callable[..., tuple[int, str, str]]


def document(system: str, version: int = 1, **config: Any) -> dict[str, Any]:
    return {
        "name": "repair", "type": "chat", "config": config, "version": version, "labels": [], "tags": [],
        "prompt": [{"role": "system", "content": system}, {"role": "user", "content": "See {{evidence}}"}],
    }  # fmt: skip


def text(system: str) -> PromptText:
    return read(document(system), where="here")


def candidate(system: str, *, against: str, paths: float = 1.0) -> dict[str, Any]:
    """As `prompts optimize` makes it, better on crashes; `paths` is what became of another class."""
    note = {
        "digest": digest(text(system)), "before": {"digest": digest(text(against)), "wrong": 0}, "after": {"wrong": 0},
        "classes": {
            "crash": {"cases": 2, "before": 0.5, "after": 1.0},
            "check_wrong_path": {"cases": 2, "before": 1.0, "after": paths},
        },
    }  # fmt: skip
    return document(system, 2, optimized=note)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    packaged = tmp_path / "packaged"
    packaged.mkdir()
    (packaged / "repair.json").write_text(json.dumps(document("The file.")))
    monkeypatch.setattr(
        "nomad_operator.langfuse.from_settings.FilePrompts", partial(FilePrompts, uses=USE, packaged=packaged)
    )
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> tuple[int, str, str]:
        stdin = StringIO("")
        stdin.isatty = lambda: False  # type: ignore[method-assign]
        monkeypatch.setattr("sys.stdin", stdin)
        code = main(["prompts", *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[LangfuseDouble]:
    with langfuse_double() as double:
        monkeypatch.setenv("LANGFUSE_HOST", double.address)
        monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", PUBLIC_KEY)
        monkeypatch.setenv("LANGFUSE_SECRET_KEY", SECRET_KEY)
        yield double


def put(double: LangfuseDouble, made: dict[str, Any], *labels: str) -> int:
    return double.write("repair", made["prompt"], config=made["config"], labels=list(labels))


def production(double: LangfuseDouble) -> list[int]:
    return [one["version"] for one in double.prompts["repair"] if "production" in one["labels"]]


def test_a_candidate_that_is_worse_in_nothing_is_promoted(run: Run, double: LangfuseDouble) -> None:
    put(double, document("Now."), "production")
    put(double, candidate("Better.", against="Now."), "candidate")
    code, out, _ = run("promote", "repair", "--label", "candidate", "--yes")
    assert code == 0 and "version 2 is production now" in out
    assert production(double) == [2]


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (candidate("Better.", against="Now.", paths=0.5), "worse on check_wrong_path (1.00 before, 0.50 with it)"),
        (candidate("Better.", against="The file."), "measured against another text than version 1"),
        ({**candidate("Better.", against="Now."), "prompt": document("Other.")["prompt"]}, "not the text that was"),
    ],
)
def test_what_is_not_promoted_stays_a_candidate(
    run: Run, double: LangfuseDouble, made: dict[str, Any], told: str
) -> None:
    put(double, document("Now."), "production")
    put(double, made, "candidate")
    code, out, err = run("promote", "repair", "--label", "candidate", "--yes")
    assert code == 1 and not out and told in err
    assert production(double) == [1]
    # Any other label may be given: it is not asked with by it.
    assert run("promote", "repair", "--label", "candidate", "--to", "trial", "--yes")[0] == 0


def test_where_nothing_has_the_label_the_file_is_what_is_asked_with(run: Run, double: LangfuseDouble) -> None:
    put(double, candidate("Better.", against="The file."), "candidate")
    assert run("promote", "repair", "--label", "candidate", "--yes")[0] == 0
    assert production(double) == [1]


def test_going_back_needs_no_new_measurement(run: Run, double: LangfuseDouble) -> None:
    put(double, document("Before."))
    put(double, candidate("Better.", against="Before."))
    put(double, document("By hand."), "production")
    assert run("promote", "repair", "--version", "2", "--yes")[0] == 0
    assert production(double) == [2]
    assert run("promote", "repair", "--version", "1", "--yes")[0] == 0
    assert production(double) == [1]


def test_a_push_with_the_label_is_no_way_around(
    run: Run, double: LangfuseDouble, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put(double, document("Now."), "production")
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "repair.json").write_text(json.dumps(candidate("Better.", against="Now.", paths=0.9)))
    monkeypatch.setenv("NOMAD_OPERATOR_PROMPTS_PATH", str(folder))
    code, _, err = run("push", "repair", "--label", "production", "--yes")
    assert code == 1 and "worse on check_wrong_path" in err and len(double.prompts["repair"]) == 1
    assert run("push", "repair", "--label", "candidate", "--yes")[0] == 0
    assert production(double) == [1]


class TestWithoutLangfuse:
    """What is asked with is a file then."""

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("NOMAD_OPERATOR_PROMPTS_PATH", str(tmp_path / "ours"))
        return tmp_path / "ours"

    def test_a_file_takes_the_place_of_what_is_asked_with(self, run: Run, folder: Path, tmp_path: Path) -> None:
        made = tmp_path / "made.json"
        made.write_text(json.dumps(candidate("Better.", against="The file.")))
        code, out, _ = run("promote", "repair", "--file", str(made))
        assert code == 0 and f"version 2 is in {folder / 'repair.json'}" in out
        assert json.loads((folder / "repair.json").read_text())["labels"] == ["production"]
        # Now that one is asked with; the same again changes nothing.
        assert "Better." in run("show", "repair")[1]

    def test_what_is_worse_is_not_written(self, run: Run, folder: Path, tmp_path: Path) -> None:
        made = tmp_path / "made.json"
        made.write_text(json.dumps(candidate("Better.", against="The file.", paths=0.5)))
        code, _, err = run("promote", "repair", "--file", str(made), "--yes")
        assert code == 1 and "worse on check_wrong_path" in err and not folder.exists()

    def test_what_is_there_is_replaced_only_after_a_question(self, run: Run, folder: Path, tmp_path: Path) -> None:
        folder.mkdir()
        (folder / "repair.json").write_text(json.dumps(document("Mine.")))
        made = tmp_path / "made.json"
        made.write_text(json.dumps(candidate("Better.", against="Mine.")))
        code, _, err = run("promote", "repair", "--file", str(made))
        assert code == 2 and "--yes" in err
        assert run("promote", "repair", "--file", str(made), "--yes")[0] == 0

    def test_without_a_folder_there_is_nowhere_to_put_it(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "made.json").write_text(json.dumps(candidate("Better.", against="The file.")))
        code, _, err = run("promote", "repair", "--file", "made.json")
        assert code == 2 and "NOMAD_OPERATOR_PROMPTS_PATH" in err


def test_with_langfuse_a_file_is_not_promoted(run: Run, double: LangfuseDouble, tmp_path: Path) -> None:
    (tmp_path / "made.json").write_text(json.dumps(candidate("Better.", against="The file.")))
    code, _, err = run("promote", "repair", "--file", "made.json")
    assert code == 2 and "Langfuse is set" in err
