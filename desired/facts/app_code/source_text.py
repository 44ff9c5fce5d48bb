"""A file's text, the same without its comments, and the lines of offsets in it."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from enum import Enum
from functools import cached_property

from desired.facts.fact import Place

# Every alternative matches whatever follows its first character (a string that is never closed, too), so that no
# hostile file is scanned twice.
_DOUBLE = r'"(?:[^"\\\n]|\\.)*+"?'
_SINGLE = r"'(?:[^'\\\n]|\\.)*+'?"
_TEMPLATE = r"`(?:[^`\\]|\\[\s\S])*+`?"
_RAW = r"`[^`]*+`?"
# A lifetime ('a) opens nothing.
_CHARACTER = r"'(?:[^'\\\n]|\\.)'"
_BLOCK = r"/\*(?:[^*]|\*(?!/))*+(?:\*/)?"

_WORD = re.compile(r"([\w@][\w@./-]*+)")
_KEY = re.compile(r"(?<![\w@./-])([\w@][\w@./-]*+)[\"']?[ \t]*+[:=]")


class Style(Enum):
    """How a language writes strings and comments; a group `c` holds a comment."""

    SCRIPT = re.compile(f"{_DOUBLE}|{_SINGLE}|{_TEMPLATE}|(?P<c>//[^\n]*|{_BLOCK})")
    GO = re.compile(f"{_DOUBLE}|{_CHARACTER}|{_RAW}|(?P<c>//[^\n]*|{_BLOCK})")
    RUST = re.compile(f"{_DOUBLE}|{_CHARACTER}|(?P<c>//[^\n]*|{_BLOCK})")
    CURLY = re.compile(f"{_DOUBLE}|{_SINGLE}|(?P<c>//[^\n]*|{_BLOCK})")
    PHP = re.compile(rf"{_DOUBLE}|{_SINGLE}|(?P<c>//[^\n]*|{_BLOCK}|\#(?!\[)[^\n]*)")
    HASH = re.compile(rf"{_DOUBLE}|{_SINGLE}|(?P<c>(?<![^\s;(,])\#[^\n{{][^\n]*)")


class SourceText:
    """One file. `text` is as it stands, `code` the same without its comments, line by line.

    Offsets are those in `code`, which is `text` itself where no style of comments was given.
    """

    def __init__(self, path: str, text: str, style: Style | None = None) -> None:
        self.path = path
        self.text = text
        self._style = style

    @cached_property
    def code(self) -> str:
        if self._style is None:
            return self.text
        return self._style.value.sub(_without_comment, self.text)

    @cached_property
    def _starts(self) -> list[int]:
        return [match.end() for match in re.finditer("\n", self.code)]

    def line(self, offset: int) -> int:
        return bisect.bisect_right(self._starts, offset) + 1

    def place(self, offset: int) -> Place:
        return Place(self.path, self.line(offset))

    def lines(self) -> Iterator[tuple[int, str]]:
        """Each line with its number, without what ends it."""
        for number, line in enumerate(self.text.split("\n"), 1):
            yield number, line.removesuffix("\r")

    def found(self, pattern: re.Pattern[str], *, limit: int = 500) -> Iterator[re.Match[str]]:
        """The matches in `code`, no more than `limit`: a generated file is not worth more."""
        for number, match in enumerate(pattern.finditer(self.code)):
            if number >= limit:
                return
            yield match

    @cached_property
    def words(self) -> dict[str, list[int]]:
        """Where each word stands; a word goes on over what package names are made of."""
        return _offsets(_WORD, self.text)

    @cached_property
    def keys(self) -> dict[str, list[int]]:
        """The same of words that a `:` or `=` follows, quoted or not."""
        return _offsets(_KEY, self.text)

    @property
    def stem(self) -> str:
        return self.path.rpartition("/")[2].partition(".")[0]

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]


def _offsets(pattern: re.Pattern[str], text: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for match in pattern.finditer(text):
        found.setdefault(match[1], []).append(match.start())
    return found


def _without_comment(match: re.Match[str]) -> str:
    comment = match["c"]
    if comment is None:
        return match[0]
    return " " + "\n" * comment.count("\n")
