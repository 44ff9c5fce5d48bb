"""What is wrong has its name while an app is still verified: from logs that are read once a crash, never from what was
said of an older version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from desired.app import AppKey
from observers.evidence import Evidence, LogTail
from observers.nomad.crash_logs import CrashLogs
from observers.running import Allocation, Check, TaskEvent, TaskState
from reconcilers.repair.at_hand import since_registered

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = AppKey("default", "web")


class Logs:
    """Counts what is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def crashes(self, evidence: Evidence, wanted: Sequence[tuple[str, str]]) -> tuple[LogTail, ...]:
        self.asked += wanted
        return tuple(LogTail(allocation, task, "stderr", "DATABASE_URL is not set") for allocation, task in wanted)


def event(kind: str, seconds: float, **details: str) -> TaskEvent:
    return TaskEvent(kind, NOW + timedelta(seconds=seconds), kind, details)


def crash(seconds: float, **details: str) -> tuple[TaskEvent, ...]:
    return event("Started", seconds - 1), event("Terminated", seconds, **({"exit_code": "1"} | details))


def allocation(*events: TaskEvent, name: str = "a", created: float = 0, state: str = "running") -> Allocation:
    tasks = {"app": TaskState(state, events=events)}
    return Allocation(name, "app", 1, "running", created_at=NOW + timedelta(seconds=created), tasks=tasks)


def evidence(*allocations: Allocation, at: float = 60, checks: tuple[Check, ...] = ()) -> Evidence:
    moment = NOW + timedelta(seconds=at)
    return Evidence("e", KEY, moment, {}, NOW, allocations=allocations, checks=checks)


async def test_a_log_is_read_once_for_each_crash() -> None:
    reads = Logs()
    logs = CrashLogs(reads=reads)
    once = evidence(allocation(*crash(2)))
    assert [one.text for one in await logs.of(once)] == ["DATABASE_URL is not set"]
    assert [one.text for one in await logs.of(once)] == ["DATABASE_URL is not set"]
    assert reads.asked == [("a", "app")]
    await logs.of(evidence(allocation(*crash(2), *crash(5))))
    assert reads.asked == [("a", "app")] * 2


@pytest.mark.parametrize(
    "events",
    [
        pytest.param((event("Started", 1),), id="it runs"),
        pytest.param(crash(2, oom_killed="true", exit_code="137"), id="Nomad has said why"),
        pytest.param((event("Started", 1), event("Killing", 2), event("Terminated", 3)), id="somebody ended it"),
        pytest.param((event("Driver Failure", 2, driver_error="no"), event("Not Restarting", 3)), id="it never ran"),
    ],
)
async def test_no_log_is_read_where_it_says_nothing(events: tuple[TaskEvent, ...]) -> None:
    reads = Logs()
    assert await CrashLogs(reads=reads).of(evidence(allocation(*events))) == ()
    assert reads.asked == []


async def test_while_a_check_fails_the_log_is_read_every_ten_seconds_at_most() -> None:
    reads = Logs()
    logs = CrashLogs(reads=reads)
    failing = (Check("a", "alive", "failure", "refused"),)
    for at in range(0, 60, 3):
        await logs.of(evidence(allocation(event("Started", 1)), at=at, checks=failing))
    assert len(reads.asked) == 6


async def test_no_more_than_four_tasks_are_asked_at_a_time() -> None:
    reads = Logs()
    await CrashLogs(reads=reads).of(evidence(*(allocation(*crash(2), name=f"a{one}") for one in range(20))))
    assert len(reads.asked) == 4


async def test_what_was_read_longest_ago_is_forgotten() -> None:
    reads = Logs()
    logs = CrashLogs(reads=reads)
    for one in range(201):
        await logs.of(evidence(allocation(*crash(2), name=f"a{one}")))
    await logs.of(evidence(allocation(*crash(2), name="a200")))
    assert len(reads.asked) == 201
    await logs.of(evidence(allocation(*crash(2), name="a0")))
    assert len(reads.asked) == 202


def test_what_an_older_version_did_in_the_same_allocation_is_not_told_of_the_newer_one() -> None:
    updated = allocation(*crash(2), *crash(5), event("Started", 8), event("Alloc Unhealthy", 9))
    body = {"SubmitTime": round((NOW + timedelta(seconds=10)).timestamp() * 1e9)}
    (seen,) = since_registered([updated], body)
    assert {one.type for one in seen.tasks["app"].events} == {"Started"}
    later = replace(updated, created_at=NOW + timedelta(seconds=11))
    assert since_registered([later], body) == (later,)
    assert since_registered([updated], {}) == (updated,)
