"""The instructions of a Dockerfile's text, by BuildKit's own parser; what it cannot read is told and left out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dockerfile

# So many mistakes are told, and what stands around them is read; a file with more is no Dockerfile.
_MOST_MISTAKES = 5
_MOST_INSTRUCTIONS = 5_000
_MOST_CHARACTERS = 200_000
_MOST_READ = 1_000_000
_LONGEST = 8_000
_LONGEST_RUN = 60_000
_LINE = re.compile(r"\s*(?:dockerfile parse error )?(?:on )?line \d+:\s*|\s*Syntax error - ", re.IGNORECASE)
# What the parser quotes of the file may be a secret.
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.){0,2000}\"|\s*(?:in|near|:) \"[\s\S]*")


class DockerfileError(ValueError):
    """The text is no Dockerfile. `line` counts from 1, 0 where it is not known."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Instruction:
    """`kind` in capitals; `words` as the parser splits them, with their quotes, but for JSON lists.

    `inner` is what ONBUILD holds back.
    """

    kind: str
    words: tuple[str, ...]
    flags: tuple[str, ...]
    json: bool
    line: int
    inner: Instruction | None = None


def instructions(text: str) -> tuple[tuple[Instruction, ...], tuple[tuple[int, str], ...]]:
    """All of them, and the lines that are none with what is wrong there. Raises DockerfileError if nothing is left."""
    # The parser ends the whole process on half a character pair, and reads no further than a NUL.
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")
    if len(text) > _MOST_CHARACTERS:
        raise DockerfileError(f"it has more than {_MOST_CHARACTERS} characters")
    lines = text.split("\n")
    problems = [(line, f"an instruction of more than {_LONGEST} characters") for line in _without_long(lines)]
    parser = _Parser()
    for _ in range(_MOST_MISTAKES + 1):
        found = parser.parsed(lines)
        if not isinstance(found, str):
            return tuple(_made(found[:_MOST_INSTRUCTIONS])), tuple(problems)
        line = _line(parser, lines, found)
        problems.append((line, _told(found)))
        if not line:
            break
        _blank(lines, line)
    raise DockerfileError(problems[0][1], problems[0][0])


class _Parser:
    """BuildKit's, until it has read too much of one file: looking for the place of a mistake reads it often."""

    def __init__(self) -> None:
        self._left = _MOST_READ

    @property
    def tired(self) -> bool:
        return self._left < 0

    def parsed(self, lines: list[str]) -> Any:
        """The instructions, or what is wrong."""
        text = "\n".join(lines)
        self._left -= len(text)
        try:
            return dockerfile.parse_string(text)
        except dockerfile.GoParseError as error:
            return str(error)


def _without_long(lines: list[str]) -> list[int]:
    """Takes away what would take the parser the square of its length; where it stood. What RUN runs is not split."""
    found: list[int] = []
    start = length = 0
    for number, line in enumerate(lines):
        length += len(line)
        if line.rstrip().endswith("\\") and number + 1 < len(lines):
            continue
        if length > (_LONGEST_RUN if lines[start].lstrip()[:3].upper() == "RUN" else _LONGEST):
            found.append(start + 1)
            lines[start : number + 1] = [""] * (number + 1 - start)
        start, length = number + 1, 0
    return found


def _line(parser: _Parser, lines: list[str], message: str) -> int:
    """The last line of the first instruction that is wrong: the shortest beginning with the same mistake ends there.

    0 where it is not known.
    """
    low, high = 0, len(lines)
    while high - low > 1:
        if parser.tired:
            return 0
        middle = (low + high) // 2
        found = parser.parsed(lines[:middle])
        same = isinstance(found, str) and _bare(found) == _bare(message)
        low, high = (low, middle) if same else (middle, high)
    return high if lines[high - 1].strip() else 0


def _bare(message: str) -> str:
    return re.sub(r"\d+", "", message)


def _blank(lines: list[str], line: int) -> None:
    """Takes an instruction away, with the lines that it goes on from; the others keep their numbers."""
    lines[line - 1] = ""
    above = line - 2
    while above >= 0 and lines[above].rstrip().endswith("\\"):
        lines[above] = ""
        above -= 1


def _told(message: str) -> str:
    return _QUOTED.sub("", _LINE.sub("", message)).strip(" .:")[:200] or "is not understood"


def _made(parsed: Any) -> Iterator[Instruction]:
    for one in parsed:
        if one.cmd is None:
            continue
        kind, inner = one.cmd.upper(), None
        if one.sub_cmd:
            inner = Instruction(one.sub_cmd.upper(), tuple(one.value), tuple(one.flags), one.json, one.start_line)
        yield Instruction(kind, tuple(one.value), tuple(one.flags), one.json, one.start_line, inner)
