"""The API token: made once, kept where only its user can read it, and found by the commands."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from desired.errors import StateUnusable
from nomad_operator.api_token import token_of_command, token_of_daemon
from nomad_operator.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_url=f"sqlite://{tmp_path}/state/state.db")


def test_the_first_start_makes_a_token_that_the_commands_find(settings: Settings) -> None:
    assert token_of_command(settings) is None
    made = token_of_daemon(settings)
    assert len(made.get_secret_value()) >= 32
    assert token_of_command(settings) == token_of_daemon(settings) == made


def test_the_token_is_readable_by_its_user_alone(settings: Settings) -> None:
    token_of_daemon(settings)
    assert stat.S_IMODE(settings.token_file.stat().st_mode) == 0o600
    assert [file.name for file in settings.token_file.parent.iterdir()] == ["api-token"]


def test_a_token_that_is_set_is_used_and_written_nowhere(tmp_path: Path) -> None:
    settings = Settings(state_url=f"sqlite://{tmp_path}/state.db", api_token=SecretStr("x" * 20))
    assert token_of_daemon(settings).get_secret_value() == "x" * 20
    assert not settings.token_file.exists()


def test_a_token_file_of_its_own_is_read(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-a-file\n")
    settings = Settings(api_token_file=tmp_path / "token")
    assert token_of_daemon(settings).get_secret_value() == "from-a-file"


def test_a_command_says_where_it_found_no_token_and_the_daemon_makes_it_there(tmp_path: Path) -> None:
    settings = Settings(api_token_file=tmp_path / "token")
    with pytest.raises(StateUnusable, match="there is no API token in"):
        token_of_command(settings)
    assert token_of_daemon(settings) == token_of_command(settings)


def test_an_empty_token_file_is_no_token(settings: Settings) -> None:
    settings.token_file.parent.mkdir()
    settings.token_file.touch()
    assert token_of_command(settings) is None
    assert len(token_of_daemon(settings).get_secret_value()) >= 32


def test_a_token_that_cannot_be_kept_is_a_told_problem(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateUnusable, match="api-token") as caught:
        token_of_daemon(Settings(state_url=f"sqlite://{tmp_path}/file/state.db"))
    assert caught.value.hint
