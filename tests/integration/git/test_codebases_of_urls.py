"""A codebase by its URL is the same as its folder; what cannot be meant is told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from desired.errors import UsageError
from desired.facts.analyze import analyze
from desired.facts.codebase import Codebase
from desired.git_address import GitAddress
from nomad_operator.codebases import credentials_for, open_codebase, repository_name
from nomad_operator.settings import Settings
from tests.integration.git.git_world import Upstream

_SETTINGS = Settings(git_url="https://git.example.org/team/apps.git", git_token="t0p-s3cr3t-token")


def _upstream(tmp_path: Path) -> Upstream:
    upstream = Upstream(tmp_path / "shop")
    upstream.commit({"Dockerfile": "FROM python:3.12\nEXPOSE 8000\n", "app.py": "import os\nos.environ['A_URL']\n"})
    return upstream


def _seen(codebase: Codebase) -> tuple[tuple[str, ...], list[str | None]]:
    return codebase.paths, [codebase.text(path) for path in codebase.paths]


def test_a_url_and_a_folder_are_the_same_codebase(tmp_path: Path) -> None:
    upstream = _upstream(tmp_path)
    by_url = open_codebase(f"file://{upstream.folder}", _SETTINGS)
    by_folder = open_codebase(str(upstream.folder), _SETTINGS)
    assert _seen(by_url) == _seen(by_folder)
    assert by_url.name == by_folder.name == "shop"
    assert list(analyze(by_url).apps[0].facts.ports) == [8000]


def test_another_ref_is_fetched_by_its_name(tmp_path: Path) -> None:
    upstream = _upstream(tmp_path)
    first = upstream.git("rev-parse", "HEAD")
    upstream.commit({"Dockerfile": "FROM python:3.12\nEXPOSE 9000\n"})
    assert list(analyze(open_codebase(f"file://{upstream.folder}", _SETTINGS)).apps[0].facts.ports) == [9000]
    assert list(analyze(open_codebase(f"file://{upstream.folder}", _SETTINGS, ref=first)).apps[0].facts.ports) == [8000]


def test_a_folder_has_no_ref(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no --ref"):
        open_codebase(str(tmp_path), _SETTINGS, ref="main")


@pytest.mark.parametrize(
    ("url", "given"),
    [
        ("https://git.example.org/other/code.git", True),
        ("https://git.example.org:443/other/code.git", True),
        ("https://git.example.org:8443/other/code.git", False),
        ("http://git.example.org/other/code.git", False),
        ("https://git.example.org.evil.example/code.git", False),
        ("https://elsewhere.example/code.git", False),
        ("ssh://git@git.example.org/other/code.git", False),
    ],
)
def test_the_token_is_for_its_own_server(url: str, given: bool) -> None:
    assert (credentials_for(GitAddress.parse(url), _SETTINGS).token != "") is given


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://git.example.org/team/shop.git", "shop"),
        ("https://git.example.org/team/shop/", "shop"),
        ("git@git.example.org:shop.git", "shop"),
    ],
)
def test_a_codebase_is_called_as_its_repository(url: str, name: str) -> None:
    assert repository_name(GitAddress.parse(url)) == name
