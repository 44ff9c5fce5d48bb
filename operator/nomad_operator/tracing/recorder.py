"""A trace for each pass that acts: it is recorded while it runs, and handed on only when it was worth it.

A pass that changes nothing leaves nothing behind. One that fails while it acts is kept with its error.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry.trace import Span, Tracer

from desired import spans
from desired.app import AppKey
from reconcilers.result import Result, Settled

# What a trace takes in memory beside its texts: the spans themselves, and a job that it must not show.
_SPAN_BYTES = 2 * 1024
_JOB_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """A whole trace, as it was recorded: secrets are in it still."""

    name: str
    session: str
    tags: tuple[str, ...]
    spans: tuple[Span, ...]
    jobs: tuple[Mapping[str, Any], ...]

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        texts = sum(
            len(value)
            for span in self.spans
            for value in (getattr(span, "attributes", None) or {}).values()
            if isinstance(value, str)
        )
        return texts + _SPAN_BYTES * len(self.spans) + _JOB_BYTES * len(self.jobs)


class Recorder:
    """`take` is handed what is to be kept; it must return at once."""

    def __init__(self, *, tracer: Tracer, take: Callable[[Recorded], None]) -> None:
        self._tracer = tracer
        self._take = take

    @contextmanager
    def begun(self, name: str, *, session: str, asked: object) -> Iterator[spans.Told]:
        """See `desired.spans.Traces`."""
        trace: spans.Trace | None = None
        try:
            with spans.begun(self._tracer, name, session=session, asked=asked) as (trace, told):
                yield told
        finally:
            # Nothing has ended where a sampler left it out.
            if trace is not None and trace.acted and trace.ended:
                self._take(Recorded(name, session, tuple(trace.tags), tuple(trace.ended), tuple(trace.jobs)))

    def passes(self, reconcile: Callable[[AppKey], Awaitable[Result]]) -> Callable[[AppKey], Awaitable[Result]]:
        """The same passes, recorded."""

        async def recorded(key: AppKey) -> Result:
            with self.begun("pass", session=str(key), asked={"app": str(key)}) as told:
                result = await reconcile(key)
                settled = isinstance(result, Settled)
                told.answered({"result": "settled" if settled else "waiting", "reason": result.reason.value})
                return result

        return recorded
