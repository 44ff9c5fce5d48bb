"""Is Nomad there? What the lists, the event stream and the passes meet is one outage, found in seconds, told once.

Only a read of the lists decides. A stream that breaks, and a pass that Nomad does not answer, ask for one.
"""

from __future__ import annotations

from collections.abc import Callable

from desired.errors import DeadlineExceeded, OperatorError, Unavailable
from nomad_operator.log import Outages
from nomad_operator.metrics import Metrics
from reconcilers.reports import Reports

_STREAM = "nomad event stream"
_PARSER = "job file parser"


class NomadWatch:
    """`look` asks for a read of the lists, soon; what it finds comes back as `read`. `back`: Nomad answers again."""

    def __init__(
        self,
        *,
        outages: Outages,
        metrics: Metrics,
        reports: Reports,
        look: Callable[[], None],
        back: Callable[[], None],
    ) -> None:
        self._outages = outages
        self._metrics = metrics
        self._reports = reports
        self._look = look
        self._back = back
        self._held_up = ""
        self._stream: OperatorError | None = None
        self.problem: OperatorError | None = None

    def read(self, problem: OperatorError | None) -> None:
        """What a read of the lists ended with. A stream that is broken while they answer is an outage of its own."""
        back = problem is None and self.problem is not None
        self.problem = problem
        self._outages.report("nomad", problem.message if problem else None, hint=problem.hint if problem else "")
        self._metrics.dependency_up("nomad", up=problem is None)
        self._reports.nomad_read(problem)
        if problem is None and self._stream is not None:
            self._outages.report(_STREAM, self._stream.message, hint=self._stream.hint)
        self._stream = None
        if problem is None and self._held_up and not back:
            self._outages.report(_PARSER, self._held_up)
        if back:
            self._back()

    def parser(self, held_up: str) -> None:
        """What keeps files from being parsed; empty if nothing does. With Nomad away that is the same outage."""
        self._held_up = held_up
        if not held_up:
            self._outages.report(_PARSER, None)
        elif self.problem is None and _PARSER not in self._outages.open:
            self._look()

    def stream(self, problem: OperatorError | None) -> None:
        """The event stream broke or could not be had; None when it is heard."""
        self._metrics.stream_up(problem is None)
        if problem is None:
            self._stream = None
            self._outages.report(_STREAM, None)
        elif self.problem is None and _STREAM not in self._outages.open:
            self._stream = problem
            self._look()

    def explains(self, error: Exception) -> bool:
        """A pass failed: is it because Nomad is away, as has been told already? If that may be, it is looked at."""
        if not isinstance(error, Unavailable | DeadlineExceeded | TimeoutError):
            return False
        if self.problem is None:
            self._look()
        return self.problem is not None
