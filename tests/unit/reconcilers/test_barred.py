"""Whatever the step: what may not be written is not written, in `act` and in `observe`, and it is told why."""

from __future__ import annotations

import pytest

from desired.app import AppKey
from desired.reasons import Reason
from observers.running import Running
from reconcilers.choose_attempt import new_attempt
from reconcilers.decision import Action, Condition, Register, Remember, Rest, Revive, Step, Stop
from reconcilers.record import Record
from reconcilers.situation import Aim, Mode, Rules, Situation, Target, Unclear
from reconcilers.words import decision
from tests.unit.reconcilers.world import START, spec_named

KEY = AppKey("default", "web")
RECORD = Record(key=KEY, origin="o")
SPEC = spec_named("v1")


def situation(barred: str, mode: Mode = Mode.ACT) -> Situation:
    return Situation(
        KEY,
        Unclear(Reason.POLICY_VIOLATION, "too much", passing=True),
        Running(KEY, None),
        RECORD,
        Rules(mode=mode),
        START,
        target=Target(Aim.LAST_GOOD, SPEC),
        barred=barred,
    )


def writes() -> list[Action]:
    attempt = new_attempt(situation(""), planned_index=0, job_modify_index=0)
    return [Register(SPEC, SPEC.body, 0, attempt), Stop(3), Revive(RECORD)]


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("action", writes(), ids=lambda action: type(action).__name__)
def test_every_write_of_what_a_rule_forbids_is_left_undone(action: Action, mode: Mode) -> None:
    barred = situation("memory 200 is above the limit of 100", mode)
    found = decision(barred, Step.CORRECTING, action, Reason.DRIFTED, "restoring", flags=(Condition.RECONCILING,))
    assert (found.action, found.reason) == (Rest(), Reason.POLICY_VIOLATION)
    assert "memory 200" in found.message and Condition.RECONCILING not in found.flags
    assert "memory 200" in found.flags[Condition.POLICY_VIOLATION][1]


@pytest.mark.parametrize("action", writes(), ids=lambda action: type(action).__name__)
def test_what_nobody_forbids_is_done(action: Action) -> None:
    assert decision(situation(""), Step.CORRECTING, action, Reason.DRIFTED, "restoring").action is action


def test_what_is_only_remembered_is_remembered() -> None:
    action = Remember(RECORD)
    assert decision(situation("too much"), Step.OVERTAKEN, action, Reason.DRIFTED, "given way").action is action
