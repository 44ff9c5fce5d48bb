"""`prompts`: what people read, what moves between files, Langfuse and labels, and what is asked before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from nomad_operator.cli import main
from prompts.catalog import FilePrompts
from tests.doubles.langfuse_server import PUBLIC_KEY, SECRET_KEY, LangfuseDouble, SeenSpan, langfuse_double

USE = {"repair": frozenset({"evidence"}), "explain": frozenset({"story"})}


def messages(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "Be short."}, {"role": "user", "content": text}]


FILES = {"repair": messages("See {{evidence}}"), "explain": messages("Tell {{story}}")}


@pytest.fixture
def double() -> Iterator[LangfuseDouble]:
    with langfuse_double() as double:
        yield double


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], double: LangfuseDouble
) -> Run:
    packaged = tmp_path / "packaged"
    packaged.mkdir()
    for name, prompt in FILES.items():
        document = {
            "name": name, "type": "chat", "prompt": prompt, "config": {"temperature": 0.1}, "version": 2,
            "labels": ["production"], "tags": [],
        }  # fmt: skip
        (packaged / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.setattr(
        "nomad_operator.langfuse.from_settings.FilePrompts", partial(FilePrompts, uses=USE, packaged=packaged)
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANGFUSE_HOST", double.address)
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", PUBLIC_KEY)
    monkeypatch.setenv("LANGFUSE_SECRET_KEY", SECRET_KEY)

    def command(*arguments: str, answer: str | None = None) -> tuple[int, str, str]:
        stdin = StringIO(answer or "")
        stdin.isatty = lambda: answer is not None  # type: ignore[method-assign]
        monkeypatch.setattr("sys.stdin", stdin)
        code = main(["prompts", *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


def versions(double: LangfuseDouble, name: str) -> list[tuple[int, set[str]]]:
    return [(one["version"], set(one["labels"]) - {"latest"}) for one in double.prompts.get(name, [])]


def test_a_list_says_what_is_asked_with_and_what_langfuse_has(run: Run, double: LangfuseDouble) -> None:
    double.write("repair", messages("Look at {{evidence}}"), labels=["production"])
    double.write("repair", messages("See {{evidence}}"), labels=["candidate"], config={"temperature": 0.1})
    code, out, _ = run("list")
    assert code == 0
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["explain", "file", "2", "not", "there"],
        ["repair", "production", "1", "2", "differs", "from", "the", "file", "1,", "2", "candidate,", "production"],
    ]
    assert run()[1] == out


def test_a_list_tells_what_cannot_be_asked_with(run: Run, double: LangfuseDouble) -> None:
    double.write("repair", messages("See {{evidence}} {{more}}"), labels=["production"])
    double.write("explain", messages("Tell {{story}}"))
    rows = {row["name"]: row for row in json.loads(run("list", "--json")[1])["prompts"]}
    assert rows["repair"]["uses"] == rows["explain"]["uses"] == "file"
    assert rows["repair"]["langfuse"]["state"] == "not usable: nothing fills {{more}}"
    assert rows["explain"]["langfuse"]["state"] == "none is production"


def test_without_langfuse_the_files_are_listed_and_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANGFUSE_HOST", "LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"):
        monkeypatch.delenv(name)
    code, _, err = run("list")
    assert (code, "not set" in err) == (0, True)
    assert "See {{evidence}}" in run("show", "repair")[1]


@pytest.mark.parametrize(
    "arguments", [("push",), ("pull", "--output", "x"), ("promote", "repair", "--version", "1"), ("export",)]
)
def test_what_needs_langfuse_says_what_is_not_set(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.delenv("LANGFUSE_SECRET_KEY")
    code, _, err = run(*arguments)
    assert code == 2
    assert "Langfuse is not set: LANGFUSE_SECRET_KEY" in err
    assert SECRET_KEY not in err


def test_a_prompt_is_shown_as_it_would_be_asked_with(run: Run, double: LangfuseDouble) -> None:
    double.write("repair", messages("Look at {{evidence}}"), labels=["production"])
    double.write("repair", messages("Third {{evidence}}"))
    assert "Look at {{evidence}}" in run("show", "repair")[1]
    assert "See {{evidence}}" in run("show", "repair", "--file")[1]
    assert "Third {{evidence}}" in run("show", "repair", "--version", "2")[1]
    assert "Third {{evidence}}" in run("show", "repair", "--label", "latest")[1]
    told = json.loads(run("show", "repair", "--json")[1])
    assert (told["source"], told["version"], told["variables"]) == ("Langfuse, production", 1, ["evidence"])


@pytest.mark.parametrize("mood", ["refuse", "garbage", "keys"])
def test_a_langfuse_that_is_away_shows_the_file_and_says_why(run: Run, double: LangfuseDouble, mood: str) -> None:
    double.mood_is(mood)
    code, out, err = run("show", "repair")
    assert (code, "See {{evidence}}" in out) == (0, True)
    assert err.startswith("note: Langfuse at")
    code, out, err = run("list")
    assert (code, [line.split() for line in out.splitlines()[1:]]) == (
        0, [["explain", "file", "2", "away"], ["repair", "file", "2", "away"]]
    )  # fmt: skip
    assert err.startswith("note: Langfuse at")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("show", "repare"), "did you mean repair?"),
        (("show", "repair", "--version", "9"), "Langfuse has no prompt repair (version 9)"),
        (("show", "repair", "--label", "staging"), "Langfuse has no prompt repair (staging)"),
        (("show", "repair", "--file", "--version", "1"), "--file shows the file"),
        (("show", "repair", "--version", "0"), "is no number of a version"),
        (("push", "other"), "is no prompt of the operator"),
        (("push", "--label", "Wrong Label"), "is no label"),
        (("push", "--label", "latest"), "given by Langfuse itself"),
        (("pull",), "where to?"),
        (("pull", "--version", "1", "--output", "x"), "a version is one prompt's"),
        (("promote", "repair"), "required"),
        (("promote", "repair", "--version", "1", "--to", "latest"), "given by Langfuse itself"),
        (("export", "--days", "0"), "is no number of days"),
    ],
)
def test_what_is_asked_wrongly_is_told(run: Run, arguments: tuple[str, ...], told: str) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert told in err


def test_a_file_that_langfuse_does_not_have_is_pushed_without_a_question(run: Run, double: LangfuseDouble) -> None:
    code, out, _ = run("push", "--message", "first")
    assert code == 0
    assert out.splitlines() == ["explain: pushed as version 1", "repair: pushed as version 1"]
    assert double.prompts["repair"][0]["prompt"] == FILES["repair"]
    assert double.prompts["repair"][0]["commitMessage"] == "first"
    assert versions(double, "repair") == [(1, set())]


def test_what_is_there_already_is_not_pushed_again(run: Run, double: LangfuseDouble) -> None:
    run("push", "--label", "production")
    _, out, _ = run("push")
    assert "version 1 is the same" in out
    assert versions(double, "repair") == [(1, {"production"})]


def test_a_push_that_replaces_shows_the_difference_and_asks(run: Run, double: LangfuseDouble) -> None:
    double.write("repair", messages("Look at {{evidence}}"), labels=["production"])
    code, out, err = run("push", "repair", answer="n\n")
    assert (code, "not pushed" in out) == (1, True)
    assert "-Look at {{evidence}}\n+See {{evidence}}" in err
    assert "Push repair as a new version? [y/N]" in err
    assert versions(double, "repair") == [(1, {"production"})]
    assert run("push", "repair", answer="y\n")[0] == 0
    assert versions(double, "repair") == [(1, {"production"}), (2, set())]


def test_a_label_is_taken_from_another_version_only_after_a_question(run: Run, double: LangfuseDouble) -> None:
    double.write("repair", messages("Look at {{evidence}}"), labels=["production"])
    code, _, err = run("push", "repair", "--label", "production", answer="y\nn\n")
    assert code == 1
    assert "Take production of repair from version 1?" in err
    assert versions(double, "repair") == [(1, {"production"})]
    assert run("push", "repair", "--label", "production", "--yes")[0] == 0
    assert versions(double, "repair") == [(1, set()), (2, {"production"})]


def test_the_same_text_gets_a_label_and_no_other_version(run: Run, double: LangfuseDouble) -> None:
    run("push")
    assert run("push", "repair", "--label", "production")[0] == 0
    assert versions(double, "repair") == [(1, {"production"})]


@pytest.mark.parametrize("arguments", [("push", "repair"), ("promote", "repair", "--version", "2")])
def test_where_nobody_can_be_asked_nothing_is_replaced(
    run: Run, double: LangfuseDouble, arguments: tuple[str, ...]
) -> None:
    double.write("repair", messages("Look at {{evidence}}"), labels=["production"])
    double.write("repair", messages("Other {{evidence}}"))
    before = versions(double, "repair")
    code, _, err = run(*arguments)
    assert code == 2
    assert "--yes goes on without asking" in err
    assert versions(double, "repair") == before


def test_promote_moves_the_label_that_is_asked_with(run: Run, double: LangfuseDouble) -> None:
    double.write("repair", messages("Look at {{evidence}}"), labels=["production"])
    double.write("repair", messages("Other {{evidence}}"), labels=["candidate"])
    code, out, err = run("promote", "repair", "--label", "candidate", answer="y\n")
    assert code == 0
    assert out == "repair: version 2 is production now\n"
    assert "-Look at {{evidence}}\n+Other {{evidence}}" in err
    assert versions(double, "repair") == [(1, set()), (2, {"candidate", "production"})]
    assert "already" in run("promote", "repair", "--label", "candidate")[1]
    assert run("promote", "repair", "--version", "1", "--to", "staging", "--yes")[0] == 0
    assert versions(double, "repair")[0] == (1, {"staging"})


def test_what_could_not_be_asked_with_is_not_promoted(run: Run, double: LangfuseDouble) -> None:
    double.write("repair", messages("Look at nothing"))
    code, _, err = run("promote", "repair", "--version", "1", "--yes")
    assert code == 1
    assert "it leaves out {{evidence}}" in err
    assert versions(double, "repair") == [(1, set())]


def test_what_langfuse_has_becomes_a_file_that_can_be_used(run: Run, double: LangfuseDouble, tmp_path: Path) -> None:
    double.write("repair", messages("Look at {{evidence}}"), labels=["production"], config={"top_p": 0.5, "by": "me"})
    code, out, _ = run("pull", "--output", "mine")
    assert code == 0
    assert "explain: Langfuse has none that is production" in out
    mine = FilePrompts(uses=USE, packaged=tmp_path / "packaged", folder=tmp_path / "mine")
    assert mine.prompt("repair").text.messages[1].text == "Look at {{evidence}}"
    assert mine.prompt("repair").text.config == {"top_p": 0.5, "by": "me"}
    assert "is the same" in run("pull", "repair", "--output", "mine")[1]


def test_a_file_is_replaced_only_after_a_question(run: Run, double: LangfuseDouble, tmp_path: Path) -> None:
    double.write("repair", messages("Look at {{evidence}}"), labels=["production"])
    run("pull", "repair", "--output", "mine")
    double.write("repair", messages("Other {{evidence}}"), labels=["production"])
    before = (tmp_path / "mine" / "repair.json").read_text()
    code, _, err = run("pull", "repair", "--output", "mine", answer="no\n")
    assert code == 1
    assert "+Other {{evidence}}" in err
    assert (tmp_path / "mine" / "repair.json").read_text() == before
    assert run("pull", "repair", "--output", "mine", "--yes")[0] == 0
    assert "Other" in (tmp_path / "mine" / "repair.json").read_text()
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["repair.json"]


def test_a_pulled_version_that_could_not_be_used_is_not_written(run: Run, double: LangfuseDouble) -> None:
    double.write("repair", messages("{{other}}"), labels=["production"])
    code, _, err = run("pull", "repair", "--output", "mine")
    assert code == 1
    assert "nothing fills {{other}}" in err
    assert not Path("mine").exists()


def generation(number: int, **told: Any) -> SeenSpan:
    attributes = {
        "langfuse.observation.type": "generation", "session.id": "default/web",
        "langfuse.observation.input": json.dumps(messages("exit 1")), "langfuse.observation.output": '{"a": 1}',
        "langfuse.observation.prompt.name": "repair", "langfuse.observation.prompt.version": 2,
        "langfuse.observation.model.name": "qwen3",
    } | told  # fmt: skip
    return SeenSpan("model", f"t{number}", f"s{number}", "", attributes, {}, 0, "", ())


def test_what_was_asked_and_answered_is_exported_with_how_it_went(
    run: Run, double: LangfuseDouble, tmp_path: Path
) -> None:
    double.spans += [
        *(generation(number) for number in range(120)),
        generation(900, **{"langfuse.observation.prompt.name": "other"}),
        generation(901, **{"langfuse.observation.type": "span"}),
    ]
    for name, value in (("validated", 1), ("healthy", 0)):
        double.scores.append(
            {"id": name, "traceId": "t7", "name": name, "value": value, "dataType": "BOOLEAN"}
        )  # fmt: skip
    code, out, _ = run("export", "repair", "--output", "set.jsonl", "--json")
    assert (code, json.loads(out)) == (0, {"rows": 120, "file": "set.jsonl"})
    rows = [json.loads(line) for line in (tmp_path / "set.jsonl").read_text().splitlines()]
    assert rows[7]["scores"] == {"validated": True, "healthy": False}
    assert rows[8]["scores"] == {}
    assert rows[7]["input"] == messages("exit 1")
    assert (rows[7]["output"], rows[7]["app"]) == ({"a": 1}, "default/web")
    assert rows[7]["prompt"] == {"name": "repair", "version": 2, "label": ""}
    assert len(run("export", "explain")[1].splitlines()) == 0


def test_a_file_that_cannot_be_written_is_told(run: Run) -> None:
    code, _, err = run("export", "--output", "missing/set.jsonl")
    assert code == 1
    assert "cannot be written" in err
