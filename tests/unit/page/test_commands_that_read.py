"""Commands that only read, against a daemon that wants a token for it and one that does not."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from desired.errors import Forbidden
from nomad_operator import client_api
from nomad_operator.api_token import token_for_reading
from nomad_operator.client_api import DaemonClient
from nomad_operator.settings import Settings
from tests.unit.page.shown_fleet import READ_TOKEN


class Daemon:
    """Wants the token for reading where it is told to."""

    def __init__(self, *, shut: bool) -> None:
        self.shut = shut
        self.shown: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        given = request.headers.get("authorization", "")
        self.shown.append(given)
        if self.shut and given != f"Bearer {READ_TOKEN}":
            return httpx.Response(401, json={"error": "reading needs a token", "hint": ""})
        return httpx.Response(200, json={"apps": []})


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Daemon:
    daemon = Daemon(shut=request.param)
    plain = httpx.Client

    def client(**options: object) -> httpx.Client:
        return plain(**{**options, "transport": httpx.MockTransport(daemon)})  # type: ignore[arg-type]

    monkeypatch.setattr(client_api.httpx, "Client", client)
    return daemon


def _client(asked_for: str | None) -> DaemonClient:
    token = SecretStr(asked_for) if asked_for is not None else None
    return DaemonClient(address="http://operator", token=None, asked_for=token)


@pytest.mark.parametrize("daemon", [True], indirect=True)
def test_a_daemon_that_asks_for_a_token_is_shown_it(daemon: Daemon) -> None:
    with _client(READ_TOKEN) as client:
        assert client.status() == {"apps": []}
    assert daemon.shown == ["", f"Bearer {READ_TOKEN}"]
    with _client(None) as client, pytest.raises(Forbidden):
        client.status()


@pytest.mark.parametrize("daemon", [False], indirect=True)
def test_a_daemon_that_does_not_ask_is_shown_none(daemon: Daemon) -> None:
    with _client(READ_TOKEN) as client:
        client.status()
    assert daemon.shown == [""]


def test_the_token_for_reading_is_its_own_else_the_one_for_everything(tmp_path: Path) -> None:
    state = f"sqlite:///{tmp_path}/state.db"
    assert token_for_reading(Settings(state_url=state)) is None
    (tmp_path / "api-token").write_text("made\n")
    found = token_for_reading(Settings(state_url=state))
    assert found is not None and found.get_secret_value() == "made"
    own = token_for_reading(Settings(state_url=state, read_token=SecretStr("own")))
    assert own is not None and own.get_secret_value() == "own"
    missing = Settings(state_url=state, api_token_file=tmp_path / "none")
    assert token_for_reading(missing) is None, "whoever only reads may well not be allowed to"
