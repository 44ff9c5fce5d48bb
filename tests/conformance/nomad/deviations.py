"""The one table of what differs from the recordings on purpose, and of what is not implemented on purpose.

Every entry has a reason. An entry that explains nothing any more is as wrong as a difference that no entry explains.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_TABLE = Path(__file__).parent / "deviations.yaml"


@dataclass(frozen=True, slots=True)
class Entry:
    """`pattern` has `*` for anything; brackets stand for themselves. Empty `scenarios` means all of them."""

    pattern: str
    reason: str
    target: str = "embedded"
    scenarios: tuple[str, ...] = ()

    def covers(self, target: str, scenario: str, line: str) -> bool:
        """Whether this is what the entry is about."""
        if self.target not in (target, "both") or (self.scenarios and scenario not in self.scenarios):
            return False
        return fnmatchcase(line, _literal(self.pattern))


@cache
def _literal(pattern: str) -> str:
    return pattern.replace("[", "[[]").replace("?", "[?]")


@dataclass(slots=True)
class Table:
    """What the file says, and which of its entries have explained something so far."""

    not_used: Sequence[Entry] = ()
    deviations: Sequence[Entry] = ()
    skipped: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    used: set[tuple[Entry, str]] = field(default_factory=set)

    def unexplained(self, target: str, scenario: str, lines: Iterable[str]) -> list[str]:
        """The differences that no entry is about."""
        return [line for line in lines if not self._explain(self.deviations, target, scenario, line)]

    def unused(self, target: str, scenario: str, exchange: str) -> bool:
        """Whether the product does not use this endpoint."""
        return self._explain(self.not_used, target, scenario, exchange)

    def _explain(self, entries: Sequence[Entry], target: str, scenario: str, line: str) -> bool:
        found = [entry for entry in entries if entry.covers(target, scenario, line)]
        self.used.update((entry, scenario) for entry in found)
        return bool(found)

    def outdated(self, target: str, scenarios: Sequence[str]) -> list[str]:
        """Entries that explained nothing in these scenarios, which were all replayed on `target`."""
        lines = []
        for entry in (*self.not_used, *self.deviations):
            if entry.target not in (target, "both"):
                continue
            where = {scenario for used, scenario in self.used if used == entry}
            # An entry for all scenarios has to explain something in one of them; a named one in every one it names.
            missing = [name for name in entry.scenarios if name in scenarios and name not in where]
            if missing or (not entry.scenarios and not where):
                lines.append(f"{entry.pattern} ({', '.join(missing) or 'any scenario'})")
        return lines


def load() -> Table:
    """The table as the file has it."""
    text: Any = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))
    return Table(
        not_used=[_entry(item, "exchange") for item in text["not_used"]],
        deviations=[_entry(item, "difference") for item in text["deviations"]],
        skipped=text["skipped"],
    )


def _entry(item: Mapping[str, Any], key: str) -> Entry:
    if not str(item.get("reason", "")).strip():
        raise ValueError(f"{item[key]!r} has no reason")
    if unknown := item.keys() - {key, "reason", "target", "scenarios"}:
        raise ValueError(f"{item[key]!r} says {sorted(map(str, unknown))}, which means nothing")
    return Entry(
        pattern=item[key],
        reason=item["reason"],
        target=item.get("target", "embedded"),
        scenarios=tuple(item.get("scenarios", ())),
    )
