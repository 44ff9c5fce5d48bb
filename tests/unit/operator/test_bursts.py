"""Events wake apps: once a burst, and only for what says more than that a rollout goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from desired.app import AppKey
from nomad_operator.bursts import Bursts
from observers.nomad.stream_items import Event
from reconcilers.memory_store import MemoryStore
from reconcilers.record import Applied, Attempt, Record
from reconcilers.records import Records

KEY = AppKey("default", "web")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
OURS = 7


class Woken:
    """Bursts of one app; `end` lets the time of a burst pass."""

    def __init__(self) -> None:
        self.keys: list[AppKey] = []
        self.records = Records(store=MemoryStore(), origin="o")
        self.due: list[Callable[[], None]] = []
        self.bursts = Bursts(records=self.records, wake=self.keys.append, later=lambda _, call: self.due.append(call))

    async def rolls_out(self, *, verified: bool = False, checked: bool = False) -> None:
        attempt = Attempt("spec", "source", 0, NOW, NOW, job_modify_index=OURS, checked=checked)
        await self.records.save(
            Record(
                key=KEY,
                origin="o",
                applied=Applied("spec", OURS, "source", "r", NOW),
                attempt=None if verified else attempt,
            )
        )

    def end(self) -> None:
        due, self.due = self.due, []
        for call in due:
            call()


def event(topic: str, **thing: Any) -> Event:
    return Event(topic=topic, type="", index=1, key=KEY, payload={topic: thing})


PLACED = event("Allocation", DesiredStatus="run", ClientStatus="pending")
STARTED = event("Allocation", DesiredStatus="run", ClientStatus="running", DeploymentID="d")
HEALTHY = event("Allocation", DesiredStatus="run", ClientStatus="running", DeploymentStatus={"Healthy": True})
REGISTERED = event("Job", JobModifyIndex=OURS, Status="pending", Stop=False)


async def test_a_burst_wakes_once_and_the_next_one_again() -> None:
    woken = Woken()
    await woken.rolls_out()
    for _ in range(3):
        woken.bursts.heard(KEY, HEALTHY)
    assert not woken.keys
    woken.end()
    assert woken.keys == [KEY]
    woken.bursts.heard(KEY, HEALTHY)
    woken.end()
    assert woken.keys == [KEY, KEY]


async def test_a_rollout_that_only_goes_on_wakes_nobody() -> None:
    woken = Woken()
    await woken.rolls_out()
    woken.bursts.heard(KEY, PLACED)
    woken.bursts.heard(KEY, REGISTERED)
    woken.end()
    assert not woken.keys


@pytest.mark.parametrize("checked", [False, True])
async def test_a_start_wakes_only_where_nomad_checks_what_has_started(checked: bool) -> None:
    woken = Woken()
    await woken.rolls_out(checked=checked)
    woken.bursts.heard(KEY, STARTED)
    woken.end()
    assert woken.keys == [KEY] * checked


async def test_one_event_of_a_burst_that_matters_is_enough() -> None:
    woken = Woken()
    await woken.rolls_out()
    for one in (PLACED, HEALTHY, PLACED):
        woken.bursts.heard(KEY, one)
    woken.end()
    assert woken.keys == [KEY]


async def test_our_own_register_that_is_answered_during_the_burst_wakes_nobody() -> None:
    woken = Woken()
    woken.bursts.heard(KEY, REGISTERED)
    await woken.rolls_out()
    woken.end()
    assert not woken.keys


async def test_without_a_rollout_every_event_wakes() -> None:
    for verified in (True, False):
        woken = Woken()
        if verified:
            await woken.rolls_out(verified=True)
        woken.bursts.heard(KEY, PLACED)
        woken.end()
        assert woken.keys == [KEY]
