"""Traces that wait to be sent, to one place: bounded, sent by a thread of its own that nobody waits for.

A place that is slow, away or hangs costs traces, the oldest first, and nothing else. After a failure it is left alone
for a while, longer each time.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from desired.errors import OperatorError
from nomad_operator.tracing.recorder import Recorded

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

MOST_BYTES = 8 * 1024 * 1024
_MOST_TRACES = 256
_MOST_AT_ONCE = 512
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 60.0


class Place(Protocol):
    """Where traces go; used by one thread."""

    name: str

    def send(self, spans: list[ReadableSpan]) -> None:
        """Raises OperatorError where they were not taken."""
        ...


class Teller(Protocol):
    """Called from the outbox's thread, and from whoever puts."""

    def sent(self, place: str, traces: int) -> None: ...

    def lost(self, place: str, traces: int) -> None: ...

    def reached(self, place: str, problem: OperatorError | None) -> None: ...


class Outbox:
    """`redacted` makes of a trace what may be sent; it runs in the thread."""

    def __init__(
        self,
        *,
        place: Place,
        redacted: Callable[[Recorded], list[ReadableSpan]],
        tell: Teller,
        most_bytes: int = MOST_BYTES,
        pause: float = _FIRST_PAUSE,
    ) -> None:
        self._place = place
        self._redacted = redacted
        self._tell = tell
        self._most_bytes = most_bytes
        self._first_pause = pause
        self._waiting: deque[tuple[Recorded, int]] = deque()
        self._bytes = 0
        self._sending = 0
        self._stopping = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def put(self, recorded: Recorded) -> None:
        """Returns at once; takes the oldest out where there is no room."""
        size = recorded.size
        lost = 0
        with self._changed:
            if self._stopping or size > self._most_bytes:
                lost = 1
            else:
                self._waiting.append((recorded, size))
                self._bytes += size
                while self._bytes > self._most_bytes or len(self._waiting) > _MOST_TRACES:
                    self._bytes -= self._waiting.popleft()[1]
                    lost += 1
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, daemon=True, name=f"traces-{self._place.name}")
                    self._thread.start()
                self._changed.notify_all()
        if lost:
            self._tell.lost(self._place.name, lost)

    @property
    def bytes(self) -> int:
        """About how much waits."""
        with self._changed:
            return self._bytes

    def close(self, within: float) -> None:
        """Sends what waits, for so many seconds at most; blocks for as long."""
        until = monotonic() + within
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            while (self._waiting or self._sending) and (left := until - monotonic()) > 0:
                self._changed.wait(left)
            lost = len(self._waiting) + self._sending
            self._waiting.clear()
            self._bytes = 0
            self._changed.notify_all()
        if lost:
            self._tell.lost(self._place.name, lost)

    def _run(self) -> None:
        try:
            self._send_all()
        finally:
            # A bug ends the thread, and is told as such; the next trace begins another.
            with self._changed:
                self._sending = 0
                self._thread = None
                self._changed.notify_all()

    def _send_all(self) -> None:
        pause = self._first_pause
        while taken := self._taken():
            try:
                self._place.send([span for one in taken for span in self._redacted(one)])
            except OperatorError as error:
                self._tell.reached(self._place.name, error)
                self._tell.lost(self._place.name, len(taken))
                self._done()
                self._rest(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                self._tell.reached(self._place.name, None)
                self._tell.sent(self._place.name, len(taken))
                self._done()
                pause = self._first_pause

    def _taken(self) -> list[Recorded]:
        """What waits, as much as goes into one request; nothing at the end."""
        with self._changed:
            while not self._waiting:
                if self._stopping:
                    return []
                self._changed.wait()
            taken: list[Recorded] = []
            spans = 0
            while self._waiting and (not taken or spans + len(self._waiting[0][0].spans) <= _MOST_AT_ONCE):
                recorded, size = self._waiting.popleft()
                self._bytes -= size
                spans += len(recorded.spans)
                taken.append(recorded)
            self._sending = len(taken)
            return taken

    def _done(self) -> None:
        with self._changed:
            self._sending = 0
            self._changed.notify_all()

    def _rest(self, seconds: float) -> None:
        until = monotonic() + seconds
        with self._changed:
            while not self._stopping and (left := until - monotonic()) > 0:
                self._changed.wait(left)
