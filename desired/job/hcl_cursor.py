"""Reading tokens one by one, and getting back on track after an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from desired.job.hcl_nodes import Node
from desired.job.hcl_source import Diagnostic, Range, Source
from desired.job.hcl_tokens import Token

# Python's stack bounds what a nested text may ask of us; no job that people write comes near it.
MAX_DEPTH = 60

_CLOSERS = {
    "{": "}",
    "[": "]",
    "(": ")",
    "open quote": "close quote",
    "heredoc": "close heredoc",
    "interp": "end sequence",
    "control": "end sequence",
}
_OPENERS = {"}": "{", "]": "[", ")": "(", "close quote": "open quote", "close heredoc": "heredoc"}


class TooDeep(Exception):
    """The text nests deeper than we follow; `place` is where."""

    def __init__(self, place: Range) -> None:
        super().__init__("too deep")
        self.place = place


class Cursor:
    """The place in the tokens, and what was found wrong so far.

    While `recovery` is set, errors that may only follow from an earlier one are not told.
    Source of every word: hclsyntax/parser.go, as the recordings show it.
    """

    def __init__(self, tokens: list[Token], source: Source) -> None:
        self.source = source
        self._tokens = tokens
        self._index = 0
        self._newlines = [True]
        self._depth = 0
        self.recovery = False
        self.diagnostics: list[Diagnostic] = []

    def error(self, summary: str, detail: str, place: Range) -> None:
        self.diagnostics.append(Diagnostic(summary, detail, place, self.source))

    def follow(self, summary: str, detail: str, place: Range) -> None:
        """An error that is only told when nothing was wrong before."""
        if not self.recovery:
            self.error(summary, detail, place)

    def failed_since(self, before: int) -> bool:
        """Whether an error since then left the cursor in a bad place."""
        return self.recovery and len(self.diagnostics) > before

    @property
    def errors(self) -> int:
        return len(self.diagnostics)

    def peek(self) -> Token:
        if not self._newlines[-1]:
            while self._tokens[self._index].kind == "newline":
                self._index += 1
        return self._tokens[self._index]

    def read(self) -> Token:
        token = self.peek()
        if token.kind != "eof":
            self._index += 1
        return token

    @property
    def previous(self) -> Range:
        return (self._tokens[self._index - 1] if self._index else self.peek()).place

    @contextmanager
    def newlines(self, matter: bool) -> Iterator[None]:
        """Whether newlines are tokens or just space."""
        self._newlines.append(matter)
        try:
            yield
        finally:
            self._newlines.pop()

    @contextmanager
    def deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TooDeep(self.peek().place)
        try:
            yield
        finally:
            self._depth -= 1

    def recover(self, closer: str) -> Token:
        """Go on after the bracket that closes what is open here, or at the end."""
        self.recovery = True
        openers = [opener for opener, closing in _CLOSERS.items() if closing == closer]
        nested = 0
        while True:
            token = self.read()
            if token.kind in openers:
                nested += 1
            elif token.kind == closer:
                if nested < 1:
                    return token
                nested -= 1
            elif token.kind == "eof":
                return token

    def recover_after_item(self) -> None:
        """Go on at the next line that is not inside brackets opened on the way."""
        self.recovery = True
        opened: list[str] = []
        while True:
            token = self.read()
            if token.kind == "eof" or (token.kind == "newline" and not opened):
                return
            if token.kind in _CLOSERS:
                opened.append(token.kind)
            elif token.kind in _OPENERS or token.kind == "end sequence":
                wanted = [_OPENERS[token.kind]] if token.kind in _OPENERS else ["interp", "control"]
                while opened and opened[-1] not in wanted:
                    opened.pop()
                if opened:
                    opened.pop()


# What reads an expression is handed to what reads its parts: those hold expressions again.
ReadExpression = Callable[[Cursor], Node]
