"""A shell in which one page is followed, from its first command to its last: `cd` and `export` hold on."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, Queue

_END = "=- the end of a command -="


class Shell:
    """In `folder`, with nothing of the tests' own environment."""

    def __init__(self, *, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"], cwd=folder, env=dict(environment), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        self._lines: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def run(self, command: str, *, within: float = 60) -> tuple[int, str]:
        """Exit code and what was shown; TimeoutError if it does not end."""
        self._type(f"{{ {command}\n}} </dev/null\ncode=$?; echo; echo '{_END}' $code\n")
        shown: list[str] = []
        end = time.monotonic() + within
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except Empty:
                raise TimeoutError(f"{command}: has not ended after {within:g} s\n{''.join(shown)}") from None
            if line.startswith(_END):
                return int(line.split()[-1]), "".join(shown)
            shown.append(line)

    def begin(self, command: str) -> None:
        """In the background, with a log of its own."""
        self.run(f"{command} >>background.log 2>&1 &")

    def _type(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()

    def close(self) -> None:
        """With all that runs in it."""
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
