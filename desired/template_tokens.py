"""The words of a template of Nomad's: Go's text/template, with whatever delimiters. Pure; nothing is run.

Source: Go's text/template/parse, lex.go. What is read here as one word is one there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORD = re.compile(
    r"(?P<space>[ \t\r\n])"
    r'|(?P<text>"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`)'
    r"|(?P<character>'(?:[^'\\\n]|\\[^\n])+')"
    r"|(?P<number>[+-]?(?:0[xXbBoO])?[0-9][0-9A-Za-z_.+-]*|[+-]?\.[0-9][0-9A-Za-z_]*)"
    r"|(?P<field>\.[^\W\d]\w*)"
    r"|(?P<variable>\$\w*)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<sign>:=|[=|,().])"
)
_COMMENT = "/*"


@dataclass(frozen=True, slots=True)
class Word:
    """`kind` is one of the names in the pattern; `line` counts from 1."""

    kind: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Action:
    """What stands between two delimiters, without spaces; `problem` is why it cannot be read to its end."""

    words: tuple[Word, ...]
    line: int
    problem: str = ""


def actions(text: str, *, left: str = "{{", right: str = "}}") -> Iterator[Action]:
    """In their order, comments left out; the last one is that with a `problem`, behind which nothing is read."""
    at = text.find(left)
    while at >= 0:
        inside = at + len(left)
        trimmed = re.match(r"-[ \t\r\n]", text[inside : inside + 2])
        inside += 2 if trimmed else 0
        line = text.count("\n", 0, at) + 1
        if text.startswith(_COMMENT, inside):
            end = text.find("*/", inside)
            closing = _closing(text, end + 2, right) if end >= 0 else 0
            if not closing:
                problem = "comment ends before closing delimiter" if end >= 0 else "unclosed comment"
                yield Action((), line, problem)
                return
            at = text.find(left, end + 2 + closing)
            continue
        words, position, problem = _words(text, inside, right, line)
        yield Action(tuple(words), line, problem)
        if problem:
            return
        at = text.find(left, position)


def _words(text: str, position: int, right: str, line: int) -> tuple[list[Word], int, str]:
    found: list[Word] = []
    while True:
        if closing := _closing(text, position, right):
            return found, position + closing, ""
        if position >= len(text):
            return found, position, "unclosed action"
        read = _WORD.match(text, position)
        if read is None:
            return found, position, _unreadable(text[position:])
        kind, word = str(read.lastgroup), read[0]
        if kind == "number":
            # A number ends where the delimiter begins.
            cut = word.find(right)
            word = word[:cut] if cut > 0 else word
        elif kind in ("name", "variable", "field") and right[0] in word:
            cut = word.find(right)
            word = word[:cut] if cut > 0 else word
        if kind != "space":
            found.append(Word(kind, word, line))
        line += word.count("\n")
        position += len(word)


def _closing(text: str, position: int, right: str) -> int:
    """How long the delimiter is that ends an action here, with the sign that takes away what follows; 0 for none."""
    if text.startswith(right, position):
        return len(right)
    trimmed = re.match(r"[ \t\r\n]-", text[position : position + 2])
    if trimmed and text.startswith(right, position + 2):
        return 2 + len(right)
    return 0


def _unreadable(rest: str) -> str:
    """In Go's words."""
    match rest[0]:
        case '"':
            return "unterminated quoted string"
        case "`":
            return "unterminated raw quoted string"
        case "'":
            return "unterminated character constant"
        case sign if sign in ":":
            return "expected :="
    return f"unrecognized character in action: U+{ord(rest[0]):04X} {rest[0]!r}"
