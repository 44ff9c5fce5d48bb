"""A command at a terminal of its own: what a person types and sees, Ctrl-C and Ctrl-D included."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path

_ROOT = Path(__file__).parents[2]
CTRL_C, CTRL_D = "\x03", "\x04"
# What a terminal is told besides text: colours, and the switches of line editing.
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x07")


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """Nothing of the machine's own settings, and no service but those that are named."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": f"{_ROOT / 'operator'}:{_ROOT}",
        "LC_ALL": "C.UTF-8",
        "NOMAD_ADDR": "http://127.0.0.1:9",
        **settings,
    }


class PtySession:
    """`screen` is everything shown so far. `expect` looks only at what came after the last thing that was expected."""

    def __init__(
        self, *arguments: str, folder: Path, term: str = "xterm", columns: int = 200, settings: Mapping[str, str] = {}
    ) -> None:
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self.screen = ""
        self._seen = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "nomad_operator", *arguments], cwd=folder,
            env={**environment(folder), "TERM": term, **settings}, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True, preexec_fn=_at_a_terminal,
        )  # fmt: skip
        os.close(theirs)

    def expect(self, text: str, *, within: float = 30) -> PtySession:
        """Waits until it is shown."""
        end = time.monotonic() + within
        while (at := self.screen.find(text, self._seen)) < 0:
            if not self._read(end - time.monotonic()):
                raise AssertionError(f"{text!r} was not shown; what was:\n{self.screen}")
        self._seen = at + len(text)
        return self

    def send(self, line: str) -> PtySession:
        os.write(self._own, f"{line}\r".encode())
        return self

    def key(self, key: str) -> PtySession:
        os.write(self._own, key.encode())
        return self

    def interrupt(self) -> PtySession:
        """Ctrl-C, and once more where nothing happens: Python misses one that comes just when it begins to wait."""
        for _ in range(5):
            self.key(CTRL_C)
            before = len(self.screen)
            while self._read(1):
                if "kept in" in self.screen[before:] or self._process.poll() is not None:
                    return self
            if self._process.poll() is not None:
                return self
        raise AssertionError(f"Ctrl-C does not end it:\n{self.screen}")

    def end(self, *, within: float = 30) -> int:
        """The exit code, once everything was read."""
        end = time.monotonic() + within
        while self._read(end - time.monotonic()):
            pass
        code = self._process.wait(max(end - time.monotonic(), 1))
        if self._own >= 0:
            os.close(self._own)
            self._own = -1
        return code

    def kill(self) -> None:
        """At the end of a test, whatever state it is in."""
        self._process.kill()
        self.end()

    def _read(self, left: float) -> bool:
        """False where nothing more comes."""
        if left <= 0 or self._own < 0 or not select.select([self._own], [], [], left)[0]:
            return False
        try:
            data = os.read(self._own, 65536)
        except OSError:  # Linux's way of saying that the other end is closed
            return False
        self.screen += _CONTROL.sub("", data.decode("utf-8", "replace")).replace("\r\n", "\n")
        return bool(data)


def _at_a_terminal() -> None:
    """As a shell starts what people type; Ctrl-C is heard also where the tests themselves run in the background."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
