"""What rules propose stops at what the cluster's owners allow; where that is no help, it is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desired.app import AppKey
from desired.operations.operation import Kind
from observers.evidence import Usage
from observers.failures.failure_class import FailureClass
from reconcilers.repair.guard import Guard, GuardSettings
from reconcilers.repair.ladder import Ladder
from reconcilers.repair.proposal import Candidates, Proposal
from reconcilers.repair.rule_rung import RuleRung
from reconcilers.repair.rules.table import answer
from tests.unit.observers.failures.failure_evidence import evidence
from tests.unit.repair.rules.cases_resources import _OOM
from tests.unit.repair.rules.rule_cases import APP, RuleCase, changed


def case(*, used: int = 0, ceilings: dict[str, int] | None = None, memory_max: int = 0) -> RuleCase:
    body = changed("task.Resources.MemoryMaxMB", memory_max) if memory_max else None
    usage = {APP: Usage(memory=used)} if used else {}
    told = evidence(_OOM, usage=usage, **({"body": body} if body else {}))
    return RuleCase("oom", FailureClass.OOM_KILLED, told, ())


@pytest.mark.parametrize(
    ("most", "used", "new"),
    [({}, 0, 128), ({"memory": 100}, 0, 100), ({"memory": 4096}, 0, 128), ({"memory": 90}, 80, 90),
     ({"cpu": 1}, 0, 128)],
)  # fmt: skip
def test_memory_grows_up_to_what_the_rules_allow(most: dict[str, int], used: int, new: int) -> None:
    found = answer(replace(case(used=used).case(), ceilings=most))
    assert isinstance(found, Proposal)
    assert [(one.kind, one.new) for one in found.operations] == [(Kind.MEMORY, new)]


@pytest.mark.parametrize(("most", "used"), [(64, 0), (70, 0), (100, 120)])
def test_where_the_rules_allow_less_than_is_needed_it_is_told(most: int, used: int) -> None:
    found = answer(replace(case(used=used).case(), ceilings={"memory": most}))
    assert isinstance(found, Candidates)
    assert f"the cluster's rules allow {most} MB" in found.reason and "raise the cluster's rules" in found.choices[0]


async def test_the_ladder_tells_its_rungs_what_is_allowed() -> None:
    def allowed(key: AppKey) -> dict[str, int]:
        return {"memory": 100}

    guard = Guard(settings=GuardSettings(ceilings={"memory": 110}), allowed=allowed)
    climbed = await Ladder(rungs=[("rule", RuleRung())], guard=guard).climb(case().case())
    assert climbed.proposal is not None and climbed.turned_down == ()
    assert [one.new for one in climbed.proposal.operations] == [100]
