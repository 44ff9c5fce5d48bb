"""The cases that prompts are measured with: those that come with the operator, or those of a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from desired.errors import UsageError
from nomad_operator.optimize.repair_case import RepairCase, digest_source, read_case

# Fewer tell nothing: half of them are held out.
_LEAST = 4


@dataclass(frozen=True, slots=True)
class Corpus:
    """`where` is what people call it; `cases` by name. `digest` differs as soon as one case does."""

    where: str
    cases: tuple[RepairCase, ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256(digest_source(self.cases).encode()).hexdigest()[:16]


def shipped() -> Corpus:
    """The cases that no rule decides, and those in which nothing may be changed, of the operator's own bench."""
    folder = files("nomad_operator.optimize") / "corpus"
    return Corpus("the operator's own", _cases(sorted(folder.iterdir(), key=lambda one: one.name)))


def of_folder(folder: Path) -> Corpus:
    """Every `*.yaml` below it, each with a list `cases`. UsageError for what is none."""
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror or type(error).__name__}") from error
    return Corpus(str(folder), _cases([one for one in found if one.suffix in (".yaml", ".yml")], of=str(folder)))


def _cases(found: Iterable[Traversable], *, of: str = "the corpus") -> tuple[RepairCase, ...]:
    cases: dict[str, RepairCase] = {}
    for file in found:
        if not file.name.endswith((".yaml", ".yml")):
            continue
        for number, document in enumerate(_documents(file)):
            one = read_case(document, where=f"{file}: cases[{number}]")
            if one.name in cases:
                raise UsageError(f"{file}: there are two cases {one.name}")
            cases[one.name] = one
    if len(cases) < _LEAST:
        raise UsageError(
            f"{of} has {len(cases)} cases, at least {_LEAST} are needed", hint="half of them are held out to measure"
        )
    return tuple(one for _, one in sorted(cases.items()))


def _documents(file: Traversable) -> list[Any]:
    try:
        told = yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read ({type(error).__name__})") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no YAML") from error
    listed = told.get("cases") if isinstance(told, dict) else None
    if not isinstance(listed, list):
        raise UsageError(f"{file}: expected a list `cases`", hint="docs/prompts.md shows a case")
    return listed


# The one written in C is ten times as fast, and not everywhere.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
