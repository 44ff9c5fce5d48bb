"""What .gitignore files hide, as git itself reads them; and .dockerignore, whose rules are others. Pure.

Each pattern takes a time that grows with the name and no faster: patterns and names both come from strangers. That is
why no library makes regular expressions of them here: `*a*a*a*a*b` would hold up everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_CLASSES = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "blank": " \\t", "digit": "0-9", "lower": "a-z", "upper": "A-Z",
    "punct": "!-/:-@\\[-`{-~", "space": "\\s", "xdigit": "0-9a-fA-F",
}  # fmt: skip
_GLOB = re.compile(r"[*?\[\\]")
_ANY = "**"
_LONGEST = 1_000
_MOST_RULES = 2_000
# Of .dockerignore: these say that only named files go into the image, and nothing about the rest.
_ALL = frozenset({"*", "**", "/*", "**/*", "*/*", "."})


class _NeverMatches(ValueError):
    """A pattern that git takes and that matches nothing."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line. Each step is a literal name, a pattern, or `**`. Without an `anchor` it is about names anywhere."""

    steps: tuple[str | re.Pattern[str], ...]
    hides: bool
    folders_only: bool
    anchor: bool

    def matches(self, parts: Sequence[str], *, folder: bool) -> bool:
        """Whether the path itself is meant, not a folder around it."""
        if self.folders_only and not folder:
            return False
        if not self.anchor:
            return _is(self.steps[0], parts[-1])
        return _path(self.steps, parts)


def _is(step: str | re.Pattern[str], name: str) -> bool:
    return step == name if isinstance(step, str) else step.fullmatch(name) is not None


def _path(steps: Sequence[str | re.Pattern[str]], parts: Sequence[str]) -> bool:
    """Each `**` takes as few folders as will do: more could not help what follows."""
    at = step = 0
    again: tuple[int, int] | None = None
    while at < len(parts):
        if step < len(steps) and steps[step] == _ANY:
            if step == len(steps) - 1:
                return True
            again, step = (step, at), step + 1
        elif step < len(steps) and _is(steps[step], parts[at]):
            at, step = at + 1, step + 1
        elif again is not None:
            step, at = again[0] + 1, again[1] + 1
            again = (again[0], at)
        else:
            return False
    return step == len(steps)


def rule_of(line: str, *, docker: bool = False) -> Rule | None:
    """None for a line that is no rule, or hides nothing. Source: gitignore(5), wildmatch.c; .dockerignore: moby's."""
    if not line.strip() or line.startswith("#") or len(line) > _LONGEST:
        return None
    text = line.strip() if docker else _without_spaces(line)
    hides = not text.startswith("!")
    text = text if hides else text[1:]
    if docker:
        text = "/" + text.strip().removeprefix("./").strip("/")
    folders_only = text.endswith("/")
    text = text.removesuffix("/") if folders_only else text
    anchor = "/" in text
    names = [name for name in text.removeprefix("/").split("/") if name or not docker]
    if not names or names == [""]:
        return None
    try:
        steps = tuple(_ANY if name == _ANY and (anchor or docker) else _step(name) for name in names)
    except (_NeverMatches, re.error):
        return None
    return Rule(steps, hides, folders_only, anchor)


def _without_spaces(line: str) -> str:
    """Spaces at the end count only behind a backslash."""
    end = len(line)
    while end and line[end - 1] == " " and not (end > 1 and line[end - 2] == "\\"):
        end -= 1
    return line[:end]


def _step(glob: str) -> str | re.Pattern[str]:
    """A pattern for one name. What stands between two stars is looked for once, at its first place: atomic groups."""
    if _GLOB.search(glob) is None:
        return glob
    pieces: list[str] = [""]
    at = 0
    while at < len(glob):
        character = glob[at]
        if character == "*":
            pieces.append("")
            while at + 1 < len(glob) and glob[at + 1] == "*":
                at += 1
        elif character == "?":
            pieces[-1] += "."
        elif character == "[":
            made, at = _class(glob, at)
            pieces[-1] += made
        elif character == "\\":
            at += 1
            if at >= len(glob):
                raise _NeverMatches
            pieces[-1] += re.escape(glob[at])
        else:
            pieces[-1] += re.escape(character)
        at += 1
    first, *others = pieces
    inner = "".join(f"(?>.*?{piece})" for piece in others[:-1] if piece)
    last = f".*?{others[-1]}" if others else ""
    return re.compile(f"{first}{inner}{last}", re.DOTALL)


def _class(glob: str, at: int) -> tuple[str, int]:
    """A `[…]` as a regular expression has it, and where it ends."""
    place = at + 1
    negated = glob[place : place + 1] in ("!", "^") and glob[place : place + 1] != ""
    place += negated
    made = ""
    first = True
    while True:
        if place >= len(glob):
            raise _NeverMatches
        character = glob[place]
        if character == "]" and not first:
            break
        first = False
        if character == "[" and glob[place + 1 : place + 2] == ":" and ":]" in glob[place + 2 :]:
            end = glob.index(":]", place + 2)
            named = _CLASSES.get(glob[place + 2 : end])
            if named is None:
                raise _NeverMatches
            made += named
            place = end + 2
            continue
        low, place = _letter(glob, place)
        if glob[place : place + 1] == "-" and glob[place + 1 : place + 2] not in ("]", ""):
            high, place = _letter(glob, place + 1)
            if low <= high:
                made += f"{re.escape(low)}-{re.escape(high)}"
        else:
            made += re.escape(low)
    if not made:
        raise _NeverMatches
    return f"[{'^' if negated else ''}{made}]", place


def _letter(glob: str, place: int) -> tuple[str, int]:
    if glob[place] == "\\":
        place += 1
        if place >= len(glob):
            raise _NeverMatches
    return glob[place], place + 1


class RuleFile:
    """The rules of one .gitignore, for what is below its folder. Most paths are free by their name alone."""

    def __init__(self, lines: Iterable[str]) -> None:
        listed = list(lines)[:_MOST_RULES]
        self._rules = tuple(rule for line in listed if (rule := rule_of(line)) is not None)
        last = [rule.steps[-1] for rule in self._rules]
        self._names = frozenset(step for step in last if isinstance(step, str))
        self._patterns = tuple(dict.fromkeys(step for step in last if not isinstance(step, str)))
        self._always = _ANY in self._names

    def verdict(self, path: str, *, folder: bool) -> bool | None:
        """Whether the last rule about this path hides it; None where none is about it."""
        name = path.rpartition("/")[2]
        free = name not in self._names and not any(pattern.fullmatch(name) for pattern in self._patterns)
        if free and not self._always:
            return None
        parts = path.split("/")
        return next((rule.hides for rule in reversed(self._rules) if rule.matches(parts, folder=folder)), None)


class IgnoreRules:
    """The .gitignore files from the root down to one folder; a rule further down overrides those above.

    What is ignored as a folder is not looked into, so that nothing in it can be taken back.
    """

    def __init__(self, parts: tuple[tuple[str, RuleFile], ...] = ()) -> None:
        self._parts = parts

    def within(self, folder: str, text: str | None) -> IgnoreRules:
        """The rules for what is in `folder` ("" for the root), whose .gitignore has this text; None if it has none."""
        if text is None:
            return self
        return IgnoreRules((*self._parts, (folder, RuleFile(text.removeprefix("\ufeff").split("\n")))))

    def hide(self, path: str, *, folder: bool) -> bool:
        """Whether the path, relative to the root, is ignored."""
        for base, rules in reversed(self._parts):
            found = rules.verdict(path[len(base) + 1 :] if base else path, folder=folder)
            if found is not None:
                return found
        return False


class DockerIgnore:
    """The folders that a .dockerignore keeps out of the image. A later rule overrides; what is below goes along."""

    def __init__(self, text: str) -> None:
        listed = text.removeprefix("\ufeff").split("\n")[:_MOST_RULES]
        made = (rule_of(line, docker=True) for line in listed if line.strip() not in _ALL)
        self._rules = tuple(rule for rule in made if rule is not None)

    def hides_folder_of(self, path: str) -> bool:
        """Whether the file is in such a folder. That it is named itself means nothing: Dockerfiles often are."""
        folders = path.split("/")[:-1]
        hidden = False
        for rule in self._rules:
            if any(rule.matches(folders[:end], folder=True) for end in range(1, len(folders) + 1)):
                hidden = rule.hides
        return hidden
