"""Checks a job in the API's JSON for what Nomad would ignore in silence: keys that it does not know."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from desired.job.fields import Kind, Shape
from desired.job.spec import Job
from desired.job.table import Row, by_json
from desired.problem import Problem
from desired.state import JobBody

_WORDS: dict[Kind, tuple[str, tuple[type, ...]]] = {
    Kind.TEXT: ("a string", (str,)),
    Kind.INTEGER: ("a whole number", (int,)),
    Kind.FLAG: ("true or false", (bool,)),
    Kind.DURATION: ("a duration in nanoseconds, as a whole number", (int,)),
    Kind.TEXTS: ("a list of strings", (list, tuple)),
    Kind.INTEGERS: ("a list of whole numbers", (list, tuple)),
    Kind.TEXT_MAP: ("an object of strings", (Mapping,)),
    Kind.TEXTS_MAP: ("an object of lists of strings", (Mapping,)),
}


def lint_job(body: JobBody, path: str = "job.json", text: str = "") -> tuple[Problem, ...]:
    """Every key that Nomad does not know and every value of a wrong type. `text` is the file, for the lines.

    Source: Nomad decodes JSON without DisallowUnknownFields and without regard to case.
    """
    lines = _Lines(text)
    return tuple(
        Problem(path, line=lines.of(key), message=message, hint=hint) for key, message, hint in _block(Job, body, "")
    )


_Finding = tuple[str, str, str]


def _block(block: type, body: Any, where: str) -> Iterator[_Finding]:
    if not isinstance(body, Mapping):
        yield where.rpartition(".")[2], f"{where or 'the job'}: expected an object, found {_found(body)}", ""
        return
    known = by_json(block)
    folded = {name.lower(): row for name, row in known.items()}
    written: dict[str, str] = {}
    for key, item in body.items():
        place = f"{where}.{key}" if where else str(key)
        row = folded.get(str(key).lower())
        if row is None:
            near = difflib.get_close_matches(str(key), list(known), n=1, cutoff=0.6) or _by_hcl(str(key), known)
            hint = f"did you mean {near[0]}?" if near else ""
            yield str(key), f"{place}: Nomad knows no such key here and would ignore it", hint
            continue
        before = written.setdefault(row.json, str(key))
        if before != key:
            yield str(key), f"{place}: is the same as {before} to Nomad, and both are there", f"write {row.json} once"
        if item is not None:
            yield from _value(row, item, place)


def _by_hcl(key: str, known: Mapping[str, Row]) -> list[str]:
    return [row.json for row in known.values() if row.hcl == key]


def _value(row: Row, item: Any, place: str) -> Iterator[_Finding]:
    if row.block is not None:
        if row.shape is Shape.BLOCKS:
            yield from _each(row.block, item, place, (list, tuple), "a list of objects")
        elif row.shape is Shape.BLOCK_MAP:
            yield from _each(row.block, item, place, (Mapping,), "an object of objects")
        else:
            yield from _block(row.block, item, place)
        return
    if row.kind is Kind.FREE:
        if row.shape is Shape.MAP_BLOCK and not isinstance(item, Mapping):
            yield row.json, f"{place}: expected an object, found {_found(item)}", ""
        return
    expected, kinds = _WORDS[row.kind]
    fits = isinstance(item, kinds) and (row.kind is Kind.FLAG or not isinstance(item, bool))
    if fits and isinstance(item, list | tuple):
        wanted = str if row.kind is Kind.TEXTS else int
        fits = all(isinstance(each, wanted) and not isinstance(each, bool) for each in item)
    elif fits and isinstance(item, Mapping):
        wanted_item: type | tuple[type, ...] = str if row.kind is Kind.TEXT_MAP else (list, tuple)
        fits = all(each is None or isinstance(each, wanted_item) for each in item.values())
    if not fits:
        yield row.json, f"{place}: expected {expected}, found {_found(item)}", ""


def _each(block: type, item: Any, place: str, kinds: tuple[type, ...], expected: str) -> Iterator[_Finding]:
    if not isinstance(item, kinds):
        yield place.rpartition(".")[2], f"{place}: expected {expected}, found {_found(item)}", ""
        return
    pairs: Iterable[tuple[Any, Any]]
    if isinstance(item, Mapping):
        pairs = item.items()
    else:
        assert isinstance(item, list | tuple)
        pairs = enumerate(item)
    for key, each in pairs:
        if each is not None:
            yield from _block(block, each, f"{place}[{key}]")


def _found(item: Any) -> str:
    match item:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case Mapping():
            return "an object"
    return "a list"


class _Lines:
    """The line of a key, where the text has it just once."""

    def __init__(self, text: str) -> None:
        self._text = text

    def of(self, key: str) -> int:
        if not self._text or not key:
            return 0
        found = [match.start() for match in re.finditer(rf'"{re.escape(key)}"\s*:', self._text)]
        return self._text.count("\n", 0, found[0]) + 1 if len(found) == 1 else 0
