"""One thing that was seen and has a name: what recognisers give, and what `diagnose` counts and judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from desired.cause import Cause
from observers.failures.failure_class import FailureClass
from observers.failures.row import Row, Where
from observers.failures.table import words_of

WORDS = 300
_LONG = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """`at` is when; None where words carry no time.

    `final` says whether this one alone is conclusive, None where the row's own proof decides. `cause` overrides the
    row's. `again` tells two of the same class apart: only with the same one are they the same failure a second time.
    """

    failure: FailureClass
    words: str
    at: datetime | None = None
    group: str = ""
    task: str = ""
    service: str = ""
    check: str = ""
    port: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    cause: Cause | None = None
    final: bool | None = None
    again: str = ""


def read(where: Where, said: str) -> tuple[Row, dict[str, str]] | None:
    """The first row, in the table's order, to which these words belong, and the facts that stand in them.

    A group `name_2` of a pattern is another place of the fact `name`. A fact that is empty is left out.
    """
    # Patterns look for one thing near another: they take longer than a text is long, and texts come from outside.
    if len(said) > 2 * _LONG:
        said = f"{said[:_LONG]} {said[-_LONG:]}"
    for row, words in words_of(where):
        if found := words.pattern.search(said):
            facts: dict[str, str] = {}
            for name, value in found.groupdict().items():
                if value:
                    facts.setdefault(name.removesuffix("_2"), " ".join(value.split())[:WORDS])
            return row, facts
    return None


def cut(text: str) -> str:
    """One line of at most 300 characters."""
    line = " ".join(text.split())
    return line if len(line) <= WORDS else f"{line[: WORDS - 1]}…"
