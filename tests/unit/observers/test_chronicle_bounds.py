"""How much is kept of what streams by, whose it is, and when it is forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from observers.nomad.chronicle import Chronicle
from observers.nomad.stream_items import Event
from observers.running import Allocation, Running, TaskEvent, TaskState

START = datetime(2026, 11, 23, tzinfo=UTC)
WEB, OTHER = AppKey("default", "web"), AppKey("default", "other")


def event(number: int, type: str = "Restarting") -> TaskEvent:
    return TaskEvent(type, START + timedelta(seconds=number), f"event {number}")


def allocation(*numbers: int, id: str = "a1", task: str = "app") -> Allocation:
    return Allocation(id, "web", 0, "running", tasks={task: TaskState("running", events=tuple(map(event, numbers)))})


def streamed(id: str) -> Event:
    told = {"Type": "Started", "Time": 1_700_000_000_000_000_000, "DisplayMessage": "event 1"}
    payload = {"Allocation": {"ID": id, "TaskStates": {"app": {"Events": [told]}}}}
    return Event("Allocation", "AllocationUpdated", 1, WEB, payload=payload)


def running(*allocations: Allocation, key: AppKey = WEB) -> Running:
    return Running(key, None, allocations)


def messages(chronicle: Chronicle, id: str = "a1") -> list[int]:
    return [int(one.message.removeprefix("event ")) for one in chronicle.events_of(id, "app")]


def test_what_nomad_has_dropped_is_merged_into_what_it_still_holds() -> None:
    chronicle = Chronicle()
    for last in range(3, 30):
        chronicle.read(running(allocation(*range(max(0, last - 10), last))))
    (merged,) = chronicle.merged([allocation(*range(20, 30))])
    assert [one.message for one in merged.tasks["app"].events] == [f"event {number}" for number in range(30)]


@given(st.lists(st.lists(st.integers(0, 25), max_size=10), max_size=8))
def test_the_order_in_which_it_is_heard_does_not_matter(heard: list[list[int]]) -> None:
    chronicle = Chronicle()
    for numbers in heard:
        chronicle.read(running(allocation(*numbers), allocation(1, id="a2")))
    assert messages(chronicle) == sorted({number for numbers in heard for number in numbers})


@given(st.integers(61, 300), st.integers(1, 10))
def test_of_very_many_events_the_first_and_the_last_are_kept(many: int, at_once: int) -> None:
    chronicle = Chronicle()
    for number in range(0, many, at_once):
        chronicle.read(running(allocation(*range(number, min(many, number + at_once)))))
    assert messages(chronicle)[:20] == list(range(20)) and messages(chronicle)[-40:] == list(range(many - 40, many))
    assert len(messages(chronicle)) == 60


def test_allocations_that_are_gone_are_forgotten_and_those_of_other_apps_are_not() -> None:
    chronicle = Chronicle()
    chronicle.read(running(allocation(1), allocation(2, id="a2")))
    chronicle.read(running(allocation(3, id="b1"), key=OTHER))
    chronicle.read(running(allocation(2, id="a2")))
    assert len(chronicle) == 2 and messages(chronicle) == [] and messages(chronicle, "b1") == [3]
    chronicle.read(running())
    assert len(chronicle) == 1 and messages(chronicle, "b1") == [3]


def test_an_app_that_makes_very_many_allocations_pushes_nobody_else_out() -> None:
    chronicle = Chronicle(most_allocations=100, most_of_an_app=5)
    chronicle.read(running(allocation(3, id="b1"), key=OTHER))
    for number in range(1000):
        chronicle.heard(streamed(f"a{number}"))
    assert len(chronicle) == 6 and messages(chronicle, "b1") == [3]
    assert messages(chronicle, "a999") == [1] and messages(chronicle, "a994") == []


def test_of_too_many_apps_the_one_heard_of_longest_ago_is_forgotten() -> None:
    chronicle = Chronicle(most_allocations=3)
    for name in ("a", "b", "c", "a", "d"):
        chronicle.read(running(allocation(1, id=name), key=AppKey("default", name)))
    held = {name for name in "abcd" if messages(chronicle, name)}
    assert len(chronicle) == 3 and held == {"a", "c", "d"}


def test_two_tasks_are_kept_apart() -> None:
    chronicle = Chronicle()
    one = allocation(1)
    chronicle.read(running(replace(one, tasks={**one.tasks, **allocation(2, task="log").tasks})))
    assert messages(chronicle) == [1] and chronicle.events_of("a1", "log")[0].message == "event 2"


def test_of_very_many_allocations_that_are_listed_the_newest_are_kept() -> None:
    chronicle = Chronicle(most_of_an_app=5)
    chronicle.read(running(*(allocation(1, id=f"a{number}") for number in range(99, 0, -1))))
    assert messages(chronicle, "a99") == [1] and messages(chronicle, "a1") == []
