"""What waits to be told: of each topic the newest state, once; what is true is told in the end; never too often."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomad_operator.news import pending as module
from nomad_operator.news.notice import Kind, Notice, Topic
from nomad_operator.news.pending import MOST_OF_ONE, WINDOW_SECONDS, Pending

AT = datetime(2026, 1, 1, tzinfo=UTC)


def notice(app: str = "default/web", kind: Kind = Kind.UNREADY, state: str = "False", about: str = "ready") -> Notice:
    return Notice(kind, Topic(app, about), state, AT, f"{app} {state}")


def ready(app: str = "default/web") -> Notice:
    return notice(app, Kind.READY, "True")


def states(pending: Pending, now: float) -> list[str]:
    return [one.state for one in pending.take(now)]


def test_the_same_state_is_told_once() -> None:
    pending = Pending(kinds=Kind)
    for second in range(5):
        pending.put(notice())
        assert states(pending, second) == (["False"] if second == 0 else [])


def test_what_came_and_went_before_it_was_told_is_not_told() -> None:
    pending = Pending(kinds=Kind)
    pending.put(ready())
    assert states(pending, 0) == ["True"]
    pending.put(notice())
    pending.put(ready())
    assert states(pending, 1) == []


def test_what_is_settled_is_not_told_and_is_news_when_it_comes_again() -> None:
    stalled = notice(kind=Kind.STALLED, state="HeldFailed", about="Stalled")
    pending = Pending(kinds=Kind)
    pending.put(stalled)
    pending.settle(stalled.topic)
    assert states(pending, 0) == []
    pending.put(stalled)
    assert states(pending, 1) == ["HeldFailed"]
    pending.settle(stalled.topic)
    pending.put(stalled)
    assert states(pending, 2) == ["HeldFailed"]


def test_what_nobody_wants_to_hear_is_not_told_but_ends_what_it_ends() -> None:
    pending = Pending(kinds=[Kind.UNREADY])
    pending.put(notice())
    assert states(pending, 0) == ["False"]
    pending.put(ready())
    pending.put(notice())
    assert states(pending, 1) == ["False"], "it was well in between, and that it is not any more is news"
    pending.put(notice())
    pending.put(ready())
    assert states(pending, 2) == []


def test_an_app_that_comes_and_goes_is_told_of_a_few_times_and_then_as_it_is_by_then() -> None:
    pending = Pending(kinds=Kind)
    told: list[tuple[float, str]] = []
    for second in range(600):
        pending.put(notice() if second % 2 else ready())
        told += [(second, state) for state in states(pending, second)]
    assert len(told) == MOST_OF_ONE
    assert pending.due_at() == WINDOW_SECONDS
    assert states(pending, WINDOW_SECONDS - 1) == []
    # The last one that was told may be what it is: then there is nothing to say.
    assert states(pending, WINDOW_SECONDS) == ([] if told[-1][1] == "False" else ["False"])


def test_what_needs_a_person_comes_first_and_what_only_follows_from_it_is_left_out() -> None:
    pending = Pending(kinds=Kind)
    pending.put(notice())
    pending.put(notice(kind=Kind.STALLED, state="AdoptionRequired", about="Stalled"))
    pending.put(notice(kind=Kind.ADOPTION_REQUIRED, state="AdoptionRequired", about="AdoptionRequired"))
    pending.put(notice("default/other"))
    pending.put(ready("default/well"))
    assert [(one.app, one.kind) for one in pending.take(0)] == [
        ("default/web", Kind.ADOPTION_REQUIRED), ("default/other", Kind.UNREADY), ("default/well", Kind.READY),
    ]  # fmt: skip


def test_memory_is_bounded_and_what_finds_no_room_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 100)
    monkeypatch.setattr(module, "MOST_TOLD", 150)
    pending = Pending(kinds=Kind)
    assert [pending.put(notice(f"default/{number}")) for number in range(200)] == [True] * 100 + [False] * 100
    assert pending.put(ready("default/5")), "what waits may always become newer"
    for start in range(0, 1000, 100):
        for number in range(start, start + 100):
            pending.put(notice(f"default/{number}"))
        pending.take(float(start))
    assert (len(pending), len(pending._told)) == (0, 150)
    pending.put(notice("default/999", state="Other"))
    pending.forget("default/999")
    assert Topic("default/999", "ready") not in pending._told
    assert states(pending, 9999) == ["Other"]


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["True", "False", "Other"]), st.floats(0, 400)),
        max_size=60,
    )
)
def test_whatever_happens_the_last_thing_told_is_true_and_never_told_twice_running(
    steps: list[tuple[str, str, float]],
) -> None:
    pending, now = Pending(kinds=Kind), 0.0
    told: dict[str, list[tuple[float, str]]] = {"a": [], "b": []}

    def take() -> None:
        for one in pending.take(now):
            told[one.app].append((now, one.state))

    true: dict[str, str] = {}
    for app, state, wait in steps:
        pending.put(notice(app, state=state))
        true[app] = state
        now += wait
        take()
    for _ in range(3):
        due = pending.due_at()
        now = max(now, due) if due is not None else now
        take()
    assert len(pending) == 0
    for app, state in true.items():
        assert told[app][-1][1] == state
        assert all(first[1] != second[1] for first, second in pairwise(told[app]))
        times = [at for at, _ in told[app]]
        for at in times:
            assert sum(1 for other in times if at <= other < at + WINDOW_SECONDS) <= MOST_OF_ONE
