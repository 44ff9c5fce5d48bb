"""What a task waited for came after Nomad had judged it: that is told as what it was, and as over."""

from __future__ import annotations

from desired.cause import Cause
from observers.evidence import Evidence
from observers.failures.failure_class import FailureClass
from observers.failures.table import advice
from observers.running import TaskEvent
from tests.unit.observers.failures.failure_evidence import allocation, deployment, ended, event, evidence, first

MISSING = event("Template", "Missing: nomad.var.block(nomad/jobs/web@default.global)", after=3)
UNHEALTHY = event("Alloc Unhealthy", "Task not running by healthy_deadline of 40s", after=40)
STARTED = event("Started", after=90)


def failing(*events: TaskEvent, state: str = "running") -> Evidence:
    one = allocation(list(events), state=state, client_status=state, healthy=False)
    return evidence(one, deployment=deployment("failed", "Failed due to progress deadline"))


def test_it_is_named_and_nobody_has_to_act() -> None:
    found = first(failing(MISSING, UNHEALTHY, STARTED))
    assert (found.failure, found.cause, found.conclusive) == (FailureClass.VARIABLE_MISSING, Cause.TIME, False)
    assert advice(found).startswith("nomad/jobs/web was not there in time and is by now")


def test_what_came_in_time_is_no_reason() -> None:
    early = event("Started", after=20)
    found = first(failing(MISSING, early, UNHEALTHY))
    assert found.failure is not FailureClass.VARIABLE_MISSING


def test_what_is_still_missing_is_somebodys_to_write() -> None:
    found = first(failing(MISSING, UNHEALTHY, state="pending"))
    assert (found.failure, found.cause) == (FailureClass.VARIABLE_MISSING, Cause.EXTERNAL)


def test_a_crash_after_it_came_says_more() -> None:
    found = first(failing(MISSING, UNHEALTHY, STARTED, ended(1, after=91), event("Started", after=100)))
    assert found.failure is FailureClass.CRASH
