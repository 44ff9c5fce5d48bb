"""What is to be learned from one repair, worked out while its evidence is at hand. Part of the record; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from desired.operations import shown
from desired.operations.operation import Operation
from desired.operations.table import row
from reconcilers.repair.proposal import Case
from reconcilers.repair.relative import From, Step, steps
from reconcilers.repair.signature import signature


@dataclass(frozen=True, slots=True)
class Lesson:
    """The failure's signature and its words, and the repair in relative form. Redacted, as the evidence is."""

    signature: str
    words: str
    steps: tuple[Step, ...]


def lesson(case: Case, operations: Iterable[Operation]) -> Lesson | None:
    """None where there is nothing to learn: no operation, or one with a value that may be a secret."""
    relative = steps(case, operations)
    if not relative or any(_may_be_secret(one) for one in relative):
        return None
    found = signature(case.diagnosis, case.evidence, case.body)
    return Lesson(found.exact, found.text, relative)


def _may_be_secret(one: Step) -> bool:
    """What people are not shown is not stored either: others may read the store. A name is no value."""
    if one.source not in (From.TERM, From.OWN):
        return False
    names = tuple(part.removeprefix("=") for part in one.at)
    return any(shown.HIDDEN in shown.shown_value(row(one.kind), names, value) for value in (one.value, one.old))
