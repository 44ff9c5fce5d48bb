"""A Makefile as far as it can be understood without running it: its variables, and the commands of its recipes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_ASSIGNED = re.compile(
    r"(?:(?:export|override)\s+){0,2}(?P<name>[A-Za-z_][\w.-]*)\s*(?P<how>:{0,3}=|\?=|\+=)\s*(?P<text>.*)"
)
_USED = re.compile(r"\$(?:\$|\((?P<round>[\w.-]+)\)|\{(?P<curly>[\w.-]+)\}|(?P<other>\([^()]*\)|\{[^{}]*\}|.))")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_BLANKS = re.compile(r"[\s\"'`]")
_WORD = re.compile(r"\s*(\w+)")
_DEEPEST = 10
# Of one text, with what is put in: a variable can name itself many times over.
_LONGEST = 4_000
_MOST_PUT_IN = 200
_MOST_LINES = 20_000


class Unknown(ValueError):
    """A text whose value only make itself could tell."""


@dataclass(frozen=True, slots=True)
class Makefile:
    """`variables` are texts as written with the line of their last assignment; `commands` are the recipes' lines."""

    variables: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    commands: tuple[tuple[str, int], ...] = ()

    def partly(self, text: str) -> str:
        """With what is known put in; the rest stays as it is, without blanks."""

        def value(match: re.Match[str]) -> str:
            try:
                return self.known(match[0])
            except Unknown:
                return _BLANKS.sub("_", match[0])

        made = _USED.sub(value, text) if len(text) <= _LONGEST else ""
        return made if len(made) <= _MOST_PUT_IN * _LONGEST else ""

    def known(self, text: str) -> str:
        """With every variable put in. Raises Unknown for what calls a function or a shell, or names nothing here."""
        left = _MOST_PUT_IN

        def known(text: str, depth: int) -> str:
            if depth > _DEEPEST or len(text) > _LONGEST:
                raise Unknown
            made = _USED.sub(lambda match: value(match, depth), text)
            if len(made) > _LONGEST:
                raise Unknown
            return made

        def value(match: re.Match[str], depth: int) -> str:
            nonlocal left
            if match[0] == "$$":
                return "$"
            name = match["round"] or match["curly"]
            left -= 1
            if name is None or name not in self.variables or left < 0:
                raise Unknown
            return known(self.variables[name][0], depth + 1)

        return known(text, 0)


def read_makefile(text: str) -> Makefile:
    """What stands in a condition counts where nothing else says it; of two branches the first."""
    variables: dict[str, tuple[str, int]] = {}
    commands: list[tuple[str, int]] = []
    conditions, defining = 0, False
    for line, number in _lines(text):
        word = _WORD.match(line)
        first = word[1] if word is not None and not line.startswith("\t") else ""
        if first in ("define", "endef"):
            defining = first == "define"
        elif defining:
            continue
        elif first in ("ifeq", "ifneq", "ifdef", "ifndef"):
            conditions += 1
        elif first == "endif":
            conditions -= 1
        elif line.startswith("\t"):
            commands.append((line.strip().lstrip("@-+"), number))
        else:
            _assign(variables, _COMMENT.sub("", line).strip(), number, conditional=conditions > 0)
    return Makefile(variables, tuple(commands))


def _assign(variables: dict[str, tuple[str, int]], line: str, number: int, *, conditional: bool) -> None:
    found = _ASSIGNED.fullmatch(line)
    if found is None:
        return
    name, how, value = found["name"], found["how"], found["text"].strip()
    if how == "+=" and name in variables:
        if not conditional:
            variables[name] = (f"{variables[name][0]} {value}"[: _LONGEST + 1], number)
    elif name not in variables or not (how == "?=" or conditional):
        variables[name] = (value, number)


def _lines(text: str) -> Iterator[tuple[str, int]]:
    """Whole lines, joined where a backslash says so, each with the number of its first; without what nobody writes."""
    held, first = "", 0
    for number, line in enumerate(text.split("\n", _MOST_LINES)[:_MOST_LINES], 1):
        first = first or number
        if line.endswith("\\") and len(held) < _LONGEST:
            held += (line[:-1] if not held else line[:-1].strip()) + " "
            continue
        whole = held + line if not held else held + line.strip()
        if len(whole) <= _LONGEST:
            yield whole, first
        held, first = "", 0
    if held and len(held) <= _LONGEST:
        yield held, first
