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
    lines = text.split("\n")
    problems: list[tuple[int, str]] = []
    while True:
        try:
            parsed = dockerfile.parse_string("\n".join(lines))
        except dockerfile.GoParseError as error:
            line = _line(lines, str(error))
            problems.append((line, _told(str(error))))
            if not line or len(problems) > _MOST_MISTAKES:
                raise DockerfileError(problems[0][1], problems[0][0]) from error
            _blank(lines, line)
            continue
        return tuple(_made(parsed[:_MOST_INSTRUCTIONS])), tuple(problems)


def _line(lines: list[str], message: str) -> int:
    """The last line of the first instruction that is wrong: the shortest beginning with the same mistake ends there."""
    low, high = 0, len(lines)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            dockerfile.parse_string("\n".join(lines[:middle]))
            low = middle
        except dockerfile.GoParseError as error:
            same = _bare(str(error)) == _bare(message)
            low, high = (low, middle) if same else (middle, high)
    return high if any(line.strip() for line in lines) and lines[high - 1].strip() else 0


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
        kind, inner = one.cmd.upper(), None
        if one.sub_cmd:
            inner = Instruction(one.sub_cmd.upper(), tuple(one.value), tuple(one.flags), one.json, one.start_line)
        yield Instruction(kind, tuple(one.value), tuple(one.flags), one.json, one.start_line, inner)
