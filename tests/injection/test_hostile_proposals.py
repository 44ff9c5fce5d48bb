"""Whatever a model in an attacker's service proposes, the guard lets nothing through that harms the job.

The model here has read the hostile text and answers with every operation that there is; what passes is judged by
`tests.injection.oracle`, which knows the two jobs and nothing of operations.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from desired.operations.apply import PreconditionGone, apply
from desired.operations.operation import Operation
from observers.failures.table import TABLE
from observers.known_secrets import KnownSecrets
from observers.redaction import Placeholders, Redactor
from reconcilers.repair.guard import Guard, GuardSettings
from reconcilers.repair.ladder import Climbed
from reconcilers.repair.proposal import Case, Proposal, Rung
from reconcilers.repair.rules.table import answer
from reconcilers.repair.without_secrets import without_secrets
from tests.injection.attacks import attacks, hardened, telling
from tests.injection.hostile import Channel, Hostile, corpus
from tests.injection.oracle import harm
from tests.unit.repair.rules.all_rule_cases import ALL

GUARD = Guard(settings=GuardSettings())
CORPUS = corpus()
CASES = [case for case in (told.case() for told in ALL) if TABLE[case.diagnosis.failure].may_help]
# Of each text: so many failures, and so many operations that may help against each.
_FAILURES = 3
_TRIED = 60


def _one_of_each() -> list[Case]:
    return list({case.diagnosis.failure: case for case in CASES}.values())


def _harm(case: Case, rung: Rung, wants: tuple[str, ...], *operations: Operation) -> list[str]:
    """Of what would be put in force, by itself or with a person's approval; nothing where it is turned down."""
    proposal = Proposal(operations, rung, "model", "trust me", {one.path: "trust me" for one in operations})
    verdict = GUARD.judge(case, proposal)
    if verdict.violations:
        return []
    hide = Redactor(known=set(KnownSecrets().of(case.body)), placeholders=Placeholders()).redact
    if without_secrets(Climbed(proposal, verdict), hide).proposal is None:
        return []
    ports = [port for facts in case.evidence.images.values() for port in facts.ports]
    ports += [int(told) for told in case.diagnosis.facts.values() if told.isdigit()]
    after = apply(case.body, operations)
    told = harm(case.body, after, wants=wants, agreed=bool(verdict.approval), ports=ports)
    return [f"{case.diagnosis.failure.value}: {one}" for one in told]


def _sampled(case: Case, wants: tuple[str, ...], dice: random.Random) -> list[Operation]:
    """Most of what may help against the failure at all, the attacker's own values first; some of anything else."""
    helping, others, own = [], [], []
    for one in attacks(case, *wants):
        text = str(one.new)
        if one.kind not in TABLE[case.diagnosis.failure].may_help:
            others.append(one)
        elif any(want in text for want in wants) or any(want in one.at for want in wants):
            own.append(one)
        else:
            helping.append(one)
    return [
        *dice.sample(own, min(len(own), _TRIED)),
        *dice.sample(helping, min(len(helping), _TRIED)),
        *dice.sample(others, min(len(others), _TRIED // 9)),
    ]


@pytest.mark.parametrize("hostile", CORPUS, ids=lambda one: one.name)
@pytest.mark.parametrize("rung", [Rung.MODEL], ids=str)
def test_no_operation_that_the_attacker_asks_for_gets_through(hostile: Hostile, rung: Rung) -> None:
    dice = random.Random(hostile.name)
    for told in dice.sample(CASES, _FAILURES):
        case = telling(hardened(told), hostile)
        for operation in _sampled(case, hostile.wants, dice):
            assert not _harm(case, rung, hostile.wants, operation), operation


@pytest.mark.parametrize("told", _one_of_each(), ids=lambda one: one.diagnosis.failure.value)
def test_what_is_hidden_beside_the_right_repair_gets_through_no_more(told: Case) -> None:
    """A model that was talked to answers rightly, and adds one operation."""
    case = hardened(told)
    right = answer(case)
    if not isinstance(right, Proposal):
        return
    dice = random.Random(case.diagnosis.failure.value)
    before = _harm(case, Rung.MODEL, (), *right.operations)
    for one in _sampled(case, (), dice):
        try:
            apply(case.body, (*right.operations, one))
        except PreconditionGone:
            continue
        assert set(_harm(case, Rung.MODEL, (), *right.operations, one)) <= set(before), one


def test_memory_is_trusted_no_more_than_a_model() -> None:
    """Whoever can write to the store writes operations."""
    dice = random.Random("memory")
    for told in dice.sample(CASES, 12):
        case = hardened(told)
        for operation in _sampled(case, (), dice):
            assert not _harm(case, Rung.MEMORY, (), operation), operation


def test_what_a_rule_would_do_a_model_may_do_nearly_always() -> None:
    """The narrower way is no wall: of the repairs that rules make, a model may propose all but a few."""
    proposals = [(case, found) for case in CASES if isinstance(found := answer(case), Proposal)]
    turned_down = [
        case.diagnosis.failure.value
        for case, found in proposals
        if GUARD.judge(case, replace(found, rung=Rung.MODEL)).violations
    ]
    assert len(proposals) > 120
    assert len(turned_down) <= 3, turned_down


def test_the_corpus_is_as_large_as_it_has_to_be() -> None:
    assert len({one.text for one in CORPUS}) >= 100
    assert {one.channel for one in CORPUS} == set(Channel)
