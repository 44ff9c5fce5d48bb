"""How repairs went, told of the traces in which they were proposed and of the prompts that were asked for them.

Where a repair was proposed, and with which prompt, stands in its record: it may end in another process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from nomad_operator.outcomes import DURABLE, HEALTHY, VALIDATED
from reconcilers.record import Record
from reconcilers.repair.episode import Episode, Try, TryState
from reconcilers.repair.happened import Ended, Lasted, Proposed, happened

_COUNTED = {
    VALIDATED: ("rejected", "validated"), HEALTHY: ("failed", "healthy"), DURABLE: ("undone", "durable"),
}  # fmt: skip


class Counts(Protocol):
    def prompt_went(self, prompt: str, version: int, label: str, outcome: str) -> None: ...


class OutcomesTold:
    """A listener of the records. `score` takes a score as Langfuse wants it; it must return at once."""

    def __init__(
        self, *, counts: Counts, score: Callable[[Mapping[str, Any]], None], now: Callable[[], datetime]
    ) -> None:
        self._counts = counts
        self._score = score
        self._now = now

    def saved(self, before: Record, after: Record) -> None:
        for one in happened(before, after):
            match one:
                case Proposed(_, episode, attempt, _):
                    self._tell(episode, attempt, VALIDATED, good=attempt.state is not TryState.GUARDED)
                case Ended(_, episode, attempt):
                    self._tell(episode, attempt, HEALTHY, good=attempt.state is TryState.VERIFIED)
                case Lasted(_, episode):
                    for attempt in episode.tries:
                        if attempt.state is TryState.VERIFIED:
                            self._tell(episode, attempt, DURABLE, good=bool(episode.durable))

    def _tell(self, episode: Episode, attempt: Try, outcome: str, *, good: bool) -> None:
        if (prompt := attempt.prompt) is not None:
            self._counts.prompt_went(prompt.name, prompt.version, prompt.label, _COUNTED[outcome][good])
        if attempt.trace:
            # Told twice it is one.
            named = hashlib.sha256(f"{attempt.trace}/{attempt.hash}/{outcome}".encode()).hexdigest()[:32]
            self._score({
                "id": named, "traceId": attempt.trace, "name": outcome, "value": int(good), "dataType": "BOOLEAN",
                "comment": f"episode {episode.id}, {attempt.diagnosis.failure.value}, {attempt.rung.value}",
                "timestamp": self._now().isoformat(),
            })  # fmt: skip
