"""Variables inside of texts as Dockerfiles and compose files write them: `$NAME`, `${NAME}`, `${NAME:-default}`. Pure.

Every text is gone through once, however it nests: what a file holds may be written to take long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_BARE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]{0,200})")
_BRACED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,200})(:?[-?+])?")
_BRACES = re.compile(r"\$\{|\}")
_DEEPEST = 20
# More than a value of a variable or an argument is; a file can make each line twice as long as the one before.
LONGEST = 20_000


class TooLong(ValueError):
    """Put in, the variables make more text than anybody means."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A use of a variable up to `end`; `how` is what stands between the name and the word at `word`, "" for nothing."""

    name: str
    how: str
    word: tuple[int, int]
    end: int


class References:
    """The uses of variables in one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._closing: dict[int, int] = {}
        opened: list[int] = []
        for found in _BRACES.finditer(text):
            if found[0] != "}":
                opened.append(found.start())
            elif opened:
                self._closing[opened.pop()] = found.start()

    def at(self, place: int) -> Reference | None:
        """The one that begins here; None for a dollar that is nothing but that."""
        bare = _BARE.match(self.text, place)
        if bare is not None:
            return Reference(bare[1], "", (0, 0), bare.end())
        braced, closing = _BRACED.match(self.text, place), self._closing.get(place)
        if braced is None or closing is None:
            return None
        return Reference(braced[1], braced[2] or "", (braced.end(), closing), closing + 1)


def interpolated(text: str) -> str:
    """As compose puts variables in: with the defaults that the text itself gives; one without is empty."""
    return _interpolated(text, lambda name: None)


def unset(text: str) -> tuple[str, ...]:
    """The variables that whoever starts it has to give, for the text has no default of them."""
    missing: dict[str, None] = {}
    _interpolated(text, lambda name: missing.setdefault(name))
    return tuple(missing)


def _interpolated(text: str, missing: Callable[[str], None]) -> str:
    def value(found: Reference, word: Callable[[], str]) -> str:
        if found.how in (":-", "-"):
            return word()
        if found.how not in (":+", "+"):
            missing(found.name)
        return ""

    return _replaced(text, value) if "$" in text else text


def filled(text: str, known: Mapping[str, str]) -> str:
    """As a shell would see it later, with what is known; the rest stays as written."""

    def value(found: Reference, word: Callable[[], str]) -> str | None:
        if known.get(found.name):
            return word() if found.how in (":+", "+") else known[found.name]
        return word() if found.how in (":-", "-") else None

    return _replaced(text, value, escape="") if "$" in text else text


def _replaced(text: str, value: Callable[[Reference, Callable[[], str]], str | None], *, escape: str = "$$") -> str:
    references = References(text)

    def part(at: int, end: int, depth: int) -> str:
        made: list[str] = []
        while at < end:
            dollar = text.find("$", at, end)
            if dollar < 0:
                made.append(text[at:end])
                break
            made.append(text[at:dollar])
            if escape and text.startswith(escape, dollar):
                made.append("$")
                at = dollar + 2
                continue
            found = references.at(dollar)
            if found is None or depth > _DEEPEST:
                made.append("$")
                at = dollar + 1
                continue
            start, stop = found.word
            put = value(found, lambda start=start, stop=stop: part(start, stop, depth + 1))  # type: ignore[misc]
            made.append(text[dollar : found.end] if put is None else put)
            at = found.end
        return "".join(made)

    return part(0, len(text), 0)


def docker_word(text: str, known: Mapping[str, str]) -> str:
    """As BuildKit reads a word of ENV, ARG, EXPOSE, USER and others: quotes go, what is not known is empty.

    Raises TooLong. Source: buildkit, frontend/dockerfile/shell/lex.go.
    """
    if not any(mark in text for mark in "\\\"'$"):
        return text
    made = _Word(text, known).part(0, len(text), 0)
    if len(made) > LONGEST:
        raise TooLong
    return made


class _Word:
    def __init__(self, text: str, known: Mapping[str, str]) -> None:
        self._text = text
        self._known = known
        self._references = References(text)
        self._length = 0

    def part(self, at: int, end: int, depth: int) -> str:
        text, made, quoted = self._text, list[str](), False
        while at < end:
            character = text[at]
            if character == "\\" and at + 1 < end:
                kept = quoted and text[at + 1] not in '"$\\'
                made.append(text[at : at + 2] if kept else text[at + 1])
                at += 2
            elif character == "'" and not quoted:
                close = text.find("'", at + 1, end)
                close = end if close < 0 else close
                made.append(text[at + 1 : close])
                at = close + 1
            elif character == '"':
                quoted = not quoted
                at += 1
            elif character == "$" and (found := self._references.at(at)) is not None and found.end <= end:
                put = self._value(found, depth)
                self._length += len(put)
                if self._length > LONGEST:
                    raise TooLong
                made.append(put)
                at = found.end
            else:
                made.append(character)
                at += 1
        return "".join(made)

    def _value(self, found: Reference, depth: int) -> str:
        value = self._known.get(found.name)
        start, stop = found.word
        there = bool(value) if found.how.startswith(":") else value is not None
        if (found.how.endswith("-") and not there) or (found.how.endswith("+") and there):
            return self.part(start, stop, depth + 1) if depth < _DEEPEST else ""
        return "" if found.how.endswith("+") else value or ""
