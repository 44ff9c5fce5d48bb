"""Facts as tables of tests write them: a text for each, a mapping of texts where there are several of a kind."""

from __future__ import annotations

from typing import Any

from desired.facts.facts import Facts
from desired.facts.rows import rows


def told(facts: Facts) -> dict[str, Any]:
    """Each field that is known; the keys of a mapping as texts."""
    found: dict[str, Any] = {}
    for row in rows(facts):
        kind, dot, key = row.field.partition(".")
        if dot:
            found.setdefault(kind, {})[key] = row.shown
        else:
            found[kind] = row.shown
    return found


def lines(facts: Facts) -> dict[str, str]:
    """Where each stands: `file:line` by the field with its key."""
    return {row.field: str(row.fact.place) for row in rows(facts)}
