"""The corpus with rungs on and off: what rules alone mend, what memory and a model add, and what that costs.

What rules decide is run once: no other rung is asked about it. The rest is run with each party.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from prompts.model.question import Model
from tests.doubles.notes_in_memory import InMemory
from tests.repair.case import Case, Part
from tests.repair.party import Party
from tests.repair.verdict import Judged, judge

_COLUMNS = (
    "cases", "due", "fixed", "fix rate", "durable", "precision", "attempts", "questions", "tokens/fix",
    "s/fix", "wrong",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compared:
    """`found` are all cases of the corpus as they went with these rungs."""

    rungs: str
    found: tuple[Judged, ...]

    @property
    def numbers(self) -> dict[str, Any]:
        """Tokens and seconds are the model's, for each durable fix."""
        due = [one for one in self.found if one.eligible]
        durable = sum(one.durable for one in due)
        tried = sum(one.attempts > 0 for one in self.found)
        kept = sum(one.durable for one in self.found)
        return {
            "cases": len(self.found),
            "due": len(due),
            "fixed": sum(one.fixed for one in due),
            "fix rate": sum(one.fixed for one in due) / len(due) if due else 0.0,
            "durable": durable,
            "precision": kept / tried if tried else 1.0,
            "attempts": sum(one.attempts for one in self.found) / tried if tried else 0.0,
            "questions": sum(one.questions for one in self.found),
            "tokens/fix": sum(one.tokens for one in self.found) / durable if durable else 0.0,
            "s/fix": sum(one.model_seconds for one in self.found) / durable if durable else 0.0,
            "wrong": sum(len(one.wrong) for one in self.found),
        }


def compared(
    cases: Sequence[Case], model: Model, *, agrees: bool = True, tell: Callable[[str], None] = lambda _: None
) -> list[Compared]:
    """`all` fills the memory that `rules+memory` then has: what was asked once is not asked again."""
    notes = InMemory()
    parties = (
        Party("rules", agrees=agrees),
        Party("rules+model", model=model, agrees=agrees),
        Party("all", model=model, notes=notes, agrees=agrees),
        Party("rules+memory", notes=notes, agrees=agrees),
    )
    by_rules = {case.name: _judged(case, parties[0], tell) for case in cases}
    found = [Compared("rules", tuple(by_rules.values()))]
    for party in parties[1:]:
        again = (
            by_rules[case.name] if _rules_decide(case) else _judged(case, party, tell) for case in cases
        )  # fmt: skip
        found.append(Compared(party.name, tuple(again)))
    order = ("rules", "rules+memory", "rules+model", "all")
    return sorted(found, key=lambda one: order.index(one.rungs))


def _judged(case: Case, party: Party, tell: Callable[[str], None]) -> Judged:
    tell(f"{party.name}: {case.name}")
    found = judge(case, party=party)
    # Due is due, whoever is asked: a share of what rules alone mend has to be one of the same cases.
    found.eligible = case.eligible
    return found


def _rules_decide(case: Case) -> bool:
    return case.part is Part.BROKEN and case.eligible


def table(found: Sequence[Compared]) -> str:
    lines = [("rungs", list(_COLUMNS)), *((one.rungs, _cells(one.numbers)) for one in found)]
    first = max(len(name) for name, _ in lines) + 2
    return "\n".join(f"{name:<{first}}" + "".join(f"{cell:>12}" for cell in cells) for name, cells in lines)


def _cells(numbers: dict[str, Any]) -> list[str]:
    shares = ("fix rate", "precision")
    return [
        f"{numbers[name]:.0%}" if name in shares
        else f"{numbers[name]:.2f}".rstrip("0").rstrip(".") if isinstance(numbers[name], float)
        else str(numbers[name])
        for name in _COLUMNS
    ]  # fmt: skip
