"""What the story is played on: a git repository, a terminal, and the reports of the daemon."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from desired.app import AppKey
from desired.errors import DeadlineExceeded
from reconcilers.reports import AppReport, Reports, Transition

_AUTHOR = {"GIT_AUTHOR_NAME": "you", "GIT_AUTHOR_EMAIL": "you@example.org"}


class Repository:
    """A work tree that people commit to; the daemon follows it by its path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._git("init", "--quiet", "--initial-branch=main")

    def commit(self, files: Mapping[str, str], message: str) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)

    def _git(self, *arguments: str) -> None:
        environment = {
            **os.environ, **_AUTHOR, "GIT_COMMITTER_NAME": "you", "GIT_COMMITTER_EMAIL": "you@example.org",
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
        }  # fmt: skip
        subprocess.run(["git", *arguments], cwd=self.folder, env=environment, check=True, capture_output=True)


class Narrator:
    """Tells the story as it happens, on standard output; in colour on a terminal."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def heading(self, text: str) -> None:
        print(f"\n{self._paint('1;36', '▶ ' + text)}", flush=True)

    def does(self, text: str) -> None:
        print(f"{self._clock()} {self._paint('2', text)}", flush=True)

    def transition(self, one: Transition) -> None:
        """A listener of the reports."""
        colour = {"True": "32", "False": "31"}.get(one.ready.value, "33")
        told = self._paint(colour, f"{one.key.name:<14} {one.step.value:<14}")
        print(f"{self._clock()} {told} {_short(one.message)}", flush=True)

    def table(self, reports: list[AppReport]) -> None:
        width = max(len(report.key.name) for report in reports)
        for report in reports:
            colour = {"True": "32", "False": "31"}.get(report.ready.value, "33")
            ready = self._paint(colour, f"{report.ready.value:<8}{report.reason:<18}")
            print(
                f"  {report.key.name:<{width}}  v{report.version:<3} {ready} {_short(report.message, 90)}", flush=True
            )

    def _clock(self) -> str:
        return self._paint("2", f"{time.monotonic() - self._start:5.1f}s")

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text


async def until(reports: Reports, key: AppKey, holds: Callable[[AppReport], bool], *, seconds: float) -> AppReport:
    """Wait for what the story says next; DeadlineExceeded tells what was found instead."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        report = reports.get(key)
        if report is not None and holds(report):
            return report
        await asyncio.sleep(0.05)
    report = reports.get(key)
    found = f"{report.step.value}, {report.reason}: {report.message}" if report else "nothing"
    raise DeadlineExceeded(
        f"{key} was not as the story tells within {seconds:g} s; found {found}",
        hint="a slow or busy Nomad may need longer; `--nomad` with `--image` needs an image the nodes can run",
    )


def _short(text: str, limit: int = 110) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
