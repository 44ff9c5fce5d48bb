"""Which events of a rollout are worth a look, by what a real Nomad sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from observers.nomad.rollout_events import only_goes_on
from observers.nomad.stream_items import Event, events
from tests.recordings_reader import NOMAD, read_lines


def told(name: str) -> list[Event]:
    """From the first register of a recording on."""
    lines = read_lines(NOMAD / name / "events.ndjson")
    found = [event for line in lines for event in events(line["line"])]
    return [event for event in found if event.index >= registered(found)]


def registered(told: list[Event]) -> int:
    return min(event.index for event in told if event.type == "JobRegistered" and event.topic == "Job")


def worth(told: list[Event]) -> list[Event]:
    return [event for event in told if not only_goes_on(event, registered=registered(told), checked=False)]


def test_a_rollout_that_goes_well_is_looked_at_when_its_allocation_is_healthy_and_when_it_is_over() -> None:
    found = worth(told("minimal-job"))
    assert [event.topic for event in found] == ["Allocation", "Deployment"]
    allocation, deployment = found
    assert allocation.payload is not None and deployment.payload is not None
    assert allocation.payload["Allocation"]["DeploymentStatus"]["Healthy"] is True
    assert deployment.payload["Deployment"]["Status"] == "successful"


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("image-tag-missing", "Allocation"),  # a download fails
        ("command-not-found", "Allocation"),
        ("crash-loop", "Allocation"),
        ("variable-missing", "Allocation"),  # a template waits; nothing ever fails
        ("batch", "Allocation"),  # a run has no deployment that would tell its end
        ("memory-exhausted", "Evaluation"),  # no room
        ("datacenter-wrong", "Evaluation"),
        ("progress-deadline", "Deployment"),
        ("stop-during-deployment", "Job"),  # by hand
        ("auto-revert", "Job"),  # Nomad goes back by itself
    ],
)
def test_whatever_goes_another_way_wakes(name: str, topic: str) -> None:
    assert topic in {event.topic for event in worth(told(name))}


def test_a_deployment_with_canaries_wakes_while_it_runs() -> None:
    """It may wait for a person, and nothing but the deployment says so."""
    found = [
        event.payload["Deployment"] for event in worth(told("canary")) if event.topic == "Deployment" and event.payload
    ]
    canaries = [
        group["DesiredCanaries"] for one in found if one["Status"] == "running" for group in one["TaskGroups"].values()
    ]
    assert any(canaries)


@pytest.mark.parametrize("name", ["minimal-job", "system"])
def test_a_register_that_is_not_ours_wakes(name: str) -> None:
    """Also one that nobody knows of yet, because ours has not been answered."""
    found = told(name)
    job = next(event for event in found if event.topic == "Job")
    assert only_goes_on(job, registered=registered(found), checked=False)
    assert not only_goes_on(job, registered=registered(found) - 1, checked=False)
    assert not only_goes_on(job, registered=0, checked=False)


def test_what_is_not_understood_wakes() -> None:
    for event in told("minimal-job"):
        assert not only_goes_on(replace(event, payload=None), registered=registered(told("minimal-job")), checked=False)
        assert not only_goes_on(
            replace(event, topic="Service"), registered=registered(told("minimal-job")), checked=False
        )


def one(topic: str, **thing: object) -> Event:
    return Event(topic=topic, type="", index=1, key=None, payload={topic: thing})


def starting(**more: object) -> Event:
    """An allocation of a deployment that has started, and is not judged yet."""
    state = {"State": "running", "Failed": False, "Restarts": 0, "Events": [{"Type": "Started"}]} | more
    return one(
        "Allocation", DesiredStatus="run", ClientStatus="running", DeploymentID="d", TaskStates={"web": state}
    )  # fmt: skip


@pytest.mark.parametrize(
    "event",
    [
        starting(),
        one("Evaluation", Status="complete", FailedTGAllocs=None),
        one("Deployment", Status="running", TaskGroups={"web": {"DesiredCanaries": 0}}),
        one("Job", JobModifyIndex=5, Status="running", Stop=False),
    ],
)
def test_each_kind_of_event_can_go_on(event: Event) -> None:
    assert only_goes_on(event, registered=5, checked=False)


@pytest.mark.parametrize(
    "event",
    [
        starting(Failed=True),
        starting(Restarts=1),
        starting(State="dead"),
        starting(Events=[{"Type": "Template"}]),
        one("Allocation", DesiredStatus="run", ClientStatus="running"),  # no deployment will judge it
        one("Allocation", DesiredStatus="stop", ClientStatus="pending"),
        one("Allocation", DesiredStatus="run", ClientStatus="lost"),
        one("Evaluation", Status="complete", FailedTGAllocs={"web": {}}),
        one("Evaluation", Status="blocked"),
        one("Deployment", Status="running", TaskGroups={"web": {"DesiredCanaries": 1}}),
        one("Deployment", Status="paused"),
        one("Job", JobModifyIndex=5, Status="running", Stop=True),
        one("Job", JobModifyIndex=5, Status="dead", Stop=False),
        one("Job", JobModifyIndex=6, Status="running", Stop=False),
    ],
)
def test_one_thing_that_is_out_of_the_ordinary_is_enough(event: Event) -> None:
    assert not only_goes_on(event, registered=5, checked=False)


def test_without_a_register_of_ours_no_job_is_our_own() -> None:
    assert not only_goes_on(one("Job", JobModifyIndex=0, Status="running"), registered=0, checked=False)


def test_the_start_of_what_nomad_checks_is_worth_a_look_and_what_comes_before_is_not() -> None:
    placed = one("Allocation", DesiredStatus="run", ClientStatus="pending", DeploymentID="d")
    assert only_goes_on(placed, registered=5, checked=True)
    assert not only_goes_on(starting(), registered=5, checked=True)
