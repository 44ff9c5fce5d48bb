"""Credentials stay inside: not in a process listing, not on disk, not in an error, not in a shown URL."""

from __future__ import annotations

import asyncio
import base64
import os
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from desired.errors import OperatorError
from desired.git_credentials import GitCredentials
from desired.git_source import GitSource
from tests.integration.git.git_world import HttpServer, Upstream

MakeSource = Callable[..., GitSource]

SECRET = "s3cret-Token-0815"
BASIC = base64.b64encode(f"x-access-token:{SECRET}".encode()).decode()


class CommandLines:
    """Every command line of this machine, again and again, until stopped."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._stop.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    self.seen.add((process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
                except OSError:
                    continue

    def until(self, words: str) -> bool:
        """Wait for a command line with these words, at most 20 seconds."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if any(words in line for line in self.seen.copy()):
                return True
            time.sleep(0.01)
        return False

    def __enter__(self) -> CommandLines:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("in_url", [False, True], ids=["token", "in the URL"])
async def test_no_command_line_ever_holds_the_token(
    source: MakeSource, upstream: Upstream, http_server: HttpServer, in_url: bool
) -> None:
    """The server keeps git waiting once it was let in, so that the whole chain of processes can be read."""
    http_server.login = ("x-access-token", SECRET)
    http_server.answer.clear()
    path = "team/apps.git/.git"
    if in_url:
        made = source(url=http_server.url(path, userinfo=f"x-access-token:{SECRET}"))
    else:
        made = source(url=http_server.url(path), credentials=GitCredentials(token=SECRET))
    with CommandLines() as lines:
        poll = asyncio.create_task(made.poll())
        assert await asyncio.to_thread(http_server.reached.wait, 20)
        assert await asyncio.to_thread(lines.until, f"http://127.0.0.1:{http_server.port}")
        http_server.answer.set()
        await poll
    ours = [line for line in lines.seen if str(http_server.port) in line or "git ls-remote" in line]
    assert any("ls-remote" in line for line in ours), "git itself was not seen"
    assert not [line for line in lines.seen if SECRET in line or BASIC in line]


async def test_nothing_in_the_cache_holds_the_token(
    tmp_path: Path, source: MakeSource, upstream: Upstream, http_server: HttpServer
) -> None:
    http_server.login = ("me", SECRET)
    made = source(url=http_server.url("team/apps.git/.git", userinfo=f"me:{SECRET}"))
    await made.tree((await made.poll()).revision)
    for place in (tmp_path / "cache").rglob("*"):
        if place.is_file():
            assert SECRET.encode() not in place.read_bytes(), place
    assert (tmp_path / "cache").stat().st_mode & 0o077 == 0


async def test_no_error_holds_the_token_even_if_the_server_repeats_it(
    source: MakeSource, upstream: Upstream, http_server: HttpServer
) -> None:
    http_server.login = ("x-access-token", SECRET)
    http_server.status = 403
    basic = base64.b64encode(f"x-access-token:{SECRET}".encode()).decode()
    http_server.message = f"fatal: Authentication failed for {SECRET} {basic} http://me:{SECRET}@host/ \x1b[2J\n"
    made = source(url=http_server.url("team/apps.git/.git"), credentials=GitCredentials(token=SECRET))
    with pytest.raises(OperatorError) as caught:
        await made.poll()
    shown = "".join(traceback.format_exception(caught.value)) + caught.value.hint + repr(caught.value)
    assert SECRET not in shown and basic not in shown and "\x1b" not in shown
    assert "returned error: 403" in shown or "Authentication failed" in shown


async def test_no_representation_holds_the_token() -> None:
    credentials = GitCredentials(token=SECRET)
    source = GitSource(url=f"https://me:{SECRET}@host/x", cache=Path("unused"), environment={}, credentials=credentials)
    assert source.shown_url == "https://host/x" and source.origin == "https://host/x#."
    held = [credentials, *vars(source).values(), *vars(vars(source)["_fetcher"]).values()]
    assert SECRET not in repr(held)


async def test_no_setting_of_the_user_or_the_machine_has_a_say(
    tmp_path: Path, source: MakeSource, upstream: Upstream
) -> None:
    """A URL rewritten by somebody's configuration, an askpass program, hooks, another repository's folder."""
    elsewhere = Upstream(tmp_path / "elsewhere")
    elsewhere.commit({"evil": "x"})
    home = tmp_path / "home"
    home.mkdir()
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    (home / ".gitconfig").write_text(
        f'[url "file://{elsewhere.folder}"]\n\tinsteadOf = file://{upstream.folder}\n'
        f"\tinsteadOf = {upstream.folder}\n[core]\n\taskPass = {program}\n\thooksPath = {tmp_path}\n"
    )
    (tmp_path / "reference-transaction").symlink_to(program)
    environment = dict(os.environ) | {
        "HOME": str(home),
        "GIT_DIR": str(elsewhere.folder / ".git"),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{elsewhere.folder}.insteadOf",
        "GIT_CONFIG_VALUE_0": str(upstream.folder),
        "GIT_ASKPASS": str(program),
        "GIT_SSH": str(program),
        "GIT_TRACE": str(ran),
    }
    made = source(environment=environment)
    assert "README.md" in (await made.tree((await made.poll()).revision)).files
    assert not ran.exists()
