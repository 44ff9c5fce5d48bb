"""How repairs went, told of the traces in which they were proposed and of the prompts that were asked for them.

What is remembered for it is in memory alone: a repair that ends after a restart has no scores. Repair metrics and the
story of an episode do not depend on it.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from desired import spans
from desired.app import AppKey
from nomad_operator.outcomes import DURABLE, HEALTHY, VALIDATED
from nomad_operator.prompts_used import used_in_this_pass
from prompts.model.question import PromptVersion
from reconcilers.record import Record
from reconcilers.repair.episode import Episode, Try, TryState
from reconcilers.repair.happened import Ended, Lasted, Proposed, happened
from reconcilers.repair.proposal import Rung

_MOST = 1000
_COUNTED = {
    VALIDATED: ("rejected", "validated"), HEALTHY: ("failed", "healthy"), DURABLE: ("undone", "durable"),
}  # fmt: skip


class Counts(Protocol):
    def prompt_went(self, prompt: str, version: int, label: str, outcome: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a proposal came from."""

    trace: str
    prompts: tuple[PromptVersion, ...]
    episode: str


class OutcomesTold:
    """A listener of the records. `score` takes a score as Langfuse wants it; it must return at once."""

    def __init__(
        self, *, counts: Counts, score: Callable[[Mapping[str, Any]], None], now: Callable[[], datetime]
    ) -> None:
        self._counts = counts
        self._score = score
        self._now = now
        self._origins: OrderedDict[tuple[AppKey, str], _Origin] = OrderedDict()

    def saved(self, before: Record, after: Record) -> None:
        for one in happened(before, after):
            match one:
                case Proposed(key, episode, attempt, _):
                    self._proposed(key, episode, attempt)
                case Ended(key, attempt):
                    self._tell(key, attempt, HEALTHY, good=attempt.state is TryState.VERIFIED)
                case Lasted(key, episode):
                    for attempt in episode.tries:
                        if attempt.state is TryState.VERIFIED:
                            self._tell(key, attempt, DURABLE, good=bool(episode.durable))

    def _proposed(self, key: AppKey, episode: Episode, attempt: Try) -> None:
        prompts = used_in_this_pass() if attempt.rung is Rung.MODEL else ()
        self._origins[key, attempt.hash] = _Origin(spans.under_way(), prompts, episode.id)
        if len(self._origins) > _MOST:
            self._origins.popitem(last=False)
        self._tell(key, attempt, VALIDATED, good=attempt.state is not TryState.GUARDED)

    def _tell(self, key: AppKey, attempt: Try, outcome: str, *, good: bool) -> None:
        origin = self._origins.get((key, attempt.hash))
        if origin is None:
            return
        for prompt in origin.prompts:
            self._counts.prompt_went(prompt.name, prompt.version, prompt.label, _COUNTED[outcome][good])
        if origin.trace:
            # Told twice it is one.
            named = hashlib.sha256(f"{origin.trace}/{attempt.hash}/{outcome}".encode()).hexdigest()[:32]
            self._score({
                "id": named, "traceId": origin.trace, "name": outcome, "value": int(good), "dataType": "BOOLEAN",
                "comment": f"episode {origin.episode}, {attempt.diagnosis.failure.value}, {attempt.rung.value}",
                "timestamp": self._now().isoformat(),
            })  # fmt: skip
