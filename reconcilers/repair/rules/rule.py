"""A rule: which failures it answers, and how. What it proposes is a value; trying it is not its business."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from desired.cause import Cause
from desired.operations.apply import PreconditionGone, apply, current
from desired.operations.operation import Kind, Operation, Value
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Candidates, Case, Proposal, Rung


@dataclass(frozen=True, slots=True)
class Rule:
    """`propose` is pure; it answers None wherever a precondition is missing. `name` stands in records: it stays."""

    name: str
    classes: tuple[FailureClass, ...]
    propose: Callable[[Case], Answer]

    def ask(self, case: Case) -> Answer:
        """Nothing for a failure of another class or one that the job's spec is not the cause of.

        Nothing that was tried before in this episode, and nothing that cannot be applied to the job.
        """
        if case.diagnosis.failure not in self.classes or case.diagnosis.cause is not Cause.SPEC:
            return None
        found = self.propose(case)
        if isinstance(found, Candidates):
            return replace(found, source=self.name)
        if found is None or not found.operations or any(one.operations == found.operations for one in case.tried):
            return None
        try:
            apply(case.body, found.operations)
        except PreconditionGone:
            return None
        return replace(found, source=self.name)


@dataclass(frozen=True, slots=True)
class Edit:
    """One new value for one address, and where it comes from.

    `old` is what `new` takes the place of where the address alone does not say it: a piece of a template, one of
    several constraints on an attribute. Empty where it is whatever stands there.
    """

    kind: Kind
    at: tuple[str, ...]
    new: Value
    ground: str
    old: str = ""


def fix(case: Case, reason: str, edits: Iterable[Edit]) -> Proposal | None:
    """What the edits change, each on top of those before it; an edit that changes nothing is left out.

    None where nothing would change, or where an address is not in the job. `Rule.ask` names the source.
    """
    body = case.body
    operations: list[Operation] = []
    grounds: dict[str, str] = {}
    for edit in edits:
        try:
            old = edit.old or current(body, edit.kind, edit.at)
            if old == edit.new:
                continue
            one = Operation(edit.kind, edit.at, old, edit.new)
            body = apply(body, (one,))
        except PreconditionGone:
            return None
        operations.append(one)
        grounds[one.path] = f"{grounds[one.path]}; {edit.ground}" if one.path in grounds else edit.ground
    return Proposal(tuple(operations), Rung.RULE, "", reason, grounds) if operations else None


def choose(reason: str, choices: Iterable[str]) -> Candidates:
    """Nothing is proposed: a person chooses. `Rule.ask` names the source."""
    return Candidates("", reason, tuple(choices))
