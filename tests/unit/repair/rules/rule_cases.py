"""Broken jobs with what their failure looks like, and the answer that the rules owe: one table, by family.

The evidence goes through the real diagnosis, so that a case holds what happened and not what a rule would like to hear.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from desired.operations.operation import Kind, Operation, Value
from observers.evidence import Evidence
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Case, Tried
from tests.unit.observers.failures.failure_evidence import JOB, allocation, event, first

CHOICE = "several answers are plausible"
NOTHING = "no rule has an answer"
APP = ("web", "app")
ALIVE = ("web", "web", "alive")
SECOND = 10**9


@dataclass(frozen=True, slots=True)
class RuleCase:
    """`expected` are the operations, CHOICE, or NOTHING; `rule` names who answers."""

    name: str
    failure: FailureClass
    evidence: Evidence
    expected: tuple[Operation, ...] | str
    rule: str = ""
    limits: Mapping[str, int] = field(default_factory=dict)

    def case(self, tried: tuple[Tried, ...] = ()) -> Case:
        """What the ladder would ask."""
        return Case(self.evidence.key, self.evidence.body, first(self.evidence), self.evidence, tried, self.limits)


def op(kind: Kind, at: tuple[str, ...], old: Value, new: Value) -> Operation:
    return Operation(kind, at, old, new)


def changed(*paths_and_values: Any, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The job with values set: pairs of a path (`group.Networks.0.Mode`, `task.Config.image`) and a value.

    None as a value takes the key away.
    """
    made = copy.deepcopy(JOB if body is None else dict(body))
    for path, value in zip(paths_and_values[::2], paths_and_values[1::2], strict=True):
        place: Any = made
        steps = path.split(".")
        if steps[0] in ("group", "task"):
            place = made["TaskGroups"][0] if steps[0] == "group" else made["TaskGroups"][0]["Tasks"][0]
            steps = steps[1:]
        for step in steps[:-1]:
            place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
        if value is None:
            place.pop(steps[-1], None)
        elif steps[-1].isdigit():
            place[int(steps[-1])] = value
        else:
            place[steps[-1]] = value
    return made


def refused_config(*mistakes: str) -> Any:
    """An allocation whose driver refused its config with these words."""
    said = f"{len(mistakes) + 1} errors occurred:\n\t* failed to parse config: \n" + "".join(
        f"\t* {one}\n" for one in mistakes
    )
    return allocation(
        [
            event("Failed Validation", said, after=1, validation_error=said),
            event("Not Restarting", "Error was unrecoverable", after=1, restart_reason="Error was unrecoverable"),
        ]
    )


def unknown_keys(*keys: str) -> Any:
    return refused_config(*(f'Invalid label: No argument or block type is named "{key}".' for key in keys))


def unrecoverable(type: str, said: str, **details: str) -> Any:
    """An allocation that ended before its task ran."""
    return allocation(
        [
            event(type, said, after=1, **details),
            event("Not Restarting", "Error was unrecoverable", after=1, restart_reason="Error was unrecoverable"),
        ]
    )


def waiting(missing: str) -> Any:
    """A task that has waited for two minutes for what its template reads."""
    return allocation([event("Template", f"Missing: {missing}", after=3)], state="pending", client_status="pending")
