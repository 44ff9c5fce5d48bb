"""One git process: what it may see, how long it may take, and that nothing of it stays behind.

No configuration but ours, no prompts, no hooks, no transport but the named ones. The process and all its children are
one group, which is ended on deadline and on cancellation. This module knows nothing of what the answers mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from desired import spans
from desired.errors import DeadlineExceeded, OperatorError, Unavailable, Unsupported

# GIT_CONFIG_GLOBAL came with it: an older git would read this user's own settings, and follow them.
OLDEST_GIT = "2.32"
_PROTOCOLS = "file:git:http:https:ssh"
_CHUNK = 1 << 18
_MAX_STDERR = 1 << 16
_GRACE_SECONDS = 1.0

# What git, curl and ssh need of the machine: where things are, how to get out, whom to trust.
_INHERITED = (
    *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "SSH_AUTH_SOCK"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"),
)

_CONFIG = (
    ("core.hooksPath", "/dev/null"),
    ("core.askPass", ""),
    ("core.fsmonitor", "false"),
    ("credential.helper", ""),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.version", "2"),
    ("submodule.recurse", "false"),
    # Always packs, never loose objects: packs can be counted, and are dropped as a whole.
    ("fetch.unpackLimit", "1"),
    ("fetch.writeCommitGraph", "false"),
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended. `errors` is the end of what it wrote to stderr, as it was written: it may hold secrets."""

    code: int
    output: bytes
    errors: str


class OutputTooLarge(Exception):
    """The process was ended because it wrote more than it may."""


class GitCommand:
    """Runs git on one machine. `environment` is what the machine offers; `global_config` a file of ours, or None."""

    def __init__(self, *, environment: Mapping[str, str], global_config: Path | None = None) -> None:
        self._environment = {name: environment[name] for name in _INHERITED if name in environment}
        self._environment |= {
            "LC_ALL": "C",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(global_config or "/dev/null"),
            "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_PAGER": "cat",
        }

    async def run(
        self,
        arguments: Sequence[str],
        *,
        deadline: timedelta,
        doing: str,
        repository: Path | None = None,
        stdin: bytes = b"",
        config: Sequence[tuple[str, str]] = (),
        environment: Sequence[tuple[str, str]] = (),
        max_output: int = 1 << 26,
    ) -> Ended:
        """Run `git ARGUMENTS` to its end, whatever its exit code.

        `doing` says in an error what was attempted. `repository` None means outside of any. Raises DeadlineExceeded,
        Unsupported (no git), OutputTooLarge; on these and on cancellation every process of the group is gone.
        """
        # What stands behind the first word may hold a URL with a password.
        with spans.call("git", arguments[0], asked={"for": doing}) as told:
            ended = await self._run(
                arguments, deadline, doing, repository, stdin, (*_CONFIG, *config), environment, max_output
            )
            told.answered({"exit": ended.code, "bytes": len(ended.output)})
            return ended

    async def _run(
        self,
        arguments: Sequence[str],
        deadline: timedelta,
        doing: str,
        repository: Path | None,
        stdin: bytes,
        settings: Sequence[tuple[str, str]],
        environment: Sequence[tuple[str, str]],
        max_output: int,
    ) -> Ended:
        variables = self._environment | dict(environment)
        variables["GIT_DIR"] = str(repository or os.devnull)
        variables["GIT_CONFIG_COUNT"] = str(len(settings))
        for index, (key, value) in enumerate(settings):
            variables[f"GIT_CONFIG_KEY_{index}"] = key
            variables[f"GIT_CONFIG_VALUE_{index}"] = value
        starting = asyncio.create_task(self._start(arguments, variables, doing))
        try:
            process = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # asyncio itself would end the process alone and then wait for its children.
            with contextlib.suppress(OperatorError):
                await _end(await starting)
            raise
        try:
            async with asyncio.timeout(deadline.total_seconds()):
                return await _talk(process, stdin, max_output)
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"{doing}: git did not end within {deadline.total_seconds():g} s",
                hint="is the server slow, or out of reach?",
            ) from error
        finally:
            if process.returncode is None:
                await _end(process)
            elif process.returncode < 0:
                # Killed from outside: its children have not heard of it.
                _signal(process.pid, signal.SIGKILL)

    async def _start(
        self, arguments: Sequence[str], variables: Mapping[str, str], doing: str
    ) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                "git",
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=variables,
                # A folder that is always there; every path that git is given is absolute.
                cwd="/",
                # A group to end as a whole, and no terminal to ask on.
                start_new_session=True,
                limit=_CHUNK,
            )
        except (FileNotFoundError, PermissionError) as error:
            raise Unsupported(
                f"{doing}: the git command was not found on this machine",
                hint=f"install git ({OLDEST_GIT} or newer), or put it on the PATH",
            ) from error
        except OSError as error:
            # Out of processes, memory or file handles: passes.
            raise Unavailable(f"{doing}: git could not be started: {error.strerror}") from error


async def _talk(process: asyncio.subprocess.Process, stdin: bytes, max_output: int) -> Ended:
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_feed(process.stdin, stdin))
        output = tasks.create_task(_read(process.stdout, max_output))
        errors = tasks.create_task(_read_end(process.stderr))
        code = tasks.create_task(process.wait())
    data = output.result()
    if data is None:
        raise OutputTooLarge
    return Ended(code=code.result(), output=data, errors=errors.result().decode("utf-8", "replace"))


async def _feed(pipe: asyncio.StreamWriter, data: bytes) -> None:
    try:
        if data:
            pipe.write(data)
            await pipe.drain()
        pipe.close()
        await pipe.wait_closed()
    except (BrokenPipeError, ConnectionResetError):
        # It ended before it read everything; its exit code and words say why.
        pass


async def _read(pipe: asyncio.StreamReader, limit: int) -> bytes | None:
    """Everything, or None as soon as there is more than `limit` bytes (then the rest is thrown away)."""
    chunks: list[bytes] | None = []
    size = 0
    while chunk := await pipe.read(_CHUNK):
        size += len(chunk)
        if size > limit:
            chunks = None
        if chunks is not None:
            chunks.append(chunk)
    return None if chunks is None else b"".join(chunks)


async def _read_end(pipe: asyncio.StreamReader) -> bytes:
    """The last words: git says what went wrong at the end."""
    data = b""
    while chunk := await pipe.read(_CHUNK):
        data = (data + chunk)[-_MAX_STDERR:]
    return data


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the whole group: asked first, so that git removes its lock files, then made to."""
    _signal(process.pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(_GRACE_SECONDS):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        _signal(process.pid, signal.SIGKILL)
    await process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
