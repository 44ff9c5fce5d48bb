"""What a run has found: before and after on the cases held out, by failure class, and what it cost. Pure.

It is printed as a table, written as JSON, and its numbers stand in the new version's config: by them it is promoted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nomad_operator.optimize.measure import counted, mean
from nomad_operator.optimize.outcome import Ending, Played


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of a whole run, all its sessions; seconds are those that the model took."""

    tokens: int
    seconds: float
    budget: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`after` is empty where no other prompt was found, or could not be measured any more: `note` then says why.

    `about` says of what and by which means: the prompt and its version, the data, the optimizer, the model.
    """

    about: Mapping[str, Any]
    before: tuple[Played, ...]
    after: tuple[Played, ...]
    cost: Cost
    note: str = ""

    @property
    def classes(self) -> dict[str, dict[str, Any]]:
        """Score and number of cases held out, by failure class."""
        return {
            name: {
                "cases": len(_of(self.before, name)),
                "before": round(mean(_of(self.before, name)), 4),
                **({"after": round(mean(_of(self.after, name)), 4)} if self.after else {}),
            }
            for name in sorted({one.failure for one in counted(self.before)})
        }

    @property
    def as_json(self) -> dict[str, Any]:
        """It only grows."""
        return {
            **self.about,
            "before": _summary(self.before),
            "after": _summary(self.after) if self.after else None,
            "classes": self.classes,
            "cost": {"tokens": self.cost.tokens, "seconds": round(self.cost.seconds, 1), "budget": self.cost.budget},
            "note": self.note,
            "cases": [_row(one, after) for one, after in _side_by_side(self.before, self.after)],
        }

    @property
    def table(self) -> list[list[str]]:
        """A line for each class, one for all, and one for what must not be."""
        rows = [
            [name, str(told["cases"]), _cell(told["before"]), _cell(told.get("after"))]
            for name, told in self.classes.items()
        ]
        return [
            *rows,
            ["all", str(len(counted(self.before))), _cell(mean(self.before)), _cell(_after(self.after))],
            ["wrong changes", "", str(wrong(self.before)), str(wrong(self.after)) if self.after else "-"],
        ]


def wrong(found: Sequence[Played]) -> int:
    """Cases in which something was changed that must not be."""
    return sum(one.ending is Ending.WRONG for one in found)


def _after(found: Sequence[Played]) -> float | None:
    return mean(found) if found else None


def _of(found: Iterable[Played], failure: str) -> list[Played]:
    return [one for one in counted(list(found)) if one.failure == failure]


def _summary(found: Sequence[Played]) -> dict[str, Any]:
    those = counted(found)
    return {
        "score": round(mean(those), 4),
        "cases": len(those),
        "wrong": wrong(those),
        "endings": dict(sorted(Counter(one.ending.value for one in those).items())),
        "tokens": sum(one.tokens for one in those),
        "seconds": round(sum(one.seconds for one in those), 1),
    }


def _side_by_side(before: Sequence[Played], after: Sequence[Played]) -> list[tuple[Played, Played | None]]:
    by_name = {one.case: one for one in after}
    return [(one, by_name.get(one.case)) for one in before]


def _row(before: Played, after: Played | None) -> dict[str, Any]:
    row: dict[str, Any] = {"case": before.case, "failure": before.failure, "before": before.ending.value}
    return row | ({"after": after.ending.value} if after is not None else {})


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
