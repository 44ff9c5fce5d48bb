"""What is to be learned from one repair, worked out while its evidence is at hand. Part of the record; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from desired.operations.operation import Operation
from reconcilers.repair.proposal import Case
from reconcilers.repair.relative import Step, steps
from reconcilers.repair.signature import signature


@dataclass(frozen=True, slots=True)
class Lesson:
    """The failure's signature and its text, and the repair in relative form. Redacted, as the evidence is."""

    signature: str
    text: str
    steps: tuple[Step, ...]


def lesson(case: Case, operations: Iterable[Operation]) -> Lesson | None:
    """None where there is nothing to learn: no operation."""
    relative = steps(case, operations)
    if not relative:
        return None
    found = signature(case.diagnosis, case.evidence, case.body)
    return Lesson(found.exact, found.text, relative)
