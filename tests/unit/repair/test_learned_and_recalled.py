"""What an episode teaches, what is put together from it, and which of it is worth trying again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from desired.cause import Cause
from desired.operations.operation import Kind, Operation
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from prompts.memory.note import Note
from reconcilers.repair.episode import APPROVED, Episode, Outcome, Try, TryState
from reconcilers.repair.learned import Where, learned
from reconcilers.repair.lesson import Lesson
from reconcilers.repair.proposal import Rung
from reconcilers.repair.recall import Recalled, recalled
from reconcilers.repair.relative import From, Step
from reconcilers.repair.remembered import Learned, Remembered

AT = datetime(2026, 1, 1, tzinfo=UTC)
KEY = AppKey("default", "shop")
WHERE = Where("one", "0.1.0", "2.0.5")
OOM = Diagnosis(FailureClass.OOM_KILLED, Cause.SPEC, "killed", group="g", task="t")
PORT = Diagnosis(FailureClass.CHECK_WRONG_PORT, Cause.SPEC, "refused", group="g", task="t")
DOUBLE = Step(Kind.MEMORY, ("group", "task"), From.TIMES, 200)
MORE = Operation(Kind.MEMORY, ("g", "t"), 256, 512)
STILL_MORE = Operation(Kind.MEMORY, ("g", "t"), 512, 1024)


def attempt(
    state: TryState, *, found: Diagnosis = OOM, one: Operation = MORE, trial: tuple[Operation, ...] = (),
    steps: tuple[Step, ...] = (DOUBLE,), told: str = "", violations: tuple[str, ...] = (),
) -> Try:  # fmt: skip
    return Try(
        state=state, diagnosis=found, operations=(one,), trial=trial or (one,), rung=Rung.MODEL, source="model",
        reason="it needs more", hash="h", at=AT, told=told, violations=violations,
        lesson=Lesson("sig", "killed for want of memory", steps),
    )  # fmt: skip


def episode(*tries: Try, outcome: Outcome | None = None, durable: bool | None = None, undone: str = "") -> Episode:
    return Episode(
        id="e1", spec_hash="s", written_hash="w", diagnosis=OOM, hint="", opened_at=AT, failing_since=AT, tries=tries,
        outcome=outcome, durable=durable, undone=undone, ended_at=AT if outcome else None,
    )  # fmt: skip


def taught(one: Episode) -> list[Learned]:
    return [each.outcome for each in learned(KEY, one, WHERE)]


VERIFIED, FAILED = attempt(TryState.VERIFIED), attempt(TryState.FAILED)
ENDS = {
    "it waits for a person": (episode(attempt(TryState.WAITING)), []),
    "it is being verified": (episode(attempt(TryState.OPEN)), []),
    "it was verified": (episode(VERIFIED, outcome=Outcome.REPAIRED), [Learned.VERIFIED]),
    "it held": (episode(VERIFIED, outcome=Outcome.REPAIRED, durable=True), [Learned.DURABLE]),
    "something failed soon after": (
        episode(VERIFIED, outcome=Outcome.REPAIRED, durable=False, undone="failure"), [Learned.UNDONE],
    ),
    "a person changed it in git": (
        episode(VERIFIED, outcome=Outcome.REPAIRED, durable=False, undone="person"), [Learned.REVERTED],
    ),
    "a person took it back": (
        episode(VERIFIED, outcome=Outcome.REJECTED, durable=False, undone="person"), [Learned.REVERTED],
    ),
    "a person took it back while it was tried": (
        episode(attempt(TryState.OPEN), outcome=Outcome.REJECTED), [Learned.REVERTED],
    ),
    "a person turned it down": (
        episode(attempt(TryState.REJECTED), outcome=Outcome.REJECTED), [Learned.REJECTED],
    ),
    "nobody decided before git moved on": (
        episode(attempt(TryState.REJECTED), outcome=Outcome.SUPERSEDED), [],
    ),
    "the guard turned it down": (
        episode(attempt(TryState.GUARDED, violations=("bounds",)), outcome=Outcome.EXHAUSTED), [Learned.GUARDED],
    ),
    "it was tried before": (
        episode(attempt(TryState.GUARDED, violations=("repeated",)), outcome=Outcome.EXHAUSTED), [],
    ),
    "it failed": (episode(FAILED, outcome=Outcome.ROLLED_BACK), [Learned.FAILED]),
    "it failed, and the next may be more of it": (episode(FAILED), []),
    "it failed, and more of it is being verified": (
        episode(FAILED, attempt(TryState.OPEN, one=STILL_MORE, trial=(MORE, STILL_MORE))), [],
    ),
    "a step of two": (
        episode(FAILED, attempt(TryState.VERIFIED, one=STILL_MORE, trial=(MORE, STILL_MORE)), outcome=Outcome.REPAIRED),
        [Learned.VERIFIED],
    ),
    "it failed, and something else helped": (
        episode(
            FAILED,
            attempt(
                TryState.VERIFIED, one=STILL_MORE, steps=(Step(Kind.PORT_TO, ("group", "port"), From.IMAGE_PORT),)
            ),
            outcome=Outcome.REPAIRED,
        ),
        [Learned.FAILED, Learned.VERIFIED],
    ),
    "it mended its own failure, and another came to light": (
        episode(
            FAILED, attempt(TryState.VERIFIED, found=PORT, one=STILL_MORE, trial=(MORE, STILL_MORE)),
            outcome=Outcome.REPAIRED,
        ),
        [Learned.VERIFIED, Learned.VERIFIED],
    ),
    "it mended its own failure, and the other was not repaired": (
        episode(
            FAILED, attempt(TryState.FAILED, found=PORT, one=STILL_MORE, trial=(MORE, STILL_MORE)),
            outcome=Outcome.EXHAUSTED,
        ),
        [Learned.FAILED],
    ),
    "a record of before there was a memory": (
        episode(replace(VERIFIED, lesson=None), outcome=Outcome.REPAIRED), [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("one", "outcomes"), ENDS.values(), ids=ENDS)
def test_what_an_episode_teaches(one: Episode, outcomes: list[Learned]) -> None:
    assert taught(one) == outcomes


def test_a_memory_says_whose_it_is_and_that_a_person_approved_it() -> None:
    (one,) = learned(KEY, episode(attempt(TryState.VERIFIED, told=APPROVED), outcome=Outcome.REPAIRED), WHERE)
    assert one.approved
    assert (one.cluster, one.app, one.version, one.nomad_version) == ("one", "default/shop", "0.1.0", "2.0.5")
    assert (one.failure, one.signature, one.steps, one.rung) == ("oom_killed", "sig", (DOUBLE,), "model")


def test_the_same_try_is_the_same_memory_whatever_became_of_it() -> None:
    verified = next(learned(KEY, episode(VERIFIED, outcome=Outcome.REPAIRED), WHERE))
    durable = next(learned(KEY, episode(VERIFIED, outcome=Outcome.REPAIRED, durable=True), WHERE))
    assert verified.key == durable.key


def memory(outcome: Learned, **changes: Any) -> Remembered:
    made = Remembered(
        key="k", failure="oom_killed", signature="sig", text="killed", steps=(DOUBLE,), outcome=outcome, rung="model",
        source="model", cluster="one", app="default/shop", at=AT,
    )  # fmt: skip
    return replace(made, **changes)


def put_together(*outcomes: Learned, similarity: float = 1.0, signature: str = "sig", **changes: Any) -> Recalled:
    known = [
        (memory(one, key=f"k{number}", at=AT + timedelta(hours=number), **changes), similarity)
        for number, one in enumerate(outcomes)
    ]
    (found,) = recalled(known, signature=signature, app="default/shop")
    return found


V, D, F, U, R, J, G = (
    Learned.VERIFIED, Learned.DURABLE, Learned.FAILED, Learned.UNDONE, Learned.REVERTED, Learned.REJECTED,
    Learned.GUARDED,
)  # fmt: skip


@pytest.mark.parametrize(
    ("outcomes", "worth"),
    [
        ((V,), True),
        ((D,), True),
        ((F,), False),
        ((G,), False),
        ((J,), False),
        ((V, F), False),  # what failed counts more
        ((D, F), False),
        ((D, D, F), True),
        ((D, U), False),
        ((V, V, G), True),
        ((D, D, R), False),  # what a person took back counts much
        ((D, D, D, D, R), True),
        ((D, J), False),
        ((), False),
    ],
)
def test_what_helped_more_than_it_harmed_is_worth_trying(outcomes: tuple[Learned, ...], worth: bool) -> None:
    assert (put_together(*outcomes).worth_trying if outcomes else False) is worth


def test_what_a_person_approved_counts_more() -> None:
    assert put_together(V, approved=True).score > put_together(V).score


@pytest.mark.parametrize(
    ("similarity", "outcomes", "worth"), [(0.9, (D,), True), (0.9, (V,), False), (0.8, (D, D), False)]
)
def test_what_is_only_alike_must_be_very_alike_and_have_held(
    similarity: float, outcomes: tuple[Learned, ...], worth: bool
) -> None:
    assert put_together(*outcomes, similarity=similarity, signature="another").worth_trying is worth


def test_what_was_long_ago_counts_no_more() -> None:
    assert not put_together(*[D] * 30, *[F] * 20).worth_trying


def test_the_best_comes_first_and_this_failure_before_one_like_it() -> None:
    other = (Step(Kind.MEMORY, ("group", "task"), From.USE, 150),)
    third = (Step(Kind.MEMORY, ("group", "task"), From.TIMES, 150),)
    known = [
        (memory(V, key="a"), 1.0),
        (memory(D, key="b", steps=other), 1.0),
        (memory(D, key="c", steps=third, signature="another"), 0.99),
        (memory(D, key="d", steps=third, signature="another"), 0.99),
    ]
    found = recalled(known, signature="sig", app="default/shop")
    assert [one.steps for one in found] == [other, (DOUBLE,), third]


def test_what_is_another_apps_alone_is_left_out() -> None:
    alone = (Step(Kind.ENV, ("g", "t", "DB"), From.OWN, "shop-db"),)
    known = [(memory(D, steps=alone), 1.0)]
    assert len(recalled(known, signature="sig", app="default/shop")) == 1
    assert recalled(known, signature="sig", app="default/other") == ()


def test_a_memory_that_was_found_twice_counts_once() -> None:
    (one,) = recalled([(memory(V), 1.0), (memory(V), 0.7)], signature="sig", app="default/shop")
    assert one.outcomes == {V: 1}


values = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()).map(tuple)
some_steps = st.builds(
    Step, st.sampled_from(Kind), st.lists(st.text()).map(tuple), st.sampled_from(From), values, values
)


@given(st.lists(some_steps, min_size=1, max_size=4).map(tuple), st.sampled_from(Learned), st.booleans(), st.text())
def test_a_memory_comes_out_of_the_store_as_it_went_in(
    steps: tuple[Step, ...], outcome: Learned, approved: bool, text: str
) -> None:
    one = memory(outcome, steps=steps, approved=approved, text=text)
    assert Remembered.of(one.note()) == one


NOTE = memory(V).note()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {**NOTE.fields, "form": "2"},
        {**NOTE.fields, "outcome": "sung"},
        {**NOTE.fields, "at": "yesterday"},
        {**NOTE.fields, "steps": "[]"},
        {**NOTE.fields, "steps": "no json"},
        {**NOTE.fields, "steps": '[{"op": "sing"}]'},
        {**NOTE.fields, "steps": '[{"op":"memory","at":"x","from":"times","value":1,"old":null}]'},
        {**NOTE.fields, "steps": '[{"op":"memory","at":["group"],"from":"times","value":{},"old":null}]'},
        {**NOTE.fields, "steps": "5"},
    ],
)
def test_what_cannot_be_read_is_nothing(fields: dict[str, str]) -> None:
    assert Remembered.of(Note("k", "text", fields)) is None
