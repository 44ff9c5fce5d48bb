"""What a git process is given to get in: never as an argument, never to another server than its own."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from desired.errors import Forbidden
from desired.git_address import GitAddress
from desired.git_credentials import Access, GitCredentials

HTTPS = GitAddress.parse("https://example.com:8443/x")
SSH = GitAddress.parse("git@example.com:x")


def asked(access: Access, action: str = "get") -> str:
    """What the credential helper answers, run as git runs it."""
    ((_, helper),) = access.config
    command = f"{helper.removeprefix('!')} {action}"
    environment = dict(access.environment)
    return subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=False).stdout


def test_a_token_goes_with_the_common_user_name() -> None:
    access = GitCredentials(token="t0ken%s\\n'\"$x`").access(HTTPS)
    assert asked(access) == "username=x-access-token\npassword=t0ken%s\\n'\"$x`\n"


def test_the_helper_only_answers_when_asked_for_credentials() -> None:
    access = GitCredentials(token="t0ken").access(HTTPS)
    assert asked(access, "store") == asked(access, "erase") == ""


def test_the_helper_belongs_to_one_server_and_holds_no_secret() -> None:
    ((key, helper),) = GitCredentials(token="t0ken").access(HTTPS).config
    assert key == "credential.https://example.com:8443.helper"
    assert "t0ken" not in helper


def test_the_user_name_can_be_set_and_a_token_wins_over_the_url() -> None:
    address = GitAddress.parse("https://me:from-url@host/x")
    assert asked(GitCredentials().access(address)) == "username=me\npassword=from-url\n"
    assert asked(GitCredentials(token="t").access(address)) == "username=me\npassword=t\n"
    assert asked(GitCredentials(token="t", username="oauth2").access(address)) == "username=oauth2\npassword=t\n"


def test_a_token_in_the_place_of_the_user_name() -> None:
    access = GitCredentials().access(GitAddress.parse("https://t0ken@host/x"))
    assert asked(access) == "username=t0ken\npassword=\n"
    assert "t0ken" in access.secrets


def test_without_credentials_nothing_is_given() -> None:
    assert GitCredentials().access(HTTPS) == GitCredentials(token="t").access(GitAddress.parse("/srv/x")) == Access()


def test_a_token_is_given_to_http_only() -> None:
    access = GitCredentials(token="t0ken").access(SSH)
    assert "t0ken" not in str(access.environment) + str(access.config)


@pytest.mark.parametrize("content", [None, "", "  \n", b"\xff", "two\nlines"])
def test_a_token_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | bytes | None) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Forbidden) as caught:
        GitCredentials(token_file=file).access(HTTPS)
    assert caught.value.hint and "lines" not in str(caught.value)


def test_a_token_file_is_read_at_every_use(tmp_path: Path) -> None:
    file = tmp_path / "token"
    credentials = GitCredentials(token_file=file)
    for token in ("one", "two"):
        file.write_text(f"{token}\n")
        assert f"password={token}\n" in asked(credentials.access(HTTPS))


def test_ssh_never_asks_and_never_trusts_a_host_on_first_use() -> None:
    command = dict(GitCredentials().access(SSH).environment)["GIT_SSH_COMMAND"]
    assert "BatchMode=yes" in command and "StrictHostKeyChecking=yes" in command
    assert "-F" not in shlex.split(command), "without a key of ours the user's configuration and agent count"


def test_ssh_with_a_key_uses_that_key_alone(tmp_path: Path) -> None:
    key, hosts = tmp_path / "a key 100%", tmp_path / "hosts"
    key.write_text("")
    hosts.write_text("")
    words = shlex.split(
        dict(GitCredentials(ssh_key_file=key, known_hosts_file=hosts).access(SSH).environment)["GIT_SSH_COMMAND"]
    )
    assert words[words.index("-F") + 1] == "/dev/null"
    assert {"IdentitiesOnly=yes", "IdentityAgent=none", "GlobalKnownHostsFile=/dev/null"} <= set(words)
    assert f'IdentityFile="{tmp_path}/a key 100%%"' in words and f'UserKnownHostsFile="{hosts}"' in words


@pytest.mark.parametrize("name", ["ssh_key_file", "known_hosts_file"])
def test_an_ssh_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(Forbidden, match=r"cannot be read: No such file") as caught:
        GitCredentials(**{name: tmp_path / "missing"}).access(SSH)
    assert f"NOMAD_OPERATOR_GIT_{name.upper()}" in caught.value.hint


def test_no_representation_shows_a_secret() -> None:
    credentials = GitCredentials(token="t0ken")
    assert "t0ken" not in repr(credentials) + repr(credentials.access(HTTPS))
