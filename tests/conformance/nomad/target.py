"""What a recording is replayed against: a Nomad, its clock and its event stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is JSON where it is JSON, else the text; `lines` and `ended` only for reads of the event stream."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    lines: tuple[str, ...] = ()
    ended: bool = False


class Target(Protocol):
    """One running Nomad, made ready for one scenario."""

    name: str  # `embedded` or `real`
    paced: bool  # whether all goes at the recorded pace, to the millisecond

    def now(self) -> float:
        """Seconds since the scenario began."""
        ...

    async def wait_until(self, time: float) -> None:
        """Let time pass; a time that has passed is no wait."""
        ...

    async def send(self, method: str, path: str, query: Mapping[str, Any], body: Any) -> Answer:
        """One exchange, however long it blocks."""
        ...

    async def read_stream(self, query: Mapping[str, Any], seconds: float) -> Answer:
        """Read the event stream as text for that long, or until the server ends it."""
        ...

    def events(self) -> list[Mapping[str, Any]]:
        """Every event so far, of any job, read beside the exchanges."""
        ...
