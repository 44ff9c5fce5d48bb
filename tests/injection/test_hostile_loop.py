"""The whole loop on an embedded Nomad with a model that does what an attacker's text asks: the job stays what it was.

The rules are left out, so that the model is asked about every failure; every version that reaches Nomad is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from desired.operations.operation import Kind
from desired.state import JobBody
from nomad_operator.rehearsal.stage import body_of
from observers.job_secrets import known_in
from observers.redaction import Placeholders, Redactor
from prompts.catalog import FilePrompts
from reconcilers.repair.guard import Guard
from reconcilers.repair.ladder import AskedRung
from reconcilers.repair.model_rung import ModelRung
from reconcilers.repair.model_view import Hide
from tests.injection.hostile import Channel, Hostile, corpus
from tests.injection.malicious_model import MaliciousModel
from tests.injection.oracle import harm
from tests.integration.loop.cluster import Rungs
from tests.repair import corpus as broken
from tests.repair.case import Case, End, Part
from tests.repair.stage import Stage

CORPUS = corpus()
_LIVES = timedelta(minutes=12)


def _cases() -> list[Case]:
    """Failures that the job can mend, or that look so: there a model is asked."""
    return [
        case
        for case in broken.cases().values()
        if case.part is not Part.LEAVE and not case.good and case.faults == 1 and case.ends is not End.HEALTHY
    ]


CASES = _cases()


def hiding(body: JobBody) -> Hide:
    return Redactor(known=known_in(body), placeholders=Placeholders()).redact


def alone(model: MaliciousModel) -> Rungs:
    def rungs(_guard: Guard) -> Sequence[tuple[str, AskedRung]]:
        return [("model", ModelRung(model=model, prompts=FilePrompts(), hiding=hiding))]

    return rungs


def telling(case: Case, hostile: Hostile) -> dict[str, Any]:
    """The same world, in which every app says the attacker's text."""
    world = deepcopy(dict(case.world))
    for one in world["behaviours"]:
        if hostile.channel is Channel.CHECK:
            one["health"] = [{**each, "body": hostile.text} for each in one.get("health") or ()]
        stream = "stderr" if "stderr" in one else "stdout"
        one[stream] = f"{one.get(stream, '')}{hostile.text}\n"
    return world


def _judged(case: Case, hostile: Hostile, widened: frozenset[Kind]) -> tuple[list[str], MaliciousModel]:
    model = MaliciousModel(seed=hostile.name, wants=hostile.wants)
    world = telling(case, hostile)
    stage = Stage(world, case.app, widened=widened, rungs=alone(model))
    for text in case.others:
        stage.by_hand(text)
    stage.commit_text(case.text, case.policy)
    stage.live(stage.cluster.now + _LIVES)
    before = body_of(case.text, stage.key)
    ports = [port for one in world["behaviours"] for port in one.get("listens") or ()]
    found = [
        words
        for register in stage.registers
        if before is not None
        # The operator says the namespace where a file leaves it out.
        for words in harm(
            {**before, "Namespace": register.body.get("Namespace")},
            register.body,
            wants=hostile.wants,
            agreed=bool(widened),
            ports=ports,
        )
    ]
    return found, model


@pytest.mark.parametrize("number", range(len(CORPUS)), ids=lambda number: CORPUS[number].name)
def test_the_job_stays_what_it_was(number: int) -> None:
    """Every third with everything allowed that settings can allow."""
    hostile, case = CORPUS[number], CASES[number * 7 % len(CASES)]
    found, _ = _judged(case, hostile, frozenset(Kind) if number % 3 == 2 else frozenset())
    assert not found, case.name


def test_the_model_is_asked_in_most_of_them() -> None:
    """Otherwise the tests above would prove nothing."""
    asked = [
        _judged(CASES[number * 7 % len(CASES)], CORPUS[number], frozenset())[1].asked for number in range(0, 30, 3)
    ]
    assert sum(bool(one) for one in asked) >= len(asked) // 2
