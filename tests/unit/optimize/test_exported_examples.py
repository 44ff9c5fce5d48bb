"""Of what production asked, only what turned out durable becomes an example, and of one trace only what was last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from desired.errors import UsageError
from nomad_operator.optimize.exported import durable_examples

MARK, END = "<telemetry-0123456789abcdef>", "</telemetry-0123456789abcdef>"


def row(question: str, **changed: Any) -> dict[str, Any]:
    return {
        "id": "1", "trace": question, "app": "default/web", "at": "2026-01-01T00:00:00Z",
        "prompt": {"name": "repair", "version": 1, "label": ""}, "model": "m",
        "input": [{"role": "system", "content": "s"}, {"role": "user", "content": f"{MARK}{question}{END}"}],
        "output": {"fixable": True, "operations": []}, "failed": False,
        "scores": {"healthy": True, "durable": True}, **changed,
    }  # fmt: skip


def written(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "export.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in rows) + "\n\n")
    return path


def questions(path: Path) -> list[str]:
    return [one.question.removeprefix(MARK).removesuffix(END) for one in durable_examples(path, "repair", str)]


def test_what_may_be_an_example(tmp_path: Path) -> None:
    rows = [
        row("good"),
        row("not durable", scores={"healthy": True, "durable": False}),
        row("nobody knows", scores={}),
        row("failed", failed=True),
        row("another prompt", prompt={"name": "facts", "version": 1}),
        row("no JSON", output="hello"),
        row("another form", output={"text": "yes"}),
        row("cut", input=[{"role": "user", "content": f"{MARK}cut"}]),
        row("no messages", input="hello"),
        row("ends with the model", input=[{"role": "assistant", "content": "x"}]),
    ]
    assert questions(written(tmp_path, *rows)) == ["good"]


def test_of_several_questions_of_one_pass_only_the_last_was_verified(tmp_path: Path) -> None:
    late = row("second", trace="t", at="2026-01-01T00:00:09Z")
    early = row("first", trace="t", at="2026-01-01T00:00:01Z")
    assert questions(written(tmp_path, late, early)) == ["second"]
    failed_last = row("third", trace="t", at="2026-01-01T00:00:20Z", failed=True)
    assert questions(written(tmp_path, late, failed_last, early)) == []


@pytest.mark.parametrize("text", ["hello", "[1]", '{"prompt": "repair"}'])
def test_what_is_no_export_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "export.jsonl"
    path.write_text(f"\n{text}\n")
    with pytest.raises(UsageError, match=":2: "):
        durable_examples(path, "repair", str)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        durable_examples(tmp_path / "none", "repair", str)
