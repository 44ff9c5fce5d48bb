"""Sets logging up once per process: one line an event, on standard error, text on a terminal and JSON elsewhere.

Lines of libraries (through `logging`) take the same form. Tracebacks never hold local variables: those hold secrets.
`Outages` keeps what is down from filling the log.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

import structlog
from structlog.typing import EventDict, Processor

from nomad_operator.settings import LogFormat, LogLevel

# They write a line for every request or every poll, at any level; a problem of theirs is still told.
_TALKATIVE = (
    "apscheduler", "asyncio", "httpcore", "httpcore2", "httpx", "httpx2", "openai", "urllib3", "uvicorn",
)  # fmt: skip
# It tells of each batch that was not sent; `Outages` tells that once.
_TOLD_OTHERWISE = ("opentelemetry",)


# Times, ports and ids in a problem make it no other cause.
_VARIES = re.compile(r"\d+|[0-9a-f]{8,}")
_MOST_CAUSES = 4


def configure(*, form: LogFormat, level: LogLevel, stream: TextIO | None = None) -> None:
    """Replaces whatever was configured before. `stream` is standard error if None."""
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendered(form, stream)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.value.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _TOLD_OTHERWISE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _rendered(form: LogFormat, stream: TextIO) -> list[Processor]:
    terminal = stream.isatty()
    if form is LogFormat.TEXT or (form is LogFormat.AUTO and terminal):
        colors = terminal and not os.environ.get("NO_COLOR")
        # The default formatter prints local variables where `rich` happens to be installed.
        plain = structlog.dev.plain_traceback
        lines = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain, pad_event_to=0, sort_keys=False)
        return [_without_blanks, lines]
    traceback = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [structlog.processors.ExceptionRenderer(traceback), structlog.processors.JSONRenderer(default=str)]


def _without_blanks(_logger: object, _method: str, line: EventDict) -> EventDict:
    """A line is read from the left, in the order it was told: who, what, why. JSON keeps every key."""
    return {name: value for name, value in line.items() if value != ""}


class Log(Protocol):
    """As much of a structlog logger as outages need."""

    def info(self, event: str, **values: Any) -> Any: ...

    def warning(self, event: str, **values: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Outage:
    """`since` is a reading of the monotonic clock, in seconds; `problem` is the newest, `told` what the log says."""

    since: float
    problem: str
    told: frozenset[str] = frozenset()


class Outages:
    """One line when a dependency goes, one when it comes back; in between one for each other cause, a few at most."""

    def __init__(self, *, log: Log, clock: Callable[[], float]) -> None:
        self._log = log
        self._clock = clock
        self._open: dict[str, Outage] = {}

    @property
    def open(self) -> Mapping[str, Outage]:
        """What is down now, by service."""
        return self._open

    def report(self, service: str, problem: str | None, *, hint: str = "") -> bool:
        """What the service did last: a problem, or None for an answer. True if that changed whether it is up."""
        before = self._open.get(service)
        if problem is not None:
            cause = _VARIES.sub("#", problem)
            told = before.told if before else frozenset()
            if before is None or (cause not in told and len(told) < _MOST_CAUSES):
                more = {"hint": hint} if hint else {}
                self._log.warning(
                    "dependency still down" if before else "dependency down", service=service, problem=problem, **more
                )
                told |= {cause}
            self._open[service] = Outage(before.since if before else self._clock(), problem, told)
            return before is None
        if before is not None:
            del self._open[service]
            self._log.info("dependency back", service=service, after_seconds=round(self._clock() - before.since, 1))
        return before is not None
