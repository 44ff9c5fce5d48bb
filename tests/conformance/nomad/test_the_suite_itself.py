"""The conformance suite finds nothing where there is nothing, and finds what is planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests import recordings_reader
from tests.conformance.nomad.deviations import Entry, Table
from tests.conformance.nomad.echo import Echo
from tests.conformance.nomad.replay import label, replay
from tests.recordings_reader import Exchange

SCENARIOS = recordings_reader.names()


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_recording_is_the_same_as_itself(scenario: str) -> None:
    recording = recordings_reader.read(scenario)
    outcome = await replay(recording, Echo(recording), Table())
    assert outcome.problems == []
    assert outcome.compared == len(recording.exchanges)


def planted(number: int, **changes: Any) -> Callable[[Exchange], Exchange]:
    return lambda exchange: replace(exchange, **changes) if exchange.number == number else exchange


@pytest.mark.parametrize(
    ("number", "changes", "found"),
    [
        (2, {"status": 400}, "status: recorded 200, came 400"),
        (2, {"body": {"Error": ""}}, "body.Warnings: missing"),
        (29, {"body": {}}, "body.EvalID: missing"),
        (31, {"headers": {}}, "header x-nomad-index: missing"),
        (22, {"body": []}, "body: 1 recorded, 0 came"),
    ],
)
async def test_a_planted_difference_is_found(number: int, changes: dict[str, Any], found: str) -> None:
    recording = recordings_reader.read("healthy-service")
    outcome = await replay(recording, Echo(recording, changed=planted(number, **changes)), Table())
    assert any(found in problem for problem in outcome.problems), outcome.problems


async def test_a_story_that_goes_otherwise_is_found() -> None:
    recording = recordings_reader.read("healthy-service")
    other = recordings_reader.read("crash-loop")
    swapped = replace(recording, events=other.events)
    outcome = await replay(recording, Echo(swapped), Table())
    assert any("story of" in problem for problem in outcome.problems)


async def test_an_entry_explains_a_difference_and_is_out_of_date_without_one() -> None:
    recording = recordings_reader.read("healthy-service")
    entry = Entry(pattern="* status: recorded 200, came 400*", reason="planted", target="echo")
    with_it = Table(deviations=[entry])
    outcome = await replay(recording, Echo(recording, changed=planted(2, status=400)), with_it)
    assert (outcome.problems, outcome.explained) == ([], 1)
    assert with_it.outdated("echo", ["healthy-service"]) == []
    without = Table(deviations=[entry])
    await replay(recording, Echo(recording), without)
    assert without.outdated("echo", ["healthy-service"])


def test_an_exchange_is_named_without_its_ids() -> None:
    names = {label(exchange, "dispatch") for exchange in recordings_reader.read("dispatch").exchanges}
    assert "POST /v1/job/{job}/dispatch" in names
    assert not any("dispatch-1" in name for name in names)
