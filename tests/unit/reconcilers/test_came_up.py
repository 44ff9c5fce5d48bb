"""What Nomad judged unhealthy once, and runs well by now: what proves it, and what does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from desired.app import AppKey
from observers.running import (
    Allocation,
    Check,
    Deployment,
    DeploymentGroup,
    Running,
    RunningJob,
    TaskState,
)
from reconcilers.came_up import came_up, least, steady_since
from reconcilers.health import Phase, judge

KEY = AppKey("default", "web")
AT = datetime(2026, 1, 1, tzinfo=UTC)
SERVICE = {"Provider": "nomad", "Checks": [{"Name": "alive"}, {"Name": "ready"}]}
PREPARES = {"Name": "init", "Lifecycle": {"Hook": "prestart"}}
HELPS = {"Name": "proxy", "Lifecycle": {"Hook": "prestart", "Sidecar": True}}
CLEANS = {"Name": "clean", "Lifecycle": {"Hook": "poststop"}}


def task(state: str = "running", **more: Any) -> TaskState:
    return replace(TaskState(state, started_at=AT), **more)


GREEN = (Check("a", "alive", "success"), Check("a", "ready", "success"))
TASKS = {"init": task("dead"), "proxy": task(), "app": task(), "clean": task("pending", started_at=None)}
UNHEALTHY = Allocation("a", "web", 0, "running", healthy=False, tasks=TASKS)
FAILED = Deployment("d1", 0, "failed", "Failed due to progress deadline", groups={"web": DeploymentGroup()})


def running(
    *allocations: Allocation, checks: tuple[Check, ...] | None = GREEN, service: Any = SERVICE, update: Any = None,
    deployment: Deployment = FAILED, count: int = 1, type: str = "service",
) -> Running:  # fmt: skip
    group = {
        "Name": "web", "Count": count, "Update": update or {"MinHealthyTime": 5 * 10**9}, "Services": [service],
        "Tasks": [PREPARES, HELPS, {"Name": "app"}, CLEANS],
    }  # fmt: skip
    body = {"ID": "web", "Type": type, "TaskGroups": [group]}
    job = RunningJob(KEY, type, "running", 0, 9, 9, 1, counts={"web": count}, body=body)
    return Running(KEY, job, allocations or (UNHEALTHY,), deployment, checks=checks)


def test_what_runs_with_every_check_green_has_come_up_after_all() -> None:
    world = running()
    assert came_up(world, UNHEALTHY)
    assert steady_since(world, UNHEALTHY) == AT
    assert least(world, UNHEALTHY) == timedelta(seconds=5)
    assert judge(world).phase is Phase.HEALTHY


def test_while_it_is_verified_what_its_deployment_has_given_up_on_has_failed() -> None:
    assert judge(running(), by_deployment=True).phase is Phase.FAILED


ONE_CHECK_TOO_FEW = GREEN[:1]
RED = (GREEN[0], Check("a", "ready", "failure"))
NOT_YET = (GREEN[0], Check("a", "ready", "pending"))
OF_ANOTHER = tuple(replace(one, allocation="b") for one in GREEN)


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(running(checks=None), id="checks that could not be read"),
        pytest.param(running(checks=()), id="checks that nobody has made yet"),
        pytest.param(running(checks=ONE_CHECK_TOO_FEW), id="a check without a result"),
        pytest.param(running(checks=RED), id="a check that fails"),
        pytest.param(running(checks=NOT_YET), id="a check that has not passed yet"),
        pytest.param(running(checks=OF_ANOTHER), id="checks of another allocation"),
        pytest.param(running(service={"Provider": "consul", "Checks": [{}]}, checks=()), id="checks that Consul makes"),
        pytest.param(running(update={"HealthCheck": "manual"}), id="health that a person tells"),
        pytest.param(running(replace(UNHEALTHY, canary=True)), id="a canary"),
        pytest.param(running(replace(UNHEALTHY, client_status="pending")), id="pending"),
        pytest.param(running(replace(UNHEALTHY, desired_status="stop")), id="not wanted any more"),
        pytest.param(running(replace(UNHEALTHY, job_version=7)), id="of another version"),
        pytest.param(running(replace(UNHEALTHY, tasks={})), id="tasks that were not read"),
        pytest.param(running(replace(UNHEALTHY, tasks={**TASKS, "app": task("pending")})), id="between two tries"),
        pytest.param(running(replace(UNHEALTHY, tasks={**TASKS, "proxy": task("dead")})), id="without its sidecar"),
        pytest.param(
            running(replace(UNHEALTHY, tasks={**TASKS, "init": task("dead", failed=True)})), id="with a failed start"
        ),
        pytest.param(running(replace(UNHEALTHY, tasks={**TASKS, "init": task()})), id="still being prepared"),
        pytest.param(running(count=2), id="one of two"),
        pytest.param(
            running(deployment=replace(FAILED, status_description="Failed - rolling back to job version 0")),
            id="Nomad goes back",
        ),
    ],
)
def test_anything_less_proves_nothing(world: Running) -> None:
    assert judge(world).phase is not Phase.HEALTHY


def test_every_group_needs_all_that_it_wants() -> None:
    """Two too many in one group do not make up for another that has none."""
    world = running(UNHEALTHY, UNHEALTHY, count=1)
    assert world.job is not None
    other = {"Name": "worker", "Count": 1, "Tasks": [{"Name": "app"}]}
    body = {**world.job.body, "TaskGroups": [*world.job.body["TaskGroups"], other]}
    job = replace(world.job, counts={"web": 1, "worker": 1}, body=body)
    assert judge(replace(world, job=job)).phase is Phase.FAILED
    there = Allocation("b", "worker", 0, "running", healthy=False, tasks={"app": task()})
    assert judge(replace(world, job=job, allocations=(*world.allocations, there))).phase is Phase.HEALTHY


def test_it_stays_healthy_when_nomad_has_forgotten_the_deployment() -> None:
    assert judge(replace(running(), deployment=None)).phase is Phase.HEALTHY


def test_on_every_node_of_a_system_job() -> None:
    other = replace(UNHEALTHY, id="b", client_status="failed")
    assert judge(running(UNHEALTHY, type="system")).phase is Phase.HEALTHY
    assert judge(running(UNHEALTHY, other, type="system")).phase is Phase.FAILED
