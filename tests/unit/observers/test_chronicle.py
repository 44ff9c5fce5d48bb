"""Task events as they stream: nothing that was seen is lost, nothing is there twice, and there is an end to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from observers.nomad import decode
from observers.nomad.chronicle import Chronicle
from observers.nomad.stream_items import Event, events
from observers.running import Allocation, Check, Running, TaskEvent, TaskState
from tests.recordings_reader import NOMAD, read_lines

START = datetime(2026, 1, 1, tzinfo=UTC)
# Nomad holds the last ten of a task.
HELD = 10
KEY = AppKey("default", "web")


def event(number: int, message: str = "") -> TaskEvent:
    return TaskEvent("Terminated", START + timedelta(seconds=number), message or f"event {number}")


def allocation(*told: TaskEvent, id: str = "a", task: str = "app") -> Allocation:
    return Allocation(id, "web", 0, "running", tasks={task: TaskState("running", events=told)})


def streamed(*told: TaskEvent, id: str = "a") -> Event:
    payload = {
        "Allocation": {
            "ID": id,
            "TaskStates": {
                "app": {
                    "Events": [
                        {"Type": one.type, "Time": round(one.time.timestamp() * 1e9), "DisplayMessage": one.message}
                        for one in told
                    ]
                }
            },
        }
    }
    return Event("Allocation", "AllocationUpdated", 1, None, payload=payload)


def seen(chronicle: Chronicle, now: Allocation) -> list[str]:
    (merged,) = chronicle.merged([now])
    return [one.message for one in merged.tasks["app"].events]


@given(st.integers(1, 50), st.data())
def test_whatever_nomad_held_at_some_moment_when_it_was_looked_at_is_told_in_order_and_once(
    happened: int, data: st.DataObject
) -> None:
    """Looks come from the stream or from a pass; between two of them no more than ten events happen."""
    chronicle = Chronicle()
    told = [event(number) for number in range(happened)]
    at = 0
    while at < happened:
        at = min(happened, at + data.draw(st.integers(1, HELD)))
        held = told[max(0, at - HELD) : at]
        if data.draw(st.booleans()):
            chronicle.heard(streamed(*held))
        else:
            seen(chronicle, allocation(*held))
    assert seen(chronicle, allocation(*told[-HELD:])) == [one.message for one in told]


@given(st.lists(st.integers(0, 300), max_size=200))
def test_it_holds_a_bounded_number_and_never_drops_what_nomad_still_holds(numbers: list[int]) -> None:
    chronicle = Chronicle(most_allocations=3)
    for number in numbers:
        chronicle.heard(streamed(event(number), id=str(number % 7)))
    held = [event(number) for number in range(400, 400 + HELD)]
    for other in "xyz":
        assert seen(chronicle, allocation(*held, id=other))[-HELD:] == [one.message for one in held]
    found = seen(chronicle, allocation(*held, id="0"))
    assert len(found) <= 60 and found[-HELD:] == [one.message for one in held]


def test_an_event_whose_words_were_hidden_in_one_place_is_still_the_same_event() -> None:
    chronicle = Chronicle()
    chronicle.heard(streamed(event(1, "password=hunter22")))
    assert len(seen(chronicle, allocation(event(1, "password=«secret:1»")))) == 1


def test_allocations_and_tasks_are_told_apart_and_nothing_is_made_up() -> None:
    chronicle = Chronicle()
    chronicle.heard(streamed(event(1), id="other"))
    assert seen(chronicle, allocation(event(2))) == ["event 2"]
    (bare,) = chronicle.merged([Allocation("never heard of", "web", 0, "pending")])
    assert bare.tasks == {}


def test_what_cannot_be_understood_is_passed_over() -> None:
    chronicle = Chronicle()
    wrong: list[Any] = [
        None, {}, {"Allocation": None}, {"Allocation": []}, {"Allocation": {"ID": "a", "TaskStates": []}},
    ]  # fmt: skip
    for payload in wrong:
        chronicle.heard(Event("Allocation", "AllocationUpdated", 1, None, payload=payload))
    chronicle.heard(Event("Job", "JobRegistered", 1, None, payload={"Allocation": {"ID": "a"}}))
    assert seen(chronicle, allocation(event(1))) == ["event 1"]


def test_of_a_recorded_task_the_first_events_are_kept_although_nomad_has_dropped_them() -> None:
    chronicle = Chronicle()
    last: dict[str, Any] = {}
    every: dict[str, set[int]] = {}
    for line in read_lines(NOMAD / "event-ring" / "events.ndjson"):
        for one in events(line["line"]):
            chronicle.heard(one)
            for found in ((one.payload or {}).get("Allocation"),):
                if found and (states := found.get("TaskStates")):
                    last[found["ID"]] = found
                    for state in states.values():
                        every.setdefault(found["ID"], set()).update(told["Time"] for told in state["Events"])
    for id_, found in last.items():
        (merged,) = chronicle.merged([decode.allocation(found)])
        assert len(merged.tasks["app"].events) == len(every[id_])
    assert max(map(len, every.values())) > HELD


def checked(status: str, second: int, allocation: str = "a") -> Running:
    one = Check(allocation, "alive", status, at=START + timedelta(seconds=second))
    return Running(KEY, None, checks=(one,))


def test_of_a_check_the_first_success_is_told_however_often_it_has_passed_or_failed_since() -> None:
    chronicle = Chronicle(most_allocations=2)
    looks = [("failure", 1), ("success", 5), ("success", 9), ("failure", 11), ("success", 1319)]
    for status, second in looks:
        chronicle.read(checked(status, second))
    (now,) = chronicle.checks(checked("success", 1400).checks or ())
    assert now.first_success == START + timedelta(seconds=5)
    for other in ("b", "c"):
        chronicle.read(checked("success", 2000, other))
    (now,) = chronicle.checks(checked("success", 2001).checks or ())
    assert now.first_success is None, "what was read longest ago is forgotten"
