"""Every kind of job has its own idea of healthy and of done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from desired.app import AppKey
from desired.reasons import Reason
from observers.running import (
    Allocation,
    Check,
    Deployment,
    DeploymentGroup,
    PlacementFailure,
    Running,
    RunningJob,
    TaskEvent,
    TaskState,
)
from reconcilers.health import Phase, explain, judge

KEY = AppKey("default", "web")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def job(type: str = "service", status: str = "running", count: int = 2, **more: object) -> RunningJob:
    known = RunningJob(
        key=KEY, type=type, status=status, version=3, job_modify_index=9, modify_index=9, create_index=1,
        counts={"web": count},
    )  # fmt: skip
    return replace(known, **more)  # type: ignore[arg-type]


def alloc(client: str, *, healthy: bool | None = None, version: int = 3, **more: object) -> Allocation:
    return replace(Allocation(f"a-{client}", "web", version, client, healthy=healthy), **more)  # type: ignore[arg-type]


def deployment(status: str, *, version: int = 3, promotion: bool = False, canaries: int = 0) -> Deployment:
    groups = {"web": DeploymentGroup(desired_total=2, desired_canaries=canaries)}
    return Deployment("d1234567890", version, status, f"Deployment {status}", promotion, groups)


RUNNING = alloc("running", healthy=True)
NO_ROOM = {"web": PlacementFailure(nodes_evaluated=1, nodes_exhausted=1, dimension_exhausted={"memory": 1})}

CASES = [
    ("all healthy", job(), (RUNNING, RUNNING), deployment("successful"), Phase.HEALTHY, Reason.HEALTHY),
    ("no deployment at all", job(), (RUNNING, RUNNING), None, Phase.HEALTHY, Reason.HEALTHY),
    ("deployment runs", job(), (RUNNING, alloc("pending")), deployment("running"), Phase.PROGRESSING,
     Reason.PROGRESSING),
    ("deployment failed", job(), (RUNNING, alloc("failed")), deployment("failed"), Phase.FAILED,
     Reason.DEPLOYMENT_FAILED),
    ("deployment failed, and all came up after its deadline", job(), (RUNNING, RUNNING), deployment("failed"),
     Phase.HEALTHY, Reason.HEALTHY),
    ("an older deployment failed", job(), (RUNNING, RUNNING), deployment("failed", version=2), Phase.HEALTHY,
     Reason.HEALTHY),
    ("successful, but dead a second later", job(status="dead"), (alloc("failed"), alloc("failed")),
     deployment("successful"), Phase.FAILED, Reason.ALLOCATIONS_FAILED),
    ("successful, but restarting", job(), (RUNNING, alloc("pending")), deployment("successful"), Phase.PROGRESSING,
     Reason.UNHEALTHY),
    ("allocations of an older version do not count", job(), (RUNNING, alloc("running", healthy=True, version=2)),
     deployment("successful"), Phase.PROGRESSING, Reason.UNHEALTHY),
    ("canaries wait", job(), (RUNNING, alloc("running", healthy=True, canary=True)),
     deployment("running", promotion=True, canaries=1), Phase.PROMOTION, Reason.AWAITING_PROMOTION),
    ("a canary crashed after it was healthy", job(), (RUNNING, alloc("failed", healthy=True, canary=True)),
     deployment("running", promotion=True, canaries=1), Phase.PROGRESSING, Reason.PROGRESSING),
    ("canaries not healthy yet", job(), (RUNNING, alloc("running", canary=True)),
     deployment("running", promotion=True, canaries=1), Phase.PROGRESSING, Reason.PROGRESSING),
    ("scaled to zero", job(count=0, status="dead"), (), None, Phase.HEALTHY, Reason.SCALED_TO_ZERO),
    ("system, one node", job("system", count=1), (RUNNING,), deployment("successful"), Phase.HEALTHY, Reason.HEALTHY),
    ("system, one of two down", job("system", count=1), (RUNNING, alloc("failed")), deployment("successful"),
     Phase.PROGRESSING, Reason.UNHEALTHY),
    ("system, what was replaced does not count", job("system", count=1),
     (RUNNING, alloc("failed", healthy=False, next_allocation="b")), None, Phase.HEALTHY, Reason.HEALTHY),
    ("system, no node is eligible", job("system", count=1), (), None, Phase.UNPLACED, Reason.AWAITING_PLACEMENT),
    ("batch under way", job("batch", count=1), (alloc("running"),), None, Phase.PROGRESSING, Reason.RUNNING),
    ("batch done", job("batch", "dead", 1), (alloc("complete"),), None, Phase.DONE, Reason.COMPLETED),
    ("batch failed", job("batch", "dead", 1), (alloc("failed"),), None, Phase.FAILED, Reason.RUN_FAILED),
    ("batch failed once, then done", job("batch", "dead", 1), (alloc("failed", next_allocation="b"), alloc("complete")),
     None, Phase.DONE, Reason.COMPLETED),
    ("sysbatch done on two nodes", job("sysbatch", "dead", 1), (alloc("complete"), alloc("complete")), None,
     Phase.DONE, Reason.COMPLETED),
    ("sysbatch failed on one", job("sysbatch", "dead", 1), (alloc("complete"), alloc("failed")), None, Phase.FAILED,
     Reason.RUN_FAILED),
    ("periodic", job("batch", periodic=True), (), None, Phase.HEALTHY, Reason.REGISTERED),
    ("parameterized", job("batch", parameterized=True), (), None, Phase.HEALTHY, Reason.REGISTERED),
    ("stopped", job(stop=True), (RUNNING, RUNNING), None, Phase.FAILED, Reason.UNHEALTHY),
]  # fmt: skip


@pytest.mark.parametrize(("what", "running_job", "allocations", "deployed", "phase", "reason"), CASES, ids=lambda x: "")
def test_judgement(
    what: str, running_job: RunningJob, allocations: tuple[Allocation, ...], deployed: Deployment | None,
    phase: Phase, reason: Reason,
) -> None:  # fmt: skip
    health = judge(Running(KEY, running_job, allocations, deployed, checks=()))
    assert (health.phase, health.reason) == (phase, reason), what


def test_a_group_that_nothing_can_hold_waits_for_room_and_says_what_is_missing() -> None:
    health = judge(Running(KEY, job(), (), deployment("running"), NO_ROOM))
    assert health.phase is Phase.UNPLACED
    assert "group web: memory exhausted on 1 nodes" in health.message


def test_a_canary_that_crashed_is_told_and_not_offered_for_promotion() -> None:
    crashed = alloc("failed", healthy=True, canary=True)
    health = judge(Running(KEY, job(), (RUNNING, crashed), deployment("running", promotion=True, canaries=1)))
    assert "1 canaries failed" in health.message and "promote" not in health.message
    assert health.healthy == 1


def test_an_absent_job_is_not_healthy() -> None:
    assert judge(Running(KEY, None)).phase is Phase.FAILED


def test_a_failing_native_check_is_not_healthy_although_nomad_shows_nothing() -> None:
    checks = (Check("a", "alive", "failure", "nomad: Get: connection refused"),)
    health = judge(Running(KEY, job(), (RUNNING, RUNNING), deployment("successful"), checks=checks))
    assert health.phase is Phase.PROGRESSING
    assert "check 'alive' fails: nomad: Get: connection refused" in health.message


def test_the_message_names_the_newest_cause_not_what_followed_from_it() -> None:
    events = (
        TaskEvent("Started", AT, "Task started by client"),
        TaskEvent("Terminated", AT.replace(second=1), 'Exit Code: 1, Exit Message: "boom"'),
        TaskEvent("Not Restarting", AT.replace(second=2), "Error was unrecoverable"),
        TaskEvent("Alloc Unhealthy", AT.replace(second=3), "Unhealthy because of failed task"),
    )
    failed = alloc("failed", healthy=False, tasks={"app": TaskState("dead", True, events=events)})
    health = judge(Running(KEY, job(count=1), (failed,), deployment("failed")))
    assert health.message == 'Deployment failed; task app: Terminated: Exit Code: 1, Exit Message: "boom"'


def test_what_a_version_before_died_of_is_not_told_of_one_that_comes_up() -> None:
    died = (TaskEvent("Template", AT.replace(second=5), "Missing: vault.read(secret/data/a)"),)
    old = alloc("failed", version=2, tasks={"app": TaskState("dead", True, events=died)})
    new = alloc("pending", tasks={"app": TaskState("pending", False)})
    assert judge(Running(KEY, job(count=1), (new, old), None)).message == "0 of 1 allocations running"
    assert "Missing" in judge(Running(KEY, job(count=1), (old,), None)).message


def test_an_image_that_is_being_pulled_is_seen() -> None:
    events = (TaskEvent("Received", AT, ""), TaskEvent("Driver", AT, "Docker image pull progress: 3/5 layers"))
    pulling = alloc("pending", tasks={"app": TaskState("pending", events=events)})
    assert judge(Running(KEY, job(), (pulling,), deployment("running"))).pulling


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (PlacementFailure(), "no ready node in its datacenters and node pool"),
        (
            PlacementFailure(
                3, 3, 0, {"dc1": 3}, {"computed class ineligible": 2, "${attr.kernel.name} = windows": 1}
            ),
            "${attr.kernel.name} = windows filtered 1 nodes",
        ),
        (PlacementFailure(1, 1, 0, {"dc1": 1}, {"computed class ineligible": 1}),
         "computed class ineligible filtered 1 nodes"),
    ],
)  # fmt: skip
def test_a_placement_failure_in_words(failure: PlacementFailure, told: str) -> None:
    assert explain(failure) == told
