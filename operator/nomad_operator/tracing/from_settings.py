"""Traces as the settings and OpenTelemetry's own variables ask for them; none where nothing names a place for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

from desired.app import AppKey
from desired.errors import OperatorError
from desired.spans import Traces, Untraced
from nomad_operator.from_settings import secrets_of
from nomad_operator.log import Log, Outages
from nomad_operator.metrics import Metrics
from nomad_operator.settings import Settings
from nomad_operator.tracing.outbox import Outbox, Place
from nomad_operator.tracing.places import CollectorPlace, LangfusePlace, collector_named, tracer
from nomad_operator.tracing.recorder import Recorded, Recorder
from nomad_operator.tracing.redaction import Redaction
from observers.reach.address import Reach
from observers.redaction import Placeholders
from reconcilers.result import Result

_DEADLINE = timedelta(seconds=10)
_CONNECT = timedelta(seconds=3)

Passes = Callable[[AppKey], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Tracing:
    """`recorder` is None where nothing is recorded."""

    recorder: Recorder | None = None
    outboxes: tuple[Outbox, ...] = ()

    @property
    def traces(self) -> Traces:
        return self.recorder or Untraced()

    def passes(self, reconcile: Passes) -> Passes:
        return self.recorder.passes(reconcile) if self.recorder is not None else reconcile

    def close(self, within: float) -> None:
        """Sends what waits, for so many seconds at most; blocks for as long. What is left is lost."""
        until = monotonic() + within
        for outbox in self.outboxes:
            outbox.close(max(0.0, until - monotonic()))


def tracing(
    settings: Settings,
    *,
    environ: Mapping[str, str],
    placeholders: Placeholders,
    log: Log,
    outages: Outages,
    metrics: Metrics,
) -> Tracing:
    """Must be called inside the loop. Nothing is sent yet."""
    if not settings.traces:
        return Tracing()
    try:
        collector = collector_named(environ)
    except OperatorError as error:
        log.warning("traces are not sent to the collector", problem=error.message, hint=error.hint)
        collector = False
    langfuse = _langfuse_reach(settings)
    if not collector and langfuse is None:
        return Tracing()
    try:
        made = tracer(environ)
        places: list[Place] = [CollectorPlace()] if collector else []
    except ImportError:
        log.warning(
            "traces are not sent: OpenTelemetry's SDK and exporter are not installed",
            hint="pip install 'nomad-operator[tracing]', or NOMAD_OPERATOR_TRACES=false",
        )
        return Tracing()
    if langfuse is not None:
        places.append(_langfuse(settings, langfuse))
    tell = _Told(asyncio.get_running_loop(), outages, metrics)
    redaction = Redaction(secrets=secrets_of(settings), placeholders=placeholders)
    outboxes = tuple(Outbox(place=place, redacted=redaction.redacted, tell=tell) for place in places)

    def take(recorded: Recorded) -> None:
        for outbox in outboxes:
            outbox.put(recorded)

    return Tracing(Recorder(tracer=made, take=take), outboxes)


def _langfuse_reach(settings: Settings) -> Reach | None:
    if settings.langfuse_host is None or settings.langfuse_public_key is None or settings.langfuse_secret_key is None:
        return None
    return Reach(
        service="Langfuse", setting="LANGFUSE_HOST", address=settings.langfuse_host, deadline=_DEADLINE,
        connect_timeout=_CONNECT, max_calls=1,
    )  # fmt: skip


def _langfuse(settings: Settings, reach: Reach) -> LangfusePlace:
    public, secret = settings.langfuse_public_key, settings.langfuse_secret_key
    assert public is not None and secret is not None
    return LangfusePlace(reach=reach, public_key=public.get_secret_value(), secret_key=secret.get_secret_value())


class _Told:
    """Brings what the outboxes' threads tell into the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, outages: Outages, metrics: Metrics) -> None:
        self._loop = loop
        self._outages = outages
        self._metrics = metrics

    def sent(self, place: str, traces: int) -> None:
        self._metrics.traces(place, "sent", traces)

    def lost(self, place: str, traces: int) -> None:
        self._metrics.traces(place, "lost", traces)

    def reached(self, place: str, problem: OperatorError | None) -> None:
        with suppress(RuntimeError):  # the loop is gone: nobody is told any more
            self._loop.call_soon_threadsafe(self._reached, f"traces to {place}", problem)

    def _reached(self, service: str, problem: OperatorError | None) -> None:
        self._outages.report(service, problem.message if problem else None, hint=problem.hint if problem else "")
