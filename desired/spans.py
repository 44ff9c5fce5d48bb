"""What is done, as spans of a trace: steps of a pass, calls to services, with what was asked and what came back.

OpenTelemetry's interface, and no tracer but the one of the trace that is under way: outside of one nothing is recorded,
and nothing costs. What is put into a span is bounded here, and may hold secrets: only `nomad_operator.tracing`, which
takes them out, sees it. Attributes are named as Langfuse reads them; any other collector shows them as they are.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from opentelemetry.context import Context
from opentelemetry.trace import Span, Status, StatusCode, Tracer, format_trace_id

from desired.errors import OperatorError, TransientError

INPUT = "langfuse.observation.input"
OUTPUT = "langfuse.observation.output"
LEVEL = "langfuse.observation.level"
WORDS = "langfuse.observation.status_message"
KIND = "langfuse.observation.type"

# Of one value, and of one trace: whatever a job, a log or a model says is bounded.
LONGEST = 16 * 1024
MOST_SPANS = 400
_LONGEST_WORD = 200
_MOST_SHOWN = 8
_DEEPEST = 2


@dataclass(slots=True, eq=False)
class Trace:
    """One trace under way. `acted` says that it is worth keeping; `jobs` hold what must not be seen in it."""

    tracer: Tracer
    session: str
    acted: bool = False
    tags: list[str] = field(default_factory=list)
    jobs: list[Mapping[str, Any]] = field(default_factory=list)
    ended: list[Span] = field(default_factory=list)
    begun: int = 0
    id: str = ""


_UNDER_WAY: ContextVar[Trace | None] = ContextVar("trace_under_way", default=None)


class Traces(Protocol):
    """Where traces begin."""

    def begun(self, name: str, *, session: str, asked: object) -> AbstractContextManager[Told]:
        """A trace of what is done within; kept where `acts` is called in it."""
        ...


class Told:
    """Takes what comes back; of nothing where nothing is recorded."""

    def __init__(self, span: Span | None = None) -> None:
        self._span = span

    @property
    def recorded(self) -> bool:
        """Whether it is worth making something to be told."""
        return self._span is not None

    def answered(self, value: object) -> None:
        if self._span is not None:
            self._span.set_attribute(OUTPUT, as_text(value))

    def about(self, **attributes: str | int | float | bool) -> None:
        """Names with `_` for `.`."""
        if self._span is not None:
            for name, value in attributes.items():
                self._span.set_attribute(name.replace("_", "."), value)

    def set(self, name: str, value: str | int | float | bool) -> None:
        if self._span is not None:
            self._span.set_attribute(name, value)

    def failed(self, error: BaseException) -> None:
        """Words of errors that nobody expected may hold anything: of those the kind is told."""
        if self._span is None:
            return
        words = as_text(error.message) if isinstance(error, OperatorError) else type(error).__name__
        passing = isinstance(error, TransientError | asyncio.CancelledError | TimeoutError)
        self._span.set_attribute(LEVEL, "WARNING" if passing else "ERROR")
        self._span.set_attribute(WORDS, words)
        self._span.set_status(Status(StatusCode.ERROR, words))


_NOBODY = Told()


class Untraced:
    """The `Traces` of a process that has nowhere to send them to."""

    def begun(self, name: str, *, session: str, asked: object) -> AbstractContextManager[Told]:
        return nullcontext(_NOBODY)


@contextmanager
def begun(tracer: Tracer, name: str, *, session: str, asked: object) -> Iterator[tuple[Trace, Told]]:
    """A trace of its own, whatever is under way."""
    trace = Trace(tracer, session)
    before = _UNDER_WAY.set(trace)
    try:
        with _made(trace, name, "span", asked, parent=Context()) as told:
            yield trace, told
    finally:
        _UNDER_WAY.reset(before)


@contextmanager
def step(name: str, *, asked: object = None, kind: str = "span") -> Iterator[Told]:
    """A part of what is under way."""
    trace = _UNDER_WAY.get()
    if trace is None or trace.begun >= MOST_SPANS:
        yield _NOBODY
        return
    with _made(trace, name, kind, asked, parent=None) as told:
        yield told


@contextmanager
def call(service: str, what: str, *, asked: object = None) -> Iterator[Told]:
    """One call to a service. `what` has no names of apps in it: it is what calls are counted by."""
    with step(f"{service}: {what}", asked=asked) as told:
        told.about(peer_service=service)
        yield told


@contextmanager
def _made(trace: Trace, name: str, kind: str, asked: object, *, parent: Context | None) -> Iterator[Told]:
    trace.begun += 1
    manager = trace.tracer.start_as_current_span(
        name, context=parent, record_exception=False, set_status_on_exception=False
    )
    with manager as span:
        told = Told(span) if span.is_recording() else _NOBODY
        if told.recorded:
            trace.id = trace.id or format_trace_id(span.get_span_context().trace_id)
            span.set_attribute(KIND, kind)
            if asked is not None:
                span.set_attribute(INPUT, as_text(asked))
        try:
            yield told
        except BaseException as error:
            told.failed(error)
            raise
        finally:
            if told.recorded:
                trace.ended.append(span)


def acts(*tags: str) -> None:
    """The pass does something: its trace is kept."""
    trace = _UNDER_WAY.get()
    if trace is not None:
        trace.acted = True
        trace.tags += [tag for tag in tags if tag not in trace.tags]


def hides(*jobs: Mapping[str, Any] | None) -> None:
    """What is secret in these jobs is in no span of the trace."""
    trace = _UNDER_WAY.get()
    if trace is not None:
        for job in jobs:
            if job and not any(job is known for known in trace.jobs):
                trace.jobs.append(job)


def under_way() -> str:
    """The id of the trace under way, 32 hexadecimal digits; empty where none is, or a sampler leaves it out."""
    trace = _UNDER_WAY.get()
    return trace.id if trace is not None else ""


def as_text(value: object, *, longest: int = LONGEST) -> str:
    """Texts as they are, anything else as JSON; what is too long ends in `…`."""
    if not isinstance(value, str):
        try:
            value = json.dumps(value, ensure_ascii=False, default=str)
        except (TypeError, ValueError, RecursionError):
            value = type(value).__name__
    return value if len(value) <= longest else f"{value[: longest - 1]}…"


def outline(value: object, *, deeper: int = _DEEPEST) -> Any:
    """What an answer says in a few words and numbers: of collections how many, of jobs and other bodies nothing."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return as_text(value, longest=_LONGEST_WORD)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if is_dataclass(value) and not isinstance(value, type):
        if not deeper:
            return type(value).__name__
        return {one.name: outline(getattr(value, one.name), deeper=deeper - 1) for one in fields(value)}
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, list | tuple) and deeper and len(value) <= _MOST_SHOWN:
        return [outline(one, deeper=deeper - 1) for one in value]
    if isinstance(value, Collection):
        return f"{len(value)} of {type(value).__name__}"
    return type(value).__name__
