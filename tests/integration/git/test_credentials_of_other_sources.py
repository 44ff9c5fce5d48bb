"""The credentials of the main repository open other repositories of its server, and no other server ever sees them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from desired.errors import Forbidden, OperatorError
from desired.git_address import GitAddress
from desired.git_credentials import DEFAULT_USERNAME, GitCredentials
from nomad_operator.code_from_settings import other_source
from nomad_operator.other_sources import Remote
from nomad_operator.settings import Settings
from tests.integration.git.git_world import HttpServer, Upstream

TOKEN = "t0p-s3cr3t-token-of-the-main-one"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[HttpServer, HttpServer]]:
    """Two servers with the same repositories that let in the same person."""
    Upstream(tmp_path / "served" / "shop.git").commit({"Dockerfile": "FROM python:3.12\n"})
    both = HttpServer(tmp_path / "served"), HttpServer(tmp_path / "served")
    for server in both:
        server.login = (DEFAULT_USERNAME, TOKEN)
    yield both
    for server in both:
        server.close()


def _settings(server: HttpServer, tmp_path: Path) -> Settings:
    return Settings(git_url=server.url("apps.git"), git_token=TOKEN, state_url=f"sqlite:///{tmp_path}/state.db")


async def test_on_its_own_server_the_token_counts(servers: tuple[HttpServer, HttpServer], tmp_path: Path) -> None:
    main, _ = servers
    source = other_source(Remote(main.url("shop.git"), "main"), _settings(main, tmp_path))
    assert (await source.poll()).revision
    basic = base64.b64encode(f"{DEFAULT_USERNAME}:{TOKEN}".encode()).decode()
    assert any(header == f"Basic {basic}" for header in main.seen)


async def test_another_server_is_shown_nothing_even_where_it_asks(
    servers: tuple[HttpServer, HttpServer], tmp_path: Path
) -> None:
    main, other = servers
    source = other_source(Remote(other.url("shop.git"), "main"), _settings(main, tmp_path))
    with pytest.raises(Forbidden):
        await source.poll()
    assert other.seen and all(header is None for header in other.seen)


async def test_another_server_is_shown_nothing_when_the_own_one_sends_there(
    servers: tuple[HttpServer, HttpServer], tmp_path: Path
) -> None:
    main, other = servers
    main.redirect = other.url("").rstrip("/")
    source = other_source(Remote(main.url("shop.git"), "main"), _settings(main, tmp_path))
    with pytest.raises(OperatorError):
        await source.poll()
    assert other.seen and all(header is None for header in other.seen)


def test_ssh_to_another_server_shows_no_key_of_the_user() -> None:
    access = GitCredentials(own_keys=False).access(GitAddress.parse("git@elsewhere.example:x.git"))
    command = dict(access.environment)["GIT_SSH_COMMAND"]
    assert "IdentityFile=none" in command and "IdentityAgent=none" in command and "/dev/null" in command
    assert (
        "IdentityFile=none"
        not in dict(GitCredentials().access(GitAddress.parse("git@elsewhere.example:x.git")).environment)[
            "GIT_SSH_COMMAND"
        ]
    )
