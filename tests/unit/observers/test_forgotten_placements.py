"""Why something found no room is known after its deployment has failed, although Nomad tells of it no more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desired.app import AppKey
from observers.nomad.chronicle import Chronicle
from observers.running import Deployment, PlacementFailure, Running, RunningJob

KEY = AppKey("default", "web")
JOB = RunningJob(KEY, "service", "running", 3, 9, 9, 1)
WHY = {"web": PlacementFailure(2, 2, constraint_filtered={"distinct_hosts": 2})}
UNDER_WAY = Running(KEY, JOB, deployment=Deployment("d", 3, "running"))
WAITS = replace(UNDER_WAY, placement=WHY)
FAILED = Running(KEY, JOB, deployment=Deployment("d", 3, "failed", "Failed due to progress deadline"))


def after(*seen: Running) -> Chronicle:
    chronicle = Chronicle()
    for one in seen:
        chronicle.read(one)
    return chronicle


def test_it_is_known_once_its_deployment_has_failed() -> None:
    assert after(WAITS, FAILED, FAILED).unplaced(FAILED) == WHY


def test_what_nomad_says_now_counts() -> None:
    now = {"web": PlacementFailure(1, 0, 1, dimension_exhausted={"memory": 1})}
    assert after(WAITS).unplaced(replace(FAILED, placement=now)) == now


@pytest.mark.parametrize(
    ("seen", "now"),
    [
        pytest.param((WAITS, UNDER_WAY, FAILED), FAILED, id="it found room, and failed for something else"),
        pytest.param((WAITS,), UNDER_WAY, id="under way"),
        pytest.param((WAITS,), replace(FAILED, job=replace(JOB, job_modify_index=12)), id="another spec"),
        pytest.param((WAITS,), replace(FAILED, key=AppKey("default", "api")), id="another app"),
        pytest.param((WAITS,), replace(FAILED, job=None), id="the job is gone"),
        pytest.param((WAITS,), replace(FAILED, job=replace(JOB, version=4)), id="an older deployment failed"),
        pytest.param((), FAILED, id="nobody looked"),
    ],
)
def test_it_is_not_told_of_anything_else(seen: tuple[Running, ...], now: Running) -> None:
    assert not after(*seen).unplaced(now)


def test_there_is_an_end_to_it() -> None:
    chronicle = Chronicle(most_allocations=3)
    for number in range(10):
        key = AppKey("default", f"web{number}")
        chronicle.read(replace(WAITS, key=key))
    held = [n for n in range(10) if chronicle.unplaced(replace(FAILED, key=AppKey("default", f"web{n}")))]
    assert held == [7, 8, 9]
