"""A Makefile as far as it can be understood without running it: its variables, and the commands of its recipes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_ASSIGNED = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][\w.-]*)\s*(?P<how>::?=|\?=|\+=|=)\s*(?P<text>.*)")
_USED = re.compile(r"\$(?:\$|\((?P<round>[\w.-]+)\)|\{(?P<curly>[\w.-]+)\}|(?P<other>\([^()]*\)|\{[^{}]*\}|.))")
_DEEPEST = 10
_LONGEST = 4000
_MOST_LINES = 20_000


class Unknown(ValueError):
    """A text whose value only make itself could tell."""


@dataclass(frozen=True, slots=True)
class Makefile:
    """`variables` are texts as written with the line of their last assignment; `commands` are the recipes' lines."""

    variables: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    commands: tuple[tuple[str, int], ...] = ()

    def known(self, text: str) -> str:
        """With every variable put in. Raises Unknown for what calls a function or a shell, or names nothing here."""
        return self._known(text, 0)

    def _known(self, text: str, depth: int) -> str:
        if depth > _DEEPEST or len(text) > _LONGEST:
            raise Unknown

        def value(match: re.Match[str]) -> str:
            if match[0] == "$$":
                return "$"
            name = match["round"] or match["curly"]
            if name is None or name not in self.variables:
                raise Unknown
            return self._known(self.variables[name][0], depth + 1)

        return _USED.sub(value, text)


def read_makefile(text: str) -> Makefile:
    variables: dict[str, tuple[str, int]] = {}
    commands: list[tuple[str, int]] = []
    for line, number in _lines(text):
        if line.startswith("\t"):
            commands.append((line.strip().lstrip("@-+"), number))
            continue
        bare = re.sub(r"(?:^|\s)#.*", "", line)
        found = _ASSIGNED.fullmatch(bare.strip())
        if found is None:
            continue
        name, how, value = found["name"], found["how"], found["text"].strip()
        if how == "+=" and name in variables:
            variables[name] = (f"{variables[name][0]} {value}", number)
        elif how != "?=" or name not in variables:
            variables[name] = (value, number)
    return Makefile(variables, tuple(commands))


def _lines(text: str) -> Iterator[tuple[str, int]]:
    """Whole lines, joined where a backslash says so, each with the number of its first."""
    held, first = "", 0
    for number, line in enumerate(text.splitlines()[:_MOST_LINES], 1):
        first = first or number
        if line.endswith("\\") and len(held) < _LONGEST:
            held += line[:-1] + " "
            continue
        yield held + line if not held else held + line.strip(), first
        held, first = "", 0
    if held:
        yield held, first
