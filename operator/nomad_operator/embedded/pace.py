"""How long things take that no rule decides: a task's steps, until its client tells of them, the queue of evaluations.

Which comes first is often a race on a real Nomad. A pace decides such races; all else follows from rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

Mapped = Mapping[str, Any]


class Pace(Protocol):
    """All times are nanoseconds; `usual` is how long it takes where nothing is known."""

    def step(self, allocation: Mapped, task: str, kind: str, *, now: int, usual: int) -> int:
        """Until the task's next `Started`, `Terminated` by itself, `Stopped` because it had to be, `Killed`.

        Without a task: until the allocation is `Healthy`, if it is by then.
        """
        ...

    def told(self, allocation: Mapped, *, events: int, judged: bool, now: int, usual: int) -> int:
        """Until its client tells the servers of so many task events, and of its health if that has been `judged`."""
        ...

    def evaluated(self, evaluation: Mapped, *, now: int, usual: int) -> int:
        """Until an evaluation that has just been made is processed."""
        ...


class Usual:
    """Nothing is known."""

    def step(self, allocation: Mapped, task: str, kind: str, *, now: int, usual: int) -> int:
        return usual

    def told(self, allocation: Mapped, *, events: int, judged: bool, now: int, usual: int) -> int:
        return usual

    def evaluated(self, evaluation: Mapped, *, now: int, usual: int) -> int:
        return usual
