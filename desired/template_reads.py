"""What a template of a job looks up, and in which shape: read from its text, in consul-template's language. Pure.

No template is run: what is put together by the template itself (`printf`, variables of Nomad) is left out, and so is
what it reads only where it is there.
Source: consul-template docs/templating-language.md; text/template (with, range, else, end).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from desired.variable_sources import Source

_STRING = r'"((?:[^"\\]|\\.)*)"|`([^`]*)`'
_QUOTED = re.compile(_STRING, re.DOTALL)
_CALL = re.compile(rf"\b(secret|nomadVar|key)\s+(?:{_STRING})(?P<more>\s+[\"`])?")
_ASSIGNED = re.compile(rf"\$(\w+)\s*:?=\s*(?:{_CALL.pattern})")
_KEYWORD = re.compile(r"\s*(else\s+with|else\s+if|with|range|if|block|define|else|end)\b")
# Of a secret: .Data.x, .Data.data.x, index .Data.data "x"; before it nothing (the dot), $x, or (secret "…").
_DATA = r"\.Data(?P<inner>\.data)?\b"
_INDEXED = re.compile(rf"\bindex\s+(?P<of>\$\w+)?{_DATA}\s+(?:{_STRING})")
_FIELD = re.compile(rf"(?P<of>\$\w+|\)|(?<![\w.$)\]]))?{_DATA}(?:\.(?P<field>\w+))?")
_VARIABLE_FIELD = re.compile(r"(?P<of>\$\w+|\)|(?<![\w.$)\]\"]))\.(?P<field>[A-Za-z_]\w*)")
_VARIABLE_INDEX = re.compile(rf"\bindex\s+(?P<of>\$\w+|\.)\s+(?:{_STRING})")
# What is read behind these is read only where it is there, or has something in its stead.
_GUARDED = re.compile(r"(?<!\.)\b(?:or|and|not|default|eq|ne|coalesce|ternary|empty|contains|executeTemplate)\b")
# A Nomad variable's own methods.
_METHODS = frozenset({"Keys", "Values", "Tuples", "Metadata", "Parent", "ItemsMap"})


@dataclass(frozen=True, slots=True)
class TemplateRead:
    """One place that is looked up. `field` is empty where none is named; `versioned` is whether a secret is read in the
    shape of version 2 (`.Data.data`), None where it is not seen. `optional` is what the template asks for first, or has
    something else for."""

    source: Source
    path: str
    field: str = ""
    versioned: bool | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class _Called:
    source: Source
    path: str


def template_reads(text: str, *, left: str = "{{", right: str = "}}") -> tuple[TemplateRead, ...]:
    """Every place once, in the order in which it is first named. A place is named without a field, too, where it is
    called at all."""
    found: dict[TemplateRead, None] = {}
    # What the dot is in each block that is open; the outermost is the template's own.
    dots: list[_Called | None] = [None]
    variables: dict[str, _Called | None] = {}
    # Of each open block: may what is in it be left out?
    asked_first: list[bool] = [False]
    for action in _actions(text, left, right):
        keyword = _KEYWORD.match(action)
        word = re.sub(r"\s+", " ", keyword[1]) if keyword else ""
        if word in ("end", "else") and len(dots) > 1:
            outer = dots[-2]
            dots.pop()
            asked_first.pop()
            if word == "else":
                dots.append(outer)
                asked_first.append(True)
            continue
        calls = list(_calls(action))
        for name, called in _assigned(action):
            variables[name] = called
        only = calls[0] if len(calls) == 1 else None
        fields = list(_fields(action, dots[-1], variables, only))
        # `with` on a whole secret waits for it; on one of its fields it asks whether that is there.
        asks = word.endswith("if") or word == "range" or (word.endswith("with") and bool(fields))
        may_lack = any(asked_first) or word.startswith("else")
        optional = may_lack or asks or _GUARDED.search(re.sub(_STRING, "", action)) is not None
        found |= dict.fromkeys(TemplateRead(one.source, one.path, optional=may_lack) for one in calls)
        found |= dict.fromkeys(replace(one, optional=optional) for one in fields)
        if word.startswith("else ") and len(dots) > 1:
            dots.pop()
            asked_first.pop()
        if word in ("with", "else with", "if", "else if", "range", "block", "define"):
            asked_first.append(asks or word.startswith("else") or word in ("block", "define"))
        if word in ("with", "else with"):
            dots.append(only if _is_the_call(action) else _of_variable(action, variables))
        elif word in ("if", "else if"):
            dots.append(dots[-1])
        elif word in ("range", "block", "define"):
            dots.append(None)
    return tuple(one for one in found if not one.optional or replace(one, optional=False) not in found)


def _actions(text: str, left: str, right: str) -> Iterator[str]:
    """What stands between the delimiters, without comments; a delimiter inside of a string ends nothing."""
    ends = re.compile(rf"{re.escape(right)}|[\"`]")
    at = text.find(left)
    while at >= 0:
        begun = position = at + len(left)
        while (end := ends.search(text, position)) is not None and end[0] != right:
            quoted = _QUOTED.match(text, end.start())
            if quoted is None:
                return  # a string without an end: nothing more of it can be read
            position = quoted.end()
        if end is None:
            return
        action = text[begun : end.start()].removeprefix("-").removesuffix("-")
        if not action.lstrip().startswith("/*"):
            yield action
        at = text.find(left, end.end())


def _calls(action: str) -> Iterator[_Called]:
    for found in _CALL.finditer(action):
        called = _called(found[1], found[2] if found[2] is not None else found[3], bool(found["more"]))
        if called is not None:
            yield called


def _called(function: str, path: str, written: bool) -> _Called | None:
    """None for what is known only later; `secret` with further arguments writes."""
    if not path or "${" in path or (function == "secret" and written):
        return None
    source = {"secret": Source.VAULT, "nomadVar": Source.NOMAD, "key": Source.CONSUL}[function]
    # `path@region` and `path@namespace.region` are of another place than this one's, `path?version=1` of another time.
    elsewhere = ("@" in path and source is not Source.VAULT) or "?" in path
    return None if elsewhere else _Called(source, path.strip("/"))


def _assigned(action: str) -> Iterator[tuple[str, _Called | None]]:
    for found in _ASSIGNED.finditer(action):
        path = found[3] if found[3] is not None else found[4]
        yield found[1], _called(found[2], path, bool(found["more"]))


def _is_the_call(action: str) -> bool:
    """`with secret "x"` and `with $s := secret "x"`: the dot is what was called, and not a part of it."""
    return bool(re.match(rf"\s*(?:else\s+)?with\s+(?:\$\w+\s*:=\s*)?(?:{_CALL.pattern})\s*$", action))


def _of_variable(action: str, variables: dict[str, _Called | None]) -> _Called | None:
    found = re.match(r"\s*(?:else\s+)?with\s+\$(\w+)\s*$", action)
    return variables.get(found[1]) if found else None


def _fields(
    action: str, dot: _Called | None, variables: dict[str, _Called | None], only: _Called | None
) -> Iterator[TemplateRead]:
    def named(of: str | None) -> _Called | None:
        if of == ")":
            return only
        return variables.get(of[1:]) if of and of.startswith("$") else dot

    bare = re.sub(_STRING, lambda found: '"' + " " * (len(found[0]) - 2) + '"', action)
    for found in _INDEXED.finditer(action):
        called = named(found["of"])
        if called is not None and called.source is Source.VAULT:
            field = found[3] if found[3] is not None else found[4]
            yield TemplateRead(called.source, called.path, field, versioned=bool(found["inner"]))
    for found in _FIELD.finditer(bare):
        called, field, inner = named(found["of"]), found["field"] or "", bool(found["inner"])
        if called is None or called.source is not Source.VAULT or (not inner and field == "metadata") or not field:
            continue
        yield TemplateRead(called.source, called.path, field, versioned=inner)
    for found in _VARIABLE_INDEX.finditer(action):
        called = named(found["of"] if found["of"] != "." else None)
        if called is not None and called.source is Source.NOMAD:
            yield TemplateRead(called.source, called.path, found[2] if found[2] is not None else found[3])
    for found in _VARIABLE_FIELD.finditer(bare):
        called = named(found["of"])
        if called is not None and called.source is Source.NOMAD and found["field"] not in _METHODS:
            yield TemplateRead(called.source, called.path, found["field"])
