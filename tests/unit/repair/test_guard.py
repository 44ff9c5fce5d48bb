"""The guard: everything a rule proposes for its own cases passes, and nothing that breaks an invariant does."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.operations.apply import apply
from desired.operations.operation import Kind, Operation, Value
from desired.operations.table import LENGTHS, ROWS, Tier, Type
from observers.failures.failure_class import FailureClass
from observers.failures.table import TABLE
from reconcilers.repair.guard import Guard, GuardSettings
from reconcilers.repair.proposal import Case, Proposal, Rung, Tried
from reconcilers.repair.rules.table import answer
from tests.unit.repair.rules.all_rule_cases import ALL
from tests.unit.repair.rules.rule_cases import RuleCase

GUARD = Guard(settings=GuardSettings())
PROPOSED = [one for one in ALL if not isinstance(one.expected, str)]


@pytest.mark.parametrize("told", PROPOSED, ids=lambda told: told.name)
def test_what_a_rule_proposes_for_its_own_failure_breaks_nothing(told: RuleCase) -> None:
    case = told.case()
    found = answer(case)
    assert isinstance(found, Proposal)
    assert GUARD.judge(case, found).told == ""


@pytest.mark.parametrize("told", PROPOSED, ids=lambda told: told.name)
def test_exactly_what_was_tried_is_turned_down(told: RuleCase) -> None:
    case = told.case()
    found = answer(case)
    assert isinstance(found, Proposal)
    again = told.case((Tried(found.operations, "failed"),))
    assert "repeated" in {one.invariant for one in GUARD.judge(again, found).violations}


def oom() -> Case:
    """An ordinary failure: killed for want of memory."""
    return next(
        one for one in ALL if one.failure is FailureClass.OOM_KILLED and not isinstance(one.expected, str)
    ).case()


def proposed(*operations: Operation) -> Proposal:
    return Proposal(operations, Rung.MODEL, "somebody", "trust me", {one.path: "trust me" for one in operations})


APP = ("web", "app")
CHECK = ("web", "web", "alive")


@pytest.mark.parametrize(
    ("invariant", "operation"),
    [
        ("class", Operation(Kind.IMAGE, APP, "registry.example/team/app:1.0", "registry.example/team/app:2.0")),
        ("image", Operation(Kind.IMAGE, APP, "registry.example/team/app:1.0", "evil.example/team/app:1.0")),
        ("class", Operation(Kind.ENV, (*APP, "ADMIN"), None, "yes")),
        ("privilege", Operation(Kind.DRIVER_VALUE, (*APP, "privileged"), None, True)),
        ("privilege", Operation(Kind.DRIVER_VALUE, (*APP, "network_mode"), None, "host")),
        ("privilege", Operation(Kind.DRIVER_VALUE, (*APP, "volumes"), None, ("/:/host",))),
        ("privilege", Operation(Kind.DRIVER_VALUE, (*APP, "cap_add"), None, ("sys_admin",))),
        ("privilege", Operation(Kind.DRIVER, APP, "docker", "raw_exec")),
        ("bounds", Operation(Kind.MEMORY, APP, 256, 4)),
        ("untraceable", Operation(Kind.MEMORY, APP, 256, 64000)),
        ("precondition", Operation(Kind.MEMORY, APP, 255, 512)),
        ("precondition", Operation(Kind.MEMORY, ("web", "other"), 256, 512)),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.kind.value}-{value.new}",
)
def test_what_breaks_an_invariant_is_turned_down_by_its_name(invariant: str, operation: Operation) -> None:
    case = oom()
    memory = case.body["TaskGroups"][0]["Tasks"][0]["Resources"]["MemoryMB"]
    if operation.kind is Kind.MEMORY and operation.old == 256:
        operation = Operation(operation.kind, operation.at, memory, operation.new)
    if operation.kind is Kind.IMAGE:
        image = case.body["TaskGroups"][0]["Tasks"][0]["Config"]["image"]
        operation = Operation(operation.kind, operation.at, image, operation.new)
    verdict = GUARD.judge(case, proposed(operation))
    assert invariant in {one.invariant for one in verdict.violations}, verdict.told


def test_a_change_of_nothing_is_no_repair() -> None:
    assert GUARD.judge(oom(), proposed()).violations


def test_limits_of_the_manifest_and_of_the_cluster_hold() -> None:
    case = oom()
    old = case.body["TaskGroups"][0]["Tasks"][0]["Resources"]["MemoryMB"]
    more = proposed(Operation(Kind.MEMORY, APP, old, old * 2))
    assert GUARD.judge(case, more).violations == ()
    limited = Case(case.key, case.body, case.diagnosis, case.evidence, limits={"memory": old + 1})
    assert "manifest" in GUARD.judge(limited, more).told
    assert "cluster" in Guard(settings=GuardSettings(ceilings={"memory": old + 1})).judge(case, more).told


VALUES: dict[Type, st.SearchStrategy[Value]] = {
    Type.WHOLE: st.integers(-5, 10**13),
    Type.FLAG: st.booleans(),
    Type.TEXT: st.text(max_size=20),
    Type.TEXTS: st.lists(st.text(max_size=10), max_size=3).map(tuple),
    Type.ANY: st.one_of(st.text(max_size=20), st.booleans(), st.lists(st.text(max_size=10), max_size=3).map(tuple)),
}
PARTS = st.sampled_from(
    ["web", "app", "alive", "http", "privileged", "volumes", "local/app.env", "${attr.kernel.name}"]
)


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    kind = draw(st.sampled_from(list(Kind)))
    row = ROWS[kind]
    length = draw(st.sampled_from(LENGTHS[row.scope]))
    value = st.none() | VALUES[row.type]
    return Operation(kind, tuple(draw(PARTS) for _ in range(length)), draw(value), draw(value))


@given(told=st.sampled_from(ALL), found=st.lists(operations(), min_size=1, max_size=4))
def test_whatever_is_let_through_leaves_what_makes_the_job_what_it_is(told: RuleCase, found: list[Operation]) -> None:
    case = told.case()
    proposal = proposed(*found)
    verdict = GUARD.judge(case, proposal)
    if verdict.violations:
        return
    after = apply(case.body, proposal.operations)
    assert _kept(after) == _kept(case.body)
    allowed = TABLE[case.diagnosis.failure].may_help
    assert all(one.kind in allowed for one in found)
    if not verdict.approval:
        assert all(ROWS[one.kind].tier is Tier.AUTO for one in found)


def _kept(body: Any) -> str:
    groups = [
        (group.get("Name"), group.get("Count"), [(task.get("Name"), task.get("User")) for task in group["Tasks"]])
        for group in body["TaskGroups"]
    ]
    checks = [
        len(service.get("Checks") or ()) for group in body["TaskGroups"] for service in group.get("Services") or ()
    ]
    return json.dumps([body.get("ID"), body.get("Namespace"), body.get("Type"), groups, checks])


def test_what_needs_approval_does_not_once_its_kind_is_allowed() -> None:
    for told in PROPOSED:
        case = told.case()
        found = answer(case)
        assert isinstance(found, Proposal)
        careful = {one.kind for one in found.operations if ROWS[one.kind].tier is Tier.APPROVE}
        verdict = GUARD.judge(case, found)
        assert not careful or verdict.approval
        widened = Guard(settings=GuardSettings(widened=frozenset(careful))).judge(case, found)
        assert "changed only with a person's approval" not in widened.approval


def _on_another_port() -> Case:
    return next(one for one in ALL if one.name == "app-listens-where-another-label-leads").case()


def _believed(said_by: str, widened: frozenset[Kind] = frozenset()) -> str:
    case = _on_another_port()
    case = replace(case, diagnosis=replace(case.diagnosis, facts={**case.diagnosis.facts, "said_by": said_by}))
    found = answer(case)
    assert isinstance(found, Proposal)
    return Guard(settings=GuardSettings(widened=widened)).judge(case, found).approval


def test_people_are_led_to_another_port_on_the_word_of_the_job_or_the_image_and_not_on_that_of_a_log() -> None:
    assert "a line of the log" in _believed("log")
    assert not _believed("job")
    assert not _believed("image")
    assert not _believed("log", frozenset({Kind.SERVICE_PORT, Kind.CHECK_PORT}))


def test_a_check_is_not_led_away_from_its_service_on_the_word_of_a_log() -> None:
    """Else the check of what nobody can reach would be green."""
    case = _on_another_port()
    away = proposed(Operation(Kind.CHECK_PORT, CHECK, "http", "admin"))
    assert "a line of the log" in GUARD.judge(case, away).approval
