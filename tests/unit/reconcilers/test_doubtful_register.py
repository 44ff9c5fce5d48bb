"""A kill in the middle of a register, and something else is wanted when we are back: whose is the job?"""

from __future__ import annotations

import pytest

from desired.policy import Policy
from desired.reasons import Reason
from reconcilers.decision import Step
from reconcilers.record_json import from_document, to_document
from reconcilers.situation import Rules
from tests.unit.reconcilers.world import World, spec_named

GOOD, BETTER = spec_named("good"), spec_named("better")


@pytest.mark.parametrize("crash", ["before", "after"])
def test_a_newer_spec_is_registered_over_what_an_interrupted_register_left(crash: str) -> None:
    world = World(wanted=GOOD)
    world.step(crash=crash)
    world.wanted = BETTER
    last = world.settle()
    assert (last.step, last.reason) == (Step.STEADY, Reason.HEALTHY)
    assert world.registers == ({"good": 1, "better": 1} if crash == "after" else {"better": 1})


@pytest.mark.parametrize("crash", ["before", "after"])
def test_an_app_withdrawn_after_an_interrupted_register_leaves_nothing_running(crash: str) -> None:
    world = World(wanted=GOOD)
    world.step(crash=crash)
    world.wanted = None
    for _ in range(6):
        world.step()
        world.now += Rules().prune_grace
    assert world.job is None or world.job.stop
    assert world.stops == (1 if crash == "after" else 0)


def test_somebody_elses_job_of_that_name_is_not_taken_for_what_was_about_to_be_registered() -> None:
    world = World(wanted=GOOD, policy=Policy())
    world.step(crash="before")
    world.put(spec_named("by hand"))
    world.wanted = BETTER
    assert world.settle().reason is Reason.ADOPTION_REQUIRED
    world.wanted = None
    assert world.settle().step is Step.WITHDRAWN
    assert world.stops == 0
    assert not world.registers


def test_the_spec_is_remembered_only_while_the_register_is_in_doubt() -> None:
    world = World(wanted=GOOD)
    world.step(crash="after")
    attempt = world.record.attempt
    assert attempt is not None and attempt.spec == GOOD
    assert from_document("app:default/web", to_document(world.record)) == world.record
    world.step()
    assert world.record.attempt is not None and world.record.attempt.spec is None
