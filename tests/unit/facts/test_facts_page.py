"""docs/facts.md and the recipe for an extractor say what the code does."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

from desired.facts import folder_codebase, hidden_paths
from desired.facts.analyze import analyze
from desired.facts.app_code.sizing import ALLOWANCES
from desired.facts.facts import Facts
from desired.facts.registry import EXTRACTORS
from desired.facts.tree_codebase import TreeCodebase
from nomad_operator.cli import main

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "facts.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The rows below a heading row, their cells without the marks of code."""
    lines = PAGE[PAGE.index(f"| {heading} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def test_the_extractors_are_those_of_the_table() -> None:
    told = [(name, float(weight)) for name, weight, _ in table("extractor")]
    assert sorted(told, key=lambda one: -one[1]) == told
    assert dict(told) == {one.name: one.priority for one in EXTRACTORS}


def test_the_fields_are_all_fields_in_their_order() -> None:
    assert sorted(name for name, _ in table("field")) == sorted(one.name for one in fields(Facts))


def test_the_sizes_are_the_sizes() -> None:
    told = {name: (int(cpu), int(memory)) for name, cpu, memory in table("size")}
    assert told == {str(size): (one.cpu, one.memory) for size, one in ALLOWANCES.items()}


def test_the_folders_that_are_never_looked_into_are_all_told() -> None:
    block = PAGE[PAGE.index("<!-- folders -->") : PAGE.index("<!-- end -->")]
    assert re.findall(r"`([^`]+)`", block) == sorted(hidden_paths.FOLDERS)


def test_the_limits_are_the_limits() -> None:
    assert f"beyond {folder_codebase.MAX_FILE_BYTES // 1024} KiB" in PAGE
    assert f"more than {folder_codebase.MAX_DEPTH} folders deep" in PAGE
    assert f"More than {folder_codebase.MAX_FILES} files" in PAGE


def test_the_recipe_for_an_extractor_makes_one(tmp_path: Path) -> None:
    """One file and one line: the file of the recipe, and the table with one more entry."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    recipe = text[text.index("### add an extractor") :].split("\n### ")[0]
    code = re.findall(r"```python\n(.*?)```", recipe, re.DOTALL)
    assert len(code) == 1
    module = ModuleType("desired.facts.fly_toml")
    sys.modules[module.__name__] = module
    try:
        exec(compile(dedent(code[0]), "fly_toml.py", "exec"), module.__dict__)
    finally:
        del sys.modules[module.__name__]
    contents = {"fly.toml": b"app = 'x'\n[http_service]\n  internal_port = 8080\n", "Dockerfile": b"FROM x\n"}
    codebase = TreeCodebase(name="app", contents=contents)
    assert not analyze(codebase).apps[0].facts.ports
    found = analyze(codebase, extractors=(*EXTRACTORS, module.extractor)).apps[0].facts.ports
    assert [(port, str(fact.place), fact.extractor) for port, fact in found.items()] == [
        (8080, "fly.toml:3", "fly_toml")
    ]
    broken = TreeCodebase(name="app", contents={"fly.toml": b"[http_service\n"})
    assert [str(one) for one in analyze(broken, extractors=(module.extractor,)).warnings]


def test_the_example_of_the_readme_is_what_analyze_prints(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = readme[readme.index("nomad-operator analyze tests/samples/memory-test/code") :]
    block = re.findall(r"```text\n(.*?)```", example, re.DOTALL)[0]
    assert main(["analyze", str(ROOT / "tests" / "samples" / "memory-test" / "code")]) == 0
    assert capsys.readouterr().out == block


# What is asked for, and what is said: the exit code, and a part of the error and of the hint.
REFUSED: Mapping[str, tuple[list[str], int, str, str]] = {
    "a folder that is not there": (["gone"], 1, "does not exist", "name a folder that holds code"),
    "a file": (["code/Dockerfile"], 1, "is not a folder", "name a folder that holds code"),
    "a Dockerfile that is not there": (
        ["code", "--dockerfile", "dockerfile"],
        1,
        "dockerfile: is no file of code",
        "Dockerfile may be meant",
    ),
    "no path": ([], 2, "required: PATH", ""),
}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_cannot_be_analysed_is_one_line_and_a_hint(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, code, error, hint = REFUSED[case]
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "Dockerfile").write_text("FROM x\n")
    monkeypatch.chdir(tmp_path)
    try:
        ended = main(["analyze", *arguments])
    except SystemExit as end:
        ended = int(str(end.code))
    told = capsys.readouterr()
    assert (ended, told.out) == (code, "")
    assert error in told.err and hint in told.err and "Traceback" not in told.err


def test_broken_files_are_told_and_end_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "compose.yaml").write_text("services:\n  web: {image: x\n")
    (tmp_path / "Dockerfile").write_text("FROM x\nENV A\nEXPOSE 80\n")
    assert main(["analyze", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert "warning: Dockerfile:2: ENV must have two arguments" in told.err and "warning: compose.yaml:" in told.err
    assert "ports.80" in told.out
