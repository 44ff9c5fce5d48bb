"""Spans: recorded within a trace alone, bounded, and of answers only an outline."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider

from desired import spans
from desired.errors import InvalidDesired, Unavailable
from desired.problem import Problem

TRACER = TracerProvider(shutdown_on_exit=False).get_tracer("test")


def begun(session: str = "default/web") -> Any:
    return spans.begun(TRACER, "pass", session=session, asked={"app": session})


def names(trace: spans.Trace) -> list[str]:
    return [one.name for one in trace.ended]  # type: ignore[attr-defined]


def attributes(trace: spans.Trace, name: str) -> dict[str, Any]:
    return next(dict(one.attributes) for one in trace.ended if one.name == name)  # type: ignore[attr-defined]


def test_outside_of_a_trace_nothing_is_recorded() -> None:
    with spans.step("observe", asked="x") as told, spans.call("nomad", "GET jobs") as inner:
        assert not told.recorded and not inner.recorded
        told.answered("y")
        spans.acts("x")
        spans.hides({"ID": "web"})
    assert spans.under_way() == ""


def test_steps_stand_in_the_trace_under_way() -> None:
    with begun() as (trace, told):
        with spans.step("observe"), spans.call("nomad", "GET jobs", asked={"a": 1}) as call:
            call.answered([1, 2])
        told.answered("done")
        assert len(spans.under_way()) == 32
    assert names(trace) == ["nomad: GET jobs", "observe", "pass"]
    assert attributes(trace, "nomad: GET jobs") == {
        spans.KIND: "span", spans.INPUT: '{"a": 1}', spans.OUTPUT: "[1, 2]", "peer.service": "nomad"
    }  # fmt: skip
    assert spans.under_way() == ""


async def test_traces_at_the_same_time_are_apart() -> None:
    go_on = asyncio.Event()

    async def one(name: str) -> spans.Trace:
        with begun(name) as (trace, _):
            await go_on.wait()
            with spans.step(f"step of {name}"):
                spans.acts(name)
        return trace

    tasks = [asyncio.create_task(one(name)) for name in ("a", "b")]
    await asyncio.sleep(0)
    go_on.set()
    first, second = await asyncio.gather(*tasks)
    assert (names(first), first.tags) == (["step of a", "pass"], ["a"])
    assert (names(second), second.tags) == (["step of b", "pass"], ["b"])


@pytest.mark.parametrize(
    ("error", "level", "words"),
    [
        (Unavailable("Nomad is away"), "WARNING", "Nomad is away"),
        (InvalidDesired((Problem("web.yaml", message="no image"),)), "ERROR", "web.yaml: no image"),
        (ValueError("hunter2"), "ERROR", "ValueError"),
        (TimeoutError("hunter2"), "WARNING", "TimeoutError"),
        (asyncio.CancelledError("hunter2"), "WARNING", "CancelledError"),
    ],
)
def test_an_error_passes_through_and_is_told(error: BaseException, level: str, words: str) -> None:
    with pytest.raises(type(error)), begun() as (trace, _), spans.step("act"):
        raise error
    for name in ("act", "pass"):
        told = attributes(trace, name)
        assert (told[spans.LEVEL], told[spans.WORDS]) == (level, words)


def test_a_trace_has_an_end() -> None:
    with begun() as (trace, _):
        for number in range(spans.MOST_SPANS * 2):
            with spans.step(f"step {number}"):
                pass
    assert len(trace.ended) == spans.MOST_SPANS
    assert names(trace)[-1] == "pass"


def test_a_job_is_hidden_once() -> None:
    job = {"ID": "web"}
    with begun() as (trace, _):
        spans.hides(job, None, job)
        spans.hides(job)
    assert trace.jobs == [job]


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)
    )
)
def test_any_value_is_a_bounded_text(value: object) -> None:
    assert len(spans.as_text(value, longest=50)) <= 50
    json.dumps(spans.outline(value))


def test_what_cannot_be_told_is_told_by_its_kind() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert spans.as_text(circle) == "list"
    assert spans.as_text("x" * 100_000) == "x" * (spans.LONGEST - 1) + "…"


@dataclass(frozen=True)
class Inner:
    words: str
    deep: Any = None


@dataclass(frozen=True)
class Answer:
    name: str
    body: dict[str, Any]
    inner: Inner
    rows: tuple[Any, ...]
    raw: bytes
    at: datetime
    after: timedelta


def test_an_outline_says_how_many_and_never_what_a_body_holds() -> None:
    answer = Answer(
        "web", {"Env": {"PASSWORD": "hunter2"}}, Inner("x" * 500, Inner("deep")), tuple(range(100)), b"hunter2",
        datetime(2026, 1, 1, tzinfo=UTC), timedelta(seconds=3),
    )  # fmt: skip
    assert spans.outline(answer) == {
        "name": "web", "body": "1 of dict", "inner": {"words": "x" * 199 + "…", "deep": "Inner"},
        "rows": "100 of tuple", "raw": "7 bytes", "at": "2026-01-01T00:00:00+00:00", "after": 3.0,
    }  # fmt: skip
