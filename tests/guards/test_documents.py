"""What the documents tell people to type or open exists: commands, make targets, settings, files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from nomad_operator.cli import parser
from nomad_operator.settings import PREFIX, Settings

CODE = re.compile(r"^(```+)[^\n]*\n(.*?)^\1", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
COMMAND = re.compile(r"^(?:\$ |(?:[A-Z_]+=\S+ )+)*(?:\.venv/bin/)?nomad-operator (.+?)(?:\s+(?:#|\||>|&&|2>).*)?$")
FILE = re.compile(r"(?:[\w.-]+/)+[\w*.-]+\.(?:py|md|ya?ml|json|hcl|toml)|\.ci/run")


@pytest.fixture(scope="session")
def documents(root: Path, tracked: list[str]) -> dict[str, str]:
    """Every page that people read, by name. The changelog tells of the past, so what it names may be gone."""
    names = [name for name in tracked if name.endswith(".md") and not name.startswith("tests/")]
    return {name: (root / name).read_text(encoding="utf-8") for name in names if name != "CHANGELOG.md"}


def typed(documents: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Every line of a code block, with its page."""
    for name, text in documents.items():
        for _, block in CODE.findall(text):
            yield from ((name, line.strip()) for line in block.replace("\\\n", " ").splitlines())


def inline(documents: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in documents.items():
        yield from ((name, code) for code in INLINE.findall(CODE.sub("", text)))


def test_every_example_of_a_command_is_accepted_by_the_command_line(documents: dict[str, str]) -> None:
    for name, line in typed(documents):
        if found := COMMAND.match(line):
            try:
                parser().parse_args(shlex.split(found[1]))
            except SystemExit as end:
                assert end.code == 0, f"{name}: {line}"


def test_every_command_that_is_named_exists(documents: dict[str, str]) -> None:
    known = parser().format_help()
    for name, code in inline(documents):
        if found := re.match(r"(?:\.venv/bin/)?nomad-operator ([a-z]+)\b", code):
            assert re.search(rf"^    {found[1]}\b", known, re.MULTILINE), f"{name}: {code}"


def test_every_make_target_that_is_named_exists(root: Path, documents: dict[str, str]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    for name, code in (*inline(documents), *typed(documents)):
        if found := re.match(r"(?:[A-Z_]+=\S+ )*make ([a-z-]+)", code):
            assert found[1] in targets, f"{name}: {code}"


def test_every_setting_that_is_named_exists(documents: dict[str, str]) -> None:
    known = {str(field.validation_alias) for field in Settings.model_fields.values()} | {PREFIX}
    for name, text in documents.items():
        for word in re.findall(rf"\b{PREFIX}[A-Z_]*", text):
            assert word in known, f"{name}: {word}"


def test_every_file_of_ours_that_is_named_exists(root: Path, tracked: list[str], documents: dict[str, str]) -> None:
    """Named from the root, or a module by its package. Examples of other people's repositories are in code blocks."""
    ours = re.compile(r"^(?:operator|nomad_operator|reconcilers|desired|observers|prompts|tests|docs|charts|\.ci)/")
    for name, code in inline(documents):
        if FILE.fullmatch(code) and ours.match(code):
            places = (code, f"operator/{code}")
            assert any(list(root.glob(place)) for place in places), f"{name}: {code}"


def test_every_link_between_pages_leads_somewhere(root: Path, documents: dict[str, str]) -> None:
    for name, text in documents.items():
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", CODE.sub("", text)):
            assert ((root / name).parent / target).exists(), f"{name}: {target}"
