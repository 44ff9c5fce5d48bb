"""How soon an app under verification is looked at again, what is said of it meanwhile, and when a trial is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from desired.cause import Cause
from desired.operations.operation import Kind, Operation
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from observers.running import Allocation, Check, PlacementFailure, Plan, TaskEvent, TaskState
from reconcilers import repair_questions
from reconcilers.choose_attempt import keep_watching
from reconcilers.choose_repair import climb_unplaceable
from reconcilers.decision import Climb, Remember, Rest, Truth
from reconcilers.questions import may_fail_unheard, named
from reconcilers.repair.at_hand import at_hand
from reconcilers.repair.episode import Episode, Outcome, Try, TryState
from reconcilers.repair.proposal import Rung
from reconcilers.situation import Situation
from reconcilers.spec import Spec
from reconcilers.steps import decide
from tests.unit.reconcilers.world import START, World, spec_named

CRASH = Diagnosis(FailureClass.CRASH, Cause.SPEC, "it ends with code 1")
FAILS = (Check("a1", "alive", "failure", "refused"),)
TEMPLATE = TaskEvent("Template", START, "Missing: kv(x)", {})


def checked(spec: Spec) -> Spec:
    service = {"Name": "web", "Provider": "nomad", "Checks": [{"Type": "http", "Path": "/"}]}
    group = {**spec.body["TaskGroups"][0], "Services": [service]}
    return Spec.of({**spec.body, "TaskGroups": [group]}, text=spec.text, format="hcl2")


def verifying(
    *, after: float = 0, with_checks: bool = True, checks: tuple[Check, ...] = (), status: str = "running",
    version: int = 0, tasks: dict[str, TaskState] | None = None, diagnoses: tuple[Diagnosis, ...] = (),
) -> Situation:  # fmt: skip
    """An app that was registered `after` seconds ago, whose one allocation is neither healthy nor unhealthy."""
    world = World(wanted=checked(spec_named("slow")) if with_checks else spec_named("slow"))
    while not isinstance(world.step().action, Rest):
        pass
    assert world.record.attempt is not None
    world.now += timedelta(seconds=after)
    s = world.situation()
    seen = Allocation("a1", "web", version, status, tasks=tasks or {})
    return replace(s, running=replace(s.running, allocations=(seen,), checks=checks), diagnoses=diagnoses)


def next_look(s: Situation) -> float:
    action = keep_watching(s).action
    assert isinstance(action, Rest | Remember) and action.again_in is not None
    return action.again_in.total_seconds()


@pytest.mark.parametrize(
    ("s", "seconds"),
    [
        pytest.param(verifying(), 3, id="what is checked may fail at once"),
        pytest.param(verifying(after=64), 8, id="and is asked seldomer the longer it takes"),
        pytest.param(verifying(after=200), 15, id="but not for ever seldomer"),
        pytest.param(verifying(after=200, checks=FAILS), 3, id="unless a check fails"),
        pytest.param(verifying(with_checks=False), 60, id="without a check events tell"),
        pytest.param(verifying(status="pending"), 60, id="what has not started is told by an event"),
        pytest.param(verifying(version=7), 60, id="an older version's allocation says nothing"),
        pytest.param(
            verifying(with_checks=False, status="pending", tasks={"app": TaskState("pending", events=(TEMPLATE,))}),
            3, id="a template that waits",
        ),
    ],
)  # fmt: skip
def test_how_soon_it_is_looked_at_again(s: Situation, seconds: float) -> None:
    assert next_look(s) == seconds
    assert may_fail_unheard(s) or seconds in (3, 60)


def test_what_is_wrong_is_in_the_message_as_soon_as_it_has_a_name() -> None:
    assert keep_watching(verifying(diagnoses=(CRASH,))).message.endswith("crash: it ends with code 1")


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(Diagnosis(FailureClass.UNKNOWN, Cause.UNKNOWN, "?"), id="no name"),
        pytest.param(Diagnosis(FailureClass.NODE_LOST, Cause.NONE, "a node went away"), id="nobody's fault"),
    ],
)
def test_what_has_no_name_or_is_nobodys_fault_is_not_told_as_wrong(found: Diagnosis) -> None:
    s = verifying(diagnoses=(found,))
    assert named(s) is None
    assert found.words not in keep_watching(s).message


def test_of_an_app_that_is_ready_nothing_is_told_as_wrong() -> None:
    world = World(wanted=spec_named("good"))
    world.settle()
    settled = replace(world.situation(), diagnoses=(CRASH,))
    assert decide(settled).ready is Truth.TRUE
    assert decide(settled).diagnosis is None
    assert decide(verifying(diagnoses=(CRASH,))).diagnosis == CRASH


# -- a trial that finds no room

MORE_MEMORY = Operation(Kind.MEMORY, ("web", "app"), 64, 128)


def on_trial(*, group: str = "web", spec_hash: str = "", attempts: int = 1, failed: str = "web") -> Situation:
    """A repair is about to be registered, and the plan says that a group of it finds no room."""
    s = World(wanted=spec_named("slow")).situation()
    assert s.target.spec is not None
    no_room = Diagnosis(FailureClass.MEMORY_EXHAUSTED, Cause.CLUSTER, "no room", group=group)
    one = Try(
        TryState.OPEN, no_room, (MORE_MEMORY,), (MORE_MEMORY,), Rung.RULE, "s", "r", "h", START,
        spec_hash=spec_hash or s.target.spec.hash,
    )  # fmt: skip
    earlier = replace(one, state=TryState.FAILED)
    episode = Episode(
        "e", "before", "s", no_room, "", START, START, tries=(*[earlier] * (attempts - 1), one), trial=(MORE_MEMORY,)
    )
    return replace(
        s,
        record=replace(s.record, episode=episode),
        plan=Plan(0, "Added", failed={failed: PlacementFailure(nodes_evaluated=1)}),
    )


@pytest.mark.parametrize(
    ("s", "over"),
    [
        pytest.param(on_trial(), True, id="the group that it was to help"),
        pytest.param(on_trial(group=""), True, id="where no group is named, any"),
        pytest.param(on_trial(failed="other"), False, id="another group"),
        pytest.param(on_trial(spec_hash="older"), False, id="the plan is of another spec"),
    ],
)
def test_a_trial_whose_group_finds_no_room_is_not_waited_for(s: Situation, over: bool) -> None:
    assert repair_questions.unplaceable(s) is over


@pytest.mark.parametrize(("attempts", "exhausted"), [(2, False), (3, True)])
def test_the_last_attempt_that_finds_no_room_ends_the_episode(attempts: int, exhausted: bool) -> None:
    s = on_trial(attempts=attempts)
    assert s.policy.repair.max_attempts == 3
    action = climb_unplaceable(replace(s, evidence=at_hand(s))).action
    if not exhausted:
        assert isinstance(action, Climb)
        return
    assert isinstance(action, Remember) and action.record.last_episode is not None
    assert action.record.last_episode.outcome is Outcome.EXHAUSTED
