"""One process at a time: bounded in time and output, and gone with all its children when it is not wanted any more."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from desired.errors import DeadlineExceeded, Unsupported
from desired.git_command import GitCommand, OutputTooLarge

LONG = timedelta(seconds=20)


def pretending(folder: Path, script: str) -> GitCommand:
    """A `git` that is a shell script."""
    program = folder / "git"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return GitCommand(environment={"PATH": f"{folder}:{os.environ['PATH']}", "SECRET_OF_OURS": "x", "GIT_DIR": "/x"})


def survivors(pids: str) -> list[int]:
    """Those that still live five seconds after they were killed; the kernel needs a moment to end them."""
    deadline = time.monotonic() + 5
    while (left := [pid for pid in map(int, pids.split()) if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_output_errors_and_exit_code_come_back(tmp_path: Path) -> None:
    command = pretending(tmp_path, 'cat; echo "said $1" >&2; exit 3')
    ended = await command.run(["x"], deadline=LONG, doing="trying", stdin=b"\x00in" * 100_000)
    assert (ended.code, ended.output, ended.errors) == (3, b"\x00in" * 100_000, "said x\n")


async def test_a_process_that_does_not_read_its_input_is_no_error(tmp_path: Path) -> None:
    ended = await pretending(tmp_path, "exit 0").run(["x"], deadline=LONG, doing="trying", stdin=b"x" * 10_000_000)
    assert ended.code == 0


async def test_only_the_named_variables_and_our_own_reach_git(tmp_path: Path) -> None:
    ended = await pretending(tmp_path, "env").run(
        ["x"], deadline=LONG, doing="trying", config=[("a.b", "c=d e")], environment=[("OWN", "1")]
    )
    seen = dict(line.split("=", 1) for line in ended.output.decode().splitlines())
    assert "SECRET_OF_OURS" not in seen and seen["OWN"] == "1"
    assert seen["GIT_DIR"] == "/dev/null" and seen["GIT_TERMINAL_PROMPT"] == "0"
    assert (seen["GIT_CONFIG_GLOBAL"], seen["GIT_CONFIG_NOSYSTEM"]) == ("/dev/null", "1")
    count = int(seen["GIT_CONFIG_COUNT"])
    settings = {seen[f"GIT_CONFIG_KEY_{n}"]: seen[f"GIT_CONFIG_VALUE_{n}"] for n in range(count)}
    assert settings["a.b"] == "c=d e" and settings["core.hooksPath"] == "/dev/null"


async def test_a_deadline_ends_the_process_and_its_children_even_those_that_ignore_being_asked(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = pretending(tmp_path, f"trap '' TERM; (trap '' TERM; echo $$; sleep 60) & echo $! $$ > {pids}; sleep 60")
    with pytest.raises(DeadlineExceeded, match=r"trying: git did not end within 0.3 s") as caught:
        async with asyncio.timeout(20):
            await command.run(["x"], deadline=timedelta(seconds=0.3), doing="trying")
    assert caught.value.hint
    assert survivors(pids.read_text()) == []


async def test_a_cancellation_ends_the_process_and_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    os.mkfifo(pids)
    command = pretending(tmp_path, f"sleep 60 & echo $! $$ > {pids}; sleep 60")
    running = asyncio.create_task(command.run(["x"], deadline=LONG, doing="trying"))
    started = await asyncio.to_thread(pids.read_text)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(20):
            await running
    assert survivors(started) == []


async def test_more_output_than_is_allowed_is_not_kept(tmp_path: Path) -> None:
    command = pretending(tmp_path, "head -c 1000000 /dev/zero")
    with pytest.raises(OutputTooLarge):
        await command.run(["x"], deadline=LONG, doing="trying", max_output=999_999)
    assert len((await command.run(["x"], deadline=LONG, doing="trying", max_output=1_000_000)).output) == 1_000_000


async def test_without_git_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="trying: the git command was not found") as caught:
        await GitCommand(environment={"PATH": str(tmp_path)}).run(["x"], deadline=LONG, doing="trying")
    assert "install git" in caught.value.hint
