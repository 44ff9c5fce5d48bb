"""The parts of the event stream that do no I/O: lines in bounded memory, and what was seen already."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from observers.nomad.history import History
from observers.nomad.lines import TooLong, lines
from observers.nomad.stream_items import events


async def pieces_of(raw: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    places = [0, *sorted(cut % (len(raw) + 1) for cut in cuts), len(raw)]
    for start, end in itertools.pairwise(places):
        yield raw[start:end]


@given(st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b""))), st.binary(max_size=5), st.data())
async def test_lines_do_not_depend_on_how_the_network_cut_them(told: list[bytes], rest: bytes, data: Any) -> None:
    """Lines longer than the bound are told as such; what follows the last line's end is dropped."""
    rest = rest.replace(b"\n", b"")
    raw = b"".join(line + b"\n" for line in told) + rest
    cuts = data.draw(st.lists(st.integers(0, len(raw))))
    found = [line async for line in lines(pieces_of(raw, cuts), longest=8)]
    expected = [line if len(line) <= 8 else None for line in told]
    assert [None if isinstance(line, TooLong) else line for line in found] == expected


async def test_an_endless_line_is_not_held() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x" * 100_000
        yield b"\nafter\n"

    tracemalloc.start()
    try:
        found = [line async for line in lines(endless(), longest=1_000_000)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(found[0], TooLong) and found[1:] == [b"after"] and peak < 3_000_000


def one(index: int, key: str = "web", topic: str = "Job", type_: str = "JobRegistered") -> tuple[int, str, str, str]:
    return (index, topic, type_, key)


def deliver(history: History, *line: tuple[int, str, str, str]) -> tuple[list[bool], str]:
    gap = history.follows(line[0][0])
    new, back = history.fresh(list(line))
    return new, gap or back


def test_what_is_delivered_again_after_resuming_is_not_told_twice() -> None:
    history = History()
    deliver(history, one(5))
    deliver(history, one(7, "a"))
    deliver(history, one(7, "b"))
    assert history.resume() == 7
    assert deliver(history, one(7, "a")) == ([False], "")
    assert deliver(history, one(7, "b"), one(7, "c")) == ([False, True], "")
    assert deliver(history, one(8)) == ([True], "")


def test_a_job_twice_in_one_line_is_told_twice() -> None:
    """A purged job that is registered again: the last one counts."""
    assert deliver(History(), one(5), one(5)) == ([True, True], "")


def test_a_backlog_that_begins_after_our_last_index_lost_something() -> None:
    history = History()
    deliver(history, one(5))
    history.resume()
    new, reason = deliver(history, one(90))
    assert new == [True] and "5" in reason and "90" in reason
    assert deliver(history, one(200)) == ([True], "")  # later jumps are only other people's transactions


def test_the_first_subscription_has_nothing_to_have_lost() -> None:
    history = History()
    assert history.resume() == 0
    assert deliver(history, one(90)) == ([True], "")


def test_indexes_that_go_back_are_another_past() -> None:
    history = History()
    deliver(history, one(500))
    history.resume()
    new, reason = deliver(history, one(40))
    assert new == [True] and "went back" in reason
    assert history.resume() == 40


def test_a_server_that_lags_behind_is_not_another_past() -> None:
    """It delivers again what we have from the other one, with indexes below ours."""
    history = History()
    for index in (10, 11, 12):
        deliver(history, one(index))
    history.resume()
    assert deliver(history, one(11)) == ([False], "")
    assert deliver(history, one(12)) == ([False], "")
    assert history.resume() == 12


def test_memory_of_what_was_seen_is_bounded() -> None:
    history = History(remembered=10)
    for index in range(1, 1000):
        deliver(history, one(index))
    assert len(history._seen) == 10


@pytest.mark.parametrize(
    ("event", "keys"),
    [
        ({"Topic": "Job", "Key": "web", "Namespace": "a"}, [AppKey("a", "web")]),
        ({"Topic": "Allocation", "Key": "id", "Payload": {"Allocation": {"JobID": "web"}}}, [AppKey("default", "web")]),
        (
            {"Topic": "Evaluation", "Namespace": "a", "Payload": {"Evaluation": {"JobID": "b/dispatch-1-2"}}},
            [AppKey("a", "b/dispatch-1-2"), AppKey("a", "b")],
        ),
        (
            {"Topic": "Job", "Key": "nightly/run/periodic-17", "Namespace": "a"},
            [AppKey("a", "nightly/run/periodic-17"), AppKey("a", "nightly/run")],
        ),
        ({"Topic": "Node", "Key": "n"}, []),
    ],
)
def test_an_event_wakes_its_job_and_the_one_that_job_came_from(event: dict[str, Any], keys: list[AppKey]) -> None:
    (found,) = events({"Index": 1, "Events": [event]})
    assert list(found.keys) == keys
