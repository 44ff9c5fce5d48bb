"""A system job that no node may have is told, though Nomad calls it running and fails nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desired.app import AppKey
from observers.nomad.decode import last_failures
from observers.nomad.needs import may_wait_for_room
from observers.running import (
    Allocation,
    Deployment,
    Evaluation,
    FieldChange,
    PlacementFailure,
    Plan,
    Running,
    RunningJob,
)
from reconcilers import nowhere
from reconcilers.health import Phase, judge

KEY = AppKey("default", "agent")
BODY = {"ID": "agent", "Type": "system", "TaskGroups": [{"Name": "agent"}, {"Name": "off", "Count": 0}]}
JOB = RunningJob(KEY, "system", "running", 2, 9, 9, 1, counts={"agent": 1, "off": 0}, body=BODY)
THERE = Allocation("a", "agent", 2, "running", healthy=True)
LEFT_OUT = {"agent": PlacementFailure(1, 1, constraint_filtered={"${attr.kernel.name} = windows": 1})}
NEW = Plan(0, "Added")
CHANGED = Plan(9, "Edited", (FieldChange("Datacenters", "dc1", "nowhere"),))


@pytest.mark.parametrize(
    ("plan", "failed"),
    [
        (NEW, {"agent"}),
        (replace(NEW, updates={"agent": {"Place": 2}}), set()),
        (replace(CHANGED, updates={"agent": {"Stop": 2}}), {"agent"}),
        (replace(CHANGED, updates={"agent": {"Stop": 1, "Ignore": 1}}), set()),
        (replace(CHANGED, updates={"agent": {"DestructiveUpdate": 2}}), set()),
        (Plan(9, "None"), set()),
        (replace(NEW, failed=LEFT_OUT), {"agent"}),
    ],
)
def test_a_plan_that_would_run_it_nowhere_fails(plan: Plan, failed: set[str]) -> None:
    assert nowhere.told(plan, BODY).failed.keys() == failed


def test_of_other_jobs_a_plan_is_what_nomad_says() -> None:
    assert nowhere.told(NEW, {**BODY, "Type": "service"}) == NEW


def test_what_runs_nowhere_is_not_healthy() -> None:
    alone = Running(KEY, JOB, (), Deployment("d", 2, "successful"), checks=())
    assert judge(alone).phase is Phase.UNPLACED
    assert "0 of 0 nodes" in judge(alone).message
    assert nowhere.placement(alone, BODY).keys() == {"agent"}
    told = replace(alone, placement=LEFT_OUT)
    assert "windows filtered 1 nodes" in judge(told).message and nowhere.placement(told, BODY) == LEFT_OUT
    there = replace(alone, allocations=(THERE,))
    assert judge(there).phase is Phase.HEALTHY and not nowhere.placement(there, BODY)


def test_why_is_asked_for_although_its_deployment_was_successful() -> None:
    done = Deployment("d", 2, "successful")
    assert may_wait_for_room(JOB, (), done) and not may_wait_for_room(JOB, (THERE,), done)
    old = Evaluation("e1", "complete", create_index=4, failed={"agent": PlacementFailure(2)})
    assert last_failures([Evaluation("e2", "complete", create_index=5, failed=LEFT_OUT), old]) == LEFT_OUT
    assert last_failures([]) == {}
