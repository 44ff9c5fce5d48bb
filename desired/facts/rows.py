"""Facts as a list of single values, in one order: what `analyze` and `init` show, what tests compare. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from desired.facts.fact import Fact
from desired.facts.facts import Facts


@dataclass(frozen=True, slots=True)
class Row:
    """`field` is the name of what is known, with its key where there are several: `memory`, `ports.8080`, `env.LOG`."""

    field: str
    fact: Fact[Any]

    @property
    def shown(self) -> str:
        return shown(self.fact.value)


def rows(facts: Facts) -> Iterator[Row]:
    """Every fact, in the order of the vocabulary; several of one kind in the order of finding."""
    for one in fields(Facts):
        held = getattr(facts, one.name)
        if isinstance(held, Mapping):
            for key, fact in held.items():
                yield Row(f"{one.name}.{'/'.join(key) if isinstance(key, tuple) else key}", fact)
        elif held is not None:
            yield Row(one.name, held)


def shown(value: Any) -> str:
    """On one line, for people."""
    return " ".join(str(part) for part in value) if isinstance(value, tuple) else str(value)


def plain(value: Any) -> Any:
    """As JSON has it: objects for what has several parts, seconds for times; what is not known is left out."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, tuple):
        return [plain(part) for part in value]
    if is_dataclass(value):
        parts = {one.name: plain(getattr(value, one.name)) for one in fields(value)}
        return {name: part for name, part in parts.items() if part not in (None, "", [])}
    return value
