"""Each case gets exactly the answer that the table owes it."""

from __future__ import annotations

import pytest

from desired.operations.apply import apply, done
from reconcilers.repair.proposal import Candidates, Proposal, Rung, Tried
from reconcilers.repair.rules.table import RULES, answer
from tests.unit.repair.rules.all_rule_cases import ALL
from tests.unit.repair.rules.rule_cases import CHOICE, NOTHING, RuleCase


@pytest.mark.parametrize("told", ALL, ids=lambda told: told.name)
def test_a_failure_gets_exactly_the_operations_that_mend_it(told: RuleCase) -> None:
    case = told.case()
    assert case.diagnosis.failure is told.failure, (case.diagnosis.failure, case.diagnosis.words)
    found = answer(case)
    if told.expected is NOTHING:
        assert found is None
        return
    assert found is not None
    assert found.source == told.rule
    assert found.reason
    if told.expected is CHOICE:
        assert isinstance(found, Candidates), found
        assert found.choices
        return
    assert isinstance(found, Proposal), found
    assert found.rung is Rung.RULE
    assert found.operations == told.expected


@pytest.mark.parametrize("told", [one for one in ALL if not isinstance(one.expected, str)], ids=lambda told: told.name)
def test_a_proposal_can_be_applied_has_grounds_for_each_value_and_is_made_once(told: RuleCase) -> None:
    tried: tuple[Tried, ...] = ()
    for _ in range(4):
        case = told.case(tried)
        found = answer(case)
        if not isinstance(found, Proposal):
            break
        after = apply(case.body, found.operations)
        assert after != case.body
        for one in found.operations:
            assert found.grounds[one.path]
            assert one.old != one.new
        last = {(one.kind, one.at): one for one in found.operations}
        assert all(done(after, one) for one in last.values())
        assert found.operations not in [before.operations for before in tried]
        tried += (Tried(found.operations, "it crashed again"),)
    else:
        pytest.fail("there is always another proposal")


def test_every_rule_answers_some_case() -> None:
    answered = {one.rule for one in ALL}
    assert {rule.name for rule in RULES} - answered == set()


def test_rules_have_names_of_their_own() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
