"""Which of what a pass has read speaks of the spec that failed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from desired.app import AppKey
from desired.cause import Cause
from desired.policy import Policy
from desired.reasons import Reason
from desired.state import DesiredApp, HclSource, Kind
from observers.nomad.chronicle import Chronicle
from observers.nomad.collect import Collector, Reads
from observers.nomad.stream_items import Event
from observers.redaction import Placeholders
from observers.running import (
    Allocation,
    Check,
    Deployment,
    PlacementFailure,
    Plan,
    Running,
    RunningJob,
    TaskEvent,
    TaskState,
)
from reconcilers.record import Applied, FailedSpec, LastGood, Record
from reconcilers.repair.at_hand import at_hand
from reconcilers.repair.gatherer import Gatherer
from reconcilers.situation import Aim, Rules, Situation, Target, Wanted
from reconcilers.spec import Spec

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = AppKey("default", "web")


def spec(memory: int, **env: str) -> Spec:
    task = {"Name": "app", "Driver": "docker", "Resources": {"MemoryMB": memory}, "Env": env or None}
    return Spec.of({"ID": "web", "TaskGroups": [{"Name": "app", "Tasks": [task]}]}, text="", format="hcl2")


GOOD, BAD = spec(64, DB_PASSWORD="old-one-7"), spec(32, DB_PASSWORD="new-one-7")


def failed(reason: Reason, message: str = "its words") -> FailedSpec:
    return FailedSpec(BAD.hash, reason, message, Cause.UNKNOWN, NOW)


def allocation(version: int, *events: TaskEvent) -> Allocation:
    tasks = {"app": TaskState("running", events=events)}
    return Allocation(f"a{version}", "app", version, "running", created_at=NOW - timedelta(minutes=1), tasks=tasks)


def situation(
    *, failure: FailedSpec | None = None, in_force: Spec = BAD, index: int = 10, plan: Plan | None = None,
    good: Spec | None = None, told: tuple[TaskEvent, ...] = (),
) -> Situation:  # fmt: skip
    """Version 3 of the job is registered at JobModifyIndex 10; `index` is what we remember of our own register."""
    job = RunningJob(KEY, "service", "running", 3, 10, 12, 1)
    running = Running(
        KEY, job, tuple(allocation(version, *told) for version in (3, 2, 1)), Deployment("d", 3, "running"),
        {"app": PlacementFailure(nodes_evaluated=1)}, (Check("a3", "alive", "failure", "refused"),),
    )  # fmt: skip
    record = Record(
        KEY,
        "origin",
        applied=Applied(in_force.hash, index, "s", "r", NOW),
        last_good=LastGood(good, 1, NOW) if good else None,
    )
    app = DesiredApp(KEY, Kind.JOB_FILE, "web.nomad.hcl", HclSource(""), "s", Policy())
    return Situation(
        KEY,
        Wanted(app, BAD, BAD),
        running,
        record,
        Rules(),
        NOW,
        target=Target(Aim.DESIRED, BAD, "s", failure),
        plan=plan,
    )


UNPLACED = Plan(10, "Edited", failed={"app": PlacementFailure(nodes_evaluated=7)}, warnings="mind the gap")


@pytest.mark.parametrize(
    ("s", "versions", "evaluated", "checks", "refusal"),
    [
        pytest.param(situation(), [3], 1, True, "", id="in force"),
        pytest.param(situation(failure=failed(Reason.UNHEALTHY)), [3], 1, True, "", id="failed, and still in force"),
        pytest.param(
            situation(failure=failed(Reason.UNHEALTHY), index=8), [2], 1, True, "", id="Nomad has reverted it since"
        ),
        pytest.param(
            situation(failure=failed(Reason.UNHEALTHY), in_force=GOOD), [], 1, True, "", id="taken back by us"
        ),
        pytest.param(
            situation(failure=failed(Reason.VALIDATION_FAILED)), [], None, False, "its words", id="refused"
        ),
        pytest.param(situation(plan=UNPLACED, in_force=GOOD), [], 7, False, "", id="planned, and finds no room"),
        pytest.param(situation(plan=UNPLACED), [3], 1, True, "", id="in force, and more of it finds no room"),
    ],
)  # fmt: skip
def test_what_speaks_of_the_target(
    s: Situation, versions: list[int], evaluated: int | None, checks: bool, refusal: str
) -> None:
    found = at_hand(s)
    assert [one.job_version for one in found.allocations] == versions
    assert (found.placement["app"].nodes_evaluated if found.placement else None) == evaluated
    assert ((found.checks is not None), found.refusal, found.body) == (checks, refusal, BAD.body)
    assert found.since <= NOW


def test_the_deployment_of_the_version_before_says_nothing_of_this_one() -> None:
    s = situation()
    assert at_hand(s).deployment == s.running.deployment
    before = replace(s.running, deployment=Deployment("d", 2, "failed"))
    assert at_hand(replace(s, running=before)).deployment is None


def test_what_changed_since_it_was_good_is_part_of_the_evidence() -> None:
    assert at_hand(situation()).changes == ()
    assert at_hand(situation(good=BAD)).changes == ()
    paths = sorted((one.path, one.old) for one in at_hand(situation(good=GOOD)).changes)
    assert paths == [("app/app/Env[DB_PASSWORD]", "old-one-7"), ("app/app/Resources/MemoryMB", "64")]


def gatherer(chronicle: Chronicle) -> Gatherer:
    return Gatherer(collector=Collector(reads=cast(Reads, NoReads())), chronicle=chronicle, placeholders=Placeholders())


class NoReads:
    """Nothing may be asked for: what is told comes from what the pass has read and what was heard."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(name)


def test_of_a_change_neither_the_old_secret_nor_the_new_one_is_told() -> None:
    s = situation(good=GOOD, failure=failed(Reason.VALIDATION_FAILED, "old-one-7 and new-one-7 are no good"))
    told = str(asyncio.run(gatherer(Chronicle()).at_hand(s)))
    assert told != "()" and "old-one-7" not in told and "new-one-7" not in told


def test_a_failure_is_named_by_an_event_that_nomad_has_dropped_by_the_time_of_the_pass() -> None:
    """Fed by the stream, where it was heard."""
    killed = {
        "Type": "Terminated", "Time": round((NOW - timedelta(seconds=30)).timestamp() * 1e9),
        "DisplayMessage": 'Exit Code: 137, Exit Message: "OOM Killed"',
        "Details": {"exit_code": "137", "oom_killed": "true"},
    }  # fmt: skip
    heard = {"Allocation": {"ID": "a3", "TaskGroup": "app", "TaskStates": {"app": {"Events": [killed]}}}}
    since = tuple(
        TaskEvent("Restarting", NOW - timedelta(seconds=number), "Task restarting in 1s") for number in range(10, 0, -1)
    )
    chronicle = Chronicle()
    assert "oom_killed" not in [
        one.failure.value for one in asyncio.run(gatherer(chronicle).at_hand(situation(told=since)))
    ]
    chronicle.heard(Event("Allocation", "AllocationUpdated", 1, KEY, payload=heard))
    assert "oom_killed" in [
        one.failure.value for one in asyncio.run(gatherer(chronicle).at_hand(situation(told=since)))
    ]
