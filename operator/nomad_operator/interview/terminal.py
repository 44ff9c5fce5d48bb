"""Puts questions to whoever is at the other end: a terminal, where lines can be edited, or a pipe, line by line.

Everything is shown on standard error, so that results alone are on standard output. No cursor is moved: it is the same
on a dumb terminal, in a log and with a screen reader.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from nomad_operator.commands.table import Style, bold, faint, plain, plain_lines
from nomad_operator.interview.asked import Asked, Option
from nomad_operator.interview.summary import Row, table


class Terminal:
    """`ask` raises EOFError where the input has ended, and KeyboardInterrupt for Ctrl-C."""

    def __init__(self) -> None:
        # Bytes that are no text are refused as an answer, and end nothing.
        getattr(sys.stdin, "reconfigure", lambda **_: None)(errors="surrogateescape")
        self.interactive = sys.stdin.isatty()
        self.style = Style.of(sys.stderr)
        # Python's `input` edits lines only where both ends are the terminal; else it writes to standard output.
        self._edits = self.interactive and sys.stdout.isatty() and sys.stderr.isatty()
        self._readline: Any = _readline() if self._edits and os.environ.get("TERM") != "dumb" else None

    def say(self, lines: Iterable[str] = ("",)) -> None:
        for line in lines:
            print(line, file=sys.stderr)

    def head(self, text: str) -> None:
        self.say(["", bold(plain(text), self.style)])

    def text(self, text: str) -> None:
        """Text of several lines as it is, without what could take the terminal over."""
        self.say(plain_lines(text))

    def note(self, text: str) -> None:
        self.say([faint(plain(text), self.style)])

    def summary(self, found: tuple[Row, ...]) -> None:
        self.say(table(found, self.style))

    def ask(self, asked: Asked) -> str:
        """The line that was typed, as it is."""
        if asked.problem:
            self.say(f"! {line}" for line in plain_lines(asked.problem))
        else:
            self.say(["", plain(asked.text)])
            self.say(self._options(asked.options, numbered=asked.numbered))
        # What the line begins with already, stands in no brackets too.
        shown = asked.default and not (asked.prefill and self._readline is not None)
        default = f" [{plain(asked.default)}]" if shown else ""
        return self._line(f"{plain(asked.id)}{default}: ", asked)

    def _options(self, options: tuple[Option, ...], *, numbered: bool) -> list[str]:
        width = max((len(plain(one.word)) for one in options), default=0)
        lines = []
        for number, one in enumerate(options, start=1):
            chosen = f"{number}  " if numbered else ""
            lines.append(f"  {chosen}{plain(one.word).ljust(width)}  {faint(plain(one.text), self.style)}".rstrip())
        return lines

    def _line(self, prompt: str, asked: Asked) -> str:
        if self._edits:
            self._prepare(asked)
            return input(prompt)
        print(prompt, end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not self.interactive:
            # Who reads a log of it sees what was answered where. Secrets are never asked for.
            print(file=sys.stderr)
        if not line:
            raise EOFError
        return line.rstrip("\r\n")

    def _prepare(self, asked: Asked) -> None:
        if self._readline is None:
            return
        words = [one.word for one in asked.options]

        def complete(begun: str, number: int) -> str | None:
            found = [word for word in words if word.startswith(begun)]
            return found[number] if number < len(found) else None

        self._readline.set_completer(complete)
        self._readline.set_startup_hook(lambda: self._readline.insert_text(asked.prefill))


def _readline() -> Any:
    """The library for editing lines; None where Python was built without it."""
    with suppress(ImportError):
        import readline

        readline.set_auto_history(False)
        readline.set_completer_delims("")
        readline.parse_and_bind("tab: complete")
        return readline
    return None
