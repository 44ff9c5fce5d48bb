"""The guard and the rules of the cluster's owners: what was kept stays kept, and unreadable rules allow no repair."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from desired.admission.examiner import judged
from desired.admission.file import read_rules
from desired.admission.rule_set import RuleSet
from desired.app import AppKey
from desired.objection import Objection
from desired.problem import Problem
from desired.state import JobBody
from observers.failures.failure_class import FailureClass
from reconcilers.repair.guard import Guard, GuardSettings
from reconcilers.repair.proposal import Case, Proposal
from reconcilers.repair.rules.table import answer
from tests.unit.repair.rules.all_rule_cases import ALL

HEAD = "apiVersion: nomad-operator/v1\nkind: Policy\nspec:\n"


def oom() -> tuple[Case, Proposal, int, int]:
    """Killed for want of memory; more is proposed."""
    case = next(
        one for one in ALL if one.failure is FailureClass.OOM_KILLED and not isinstance(one.expected, str)
    ).case()
    found = answer(case)
    assert isinstance(found, Proposal)
    (operation,) = found.operations
    assert isinstance(operation.old, int) and isinstance(operation.new, int)
    return case, found, operation.old, operation.new


def guard(*rules: RuleSet) -> Guard:
    def asked(key: AppKey, body: JobBody) -> Sequence[Objection]:
        return judged(key, body, rules)

    return Guard(settings=GuardSettings(), judged=asked)


def limit(memory: int, more: str = "") -> RuleSet:
    return RuleSet("rules.yaml", read_rules(f"{HEAD}  resources: {{memory: {memory}}}\n{more}", "rules.yaml"))


@pytest.mark.parametrize("more", ["", "  exempt: {other/app: [resources.*]}\n"])
def test_a_rule_that_was_kept_is_not_broken(more: str) -> None:
    case, found, old, new = oom()
    assert guard(limit(new, more)).judge(case, found).violations == ()
    for memory in (old, new - 1):
        (violation,) = guard(limit(memory, more)).judge(case, found).violations
        assert violation.invariant == "policy"
        assert f"above the limit of {memory}, says rules.yaml [resources.memory]" in violation.words


def test_a_rule_that_was_broken_before_is_not_the_repairs_fault() -> None:
    case, found, old, _ = oom()
    assert guard(limit(old - 1)).judge(case, found).violations == ()


@pytest.mark.parametrize("more", ["  warn: [resources.memory]\n", "  exempt: {'*': [resources.memory]}\n"])
def test_what_only_warns_or_does_not_hold_here_holds_no_repair_back(more: str) -> None:
    case, found, old, _ = oom()
    assert guard(limit(old, more)).judge(case, found).violations == ()


def test_rules_that_cannot_be_read_allow_no_repair() -> None:
    case, found, _, _ = oom()
    unread = RuleSet("rules.yaml", problems=(Problem("rules.yaml", message="is gone"),))
    (violation,) = guard(unread).judge(case, found).violations
    assert violation.invariant == "policy" and "is gone" in violation.words
