"""Rules keep silent where they are not meant: other classes, other causes, recordings, jobs with parts missing."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.cause import Cause
from desired.operations.apply import apply
from observers.evidence import Evidence
from observers.failures.diagnose import diagnose
from reconcilers.repair.proposal import Answer, Candidates, Case, Proposal
from reconcilers.repair.rules.rule import Rule
from reconcilers.repair.rules.table import RULES, answer
from tests.recorded_evidence import moments
from tests.recordings_reader import MORE, NOMAD, names
from tests.unit.observers.failures.failure_evidence import cluster, placed, room
from tests.unit.repair.rules.all_rule_cases import ALL
from tests.unit.repair.rules.rule_cases import RuleCase, changed

RECORDED = [(folder, name) for folder in (NOMAD, MORE) for name in names(folder)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_says_nothing_of_a_failure_of_another_class(rule: Rule) -> None:
    for told in ALL:
        if told.failure not in rule.classes:
            assert rule.ask(told.case()) is None, told.name
    for case in _recorded_cases():
        if case.diagnosis.failure not in rule.classes:
            assert rule.ask(case) is None, case.diagnosis


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause is not Cause.SPEC])
def test_a_failure_that_the_spec_did_not_cause_is_left_alone(cause: Cause) -> None:
    for told in ALL:
        case = told.case()
        assert answer(replace(case, diagnosis=replace(case.diagnosis, cause=cause))) is None, told.name


@pytest.mark.parametrize("kind", ["cpu", "memory"])
def test_nodes_that_are_merely_full_are_not_answered_with_less_even_if_the_diagnosis_blames_the_spec(kind: str) -> None:
    full = room(cpu=100, cpu_total=4000, memory=2500, memory_total=8000, drivers={"docker": True})
    body = changed("task.Resources", {"CPU": 3000, "MemoryMB": 6000})
    evidence = placed(kind, exhausted=True, body=body, cluster=cluster(full))
    diagnosis = replace(diagnose(evidence, evidence.at)[0], cause=Cause.SPEC)
    assert answer(Case(evidence.key, evidence.body, diagnosis, evidence)) is None


def test_a_task_that_was_given_up_for_nobody_knows_what_is_not_tried_for_ever() -> None:
    told = next(one for one in ALL if one.name == "given-up-before-the-database-was-there")
    case = told.case()
    facts = {**case.diagnosis.facts, "behind": "crash"}
    assert isinstance(answer(case), Proposal)
    assert answer(replace(case, diagnosis=replace(case.diagnosis, facts=facts))) is None


# What the rules make of the recordings; every other scenario gets no proposal at any moment of it.
PROPOSED = {
    "bridge-without-cni": {"no-bridge"},
    "check-failing": {"check-port"},
    "config-wrong-type": {"driver-value"},
    "oom": {"memory-growth"},
    "port-collision": {"static-port"},
    "port-in-use": {"static-port"},
    "port-label-undefined": {"port-label", "driver-port-label"},
    "secret-without-vault": {"vault-block"},
}


@pytest.mark.parametrize(("folder", "name"), RECORDED, ids=lambda part: getattr(part, "name", part))
def test_a_recorded_scenario_gets_the_proposals_that_it_is_owed_and_no_other(folder: Any, name: str) -> None:
    found = set()
    for case in _cases(folder, name):
        told = answer(case)
        if isinstance(told, Proposal):
            apply(case.body, told.operations)
            found.add(told.source)
        _sound(case, told)
    assert found == PROPOSED.get(name, set())


def _recorded_cases() -> Iterator[Case]:
    for folder, name in RECORDED:
        yield from _cases(folder, name, last=True)


def _cases(folder: Any, name: str, *, last: bool = False) -> Iterator[Case]:
    seen = moments(name, folder)
    for now, evidence in seen[-1:] if last else seen:
        for diagnosis in diagnose(evidence, now)[:1]:
            yield Case(evidence.key, evidence.body, diagnosis, evidence)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every key and index below a part of a job."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in pairs:
        yield (*path, step)
        yield from _paths(inner, (*path, step))


def _without(body: Any, path: tuple[Any, ...]) -> Any:
    made = copy.deepcopy(body)
    place = made
    for step in path[:-1]:
        place = place[step]
    if isinstance(place, list):
        place[path[-1]] = {}
    else:
        del place[path[-1]]
    return made


@given(st.sampled_from([one for one in ALL if one.evidence.body]), st.data())
def test_a_job_with_a_part_missing_gets_a_sound_answer_or_none(told: RuleCase, data: st.DataObject) -> None:
    """The diagnosis is that of the whole job: a rule must not trust that what it names is still there."""
    diagnosis = told.case().diagnosis
    body: Any = told.evidence.body
    for _ in range(data.draw(st.integers(1, 3))):
        paths = list(_paths(body))
        if not paths:
            break
        body = _without(body, data.draw(st.sampled_from(paths)))
    evidence: Evidence = replace(told.evidence, body=body)
    case = Case(evidence.key, body, diagnosis, evidence, (), told.limits)
    _sound(case, answer(case))


@given(st.sampled_from(ALL), st.sampled_from(ALL))
def test_a_diagnosis_that_fits_another_job_gets_a_sound_answer_or_none(one: RuleCase, other: RuleCase) -> None:
    case = Case(one.evidence.key, one.evidence.body, other.case().diagnosis, one.evidence, (), one.limits)
    _sound(case, answer(case))


def _sound(case: Case, found: Answer) -> None:
    if isinstance(found, Candidates):
        assert found.reason and found.choices and all(found.choices)
    if isinstance(found, Proposal):
        assert apply(case.body, found.operations) != case.body
        assert all(found.grounds.get(one.path) for one in found.operations)
