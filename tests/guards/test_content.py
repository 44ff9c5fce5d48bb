"""What must never be committed: paths of someone's machine, addresses of package indexes, secrets, unfinished work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

LARGEST = 6_000_000
# Spelled in pieces, so that this file does not find itself.
MACHINE = re.compile(
    r"/(?:home|Users)/[a-z][\w.-]+/|/ro" r"ot/|/wo" r"rk/(?:main|shared)\b|/opt/l" r"ab\b|-fc-\w+\.\w+"
)
INDEX = re.compile(
    r"--(?:extra-)?index" r"-url|--find" r"-links|files\.pythonhost" r"ed|^\s*index-url\s*=", re.MULTILINE
)
SECRETS = {
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE" r" KEY-----\n[A-Za-z0-9+/=\n]{100,}"),
    "AWS key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{50,})\b"),
    "GitLab token": re.compile(r"\bglpat-[\w-]{20,}\b"),
    "model provider's key": re.compile(r"\bsk-(?:proj-|ant-|lf-)?[A-Za-z0-9_-]{32,}\b"),
    "Vault token": re.compile(r"\bhv[sb]\.[A-Za-z0-9_-]{24,}\b"),
    "signed token": re.compile(r"\beyJ[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}"),
    "secret id": re.compile(r'"SecretID":\s*"(?!00000000-)[0-9a-f]{8}-[0-9a-f-]{27}"'),
}
UNFINISHED = re.compile(r"\bTO" r"DO\b|\bFIX" r"ME\b|\bXX" r"X\b|NotImplemented" r"Error")


@pytest.fixture(scope="session")
def texts(root: Path, tracked: list[str]) -> list[tuple[str, str]]:
    """Every tracked file that is text, with its content."""
    return list(_read(root, tracked))


def _read(root: Path, tracked: list[str]) -> Iterator[tuple[str, str]]:
    for name in tracked:
        try:
            yield name, (root / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def _found(pattern: re.Pattern[str], texts: list[tuple[str, str]]) -> list[str]:
    return [
        f"{name}:{text.count(chr(10), 0, hit.start()) + 1}: {hit[0][:60]!r}"
        for name, text in texts
        for hit in pattern.finditer(text)
    ]


def test_no_file_names_a_path_of_someones_machine(texts: list[tuple[str, str]]) -> None:
    assert not _found(MACHINE, texts)


def test_no_file_names_a_package_index(texts: list[tuple[str, str]]) -> None:
    """Where packages come from is the reader's configuration; a lock with an address fails behind another mirror."""
    locks = [(name, text) for name, text in texts if name.startswith("requirements")]
    assert len(locks) == 4
    assert not _found(INDEX, [entry for entry in texts if not entry[0].endswith(("Makefile", "test_content.py"))])


def test_every_locked_requirement_has_hashes(texts: list[tuple[str, str]]) -> None:
    for name, text in texts:
        if name.startswith("requirements"):
            entries = re.split(r"(?m)^(?=[a-zA-Z0-9])", text)[1:]
            assert entries and all("--hash=sha256:" in entry for entry in entries), name


@pytest.mark.parametrize("kind", SECRETS)
def test_no_file_holds_a_secret(texts: list[tuple[str, str]], kind: str) -> None:
    assert not _found(SECRETS[kind], texts)


def test_no_module_is_left_unfinished(texts: list[tuple[str, str]]) -> None:
    assert not _found(
        UNFINISHED, [entry for entry in texts if entry[0].endswith((".py", ".md")) and "/recordings/" not in entry[0]]
    )


def test_no_tracked_file_is_huge(root: Path, tracked: list[str]) -> None:
    assert not {name: (root / name).stat().st_size for name in tracked if (root / name).stat().st_size > LARGEST}
