"""What people of a cluster showed that they want, by what they did about repairs: in words, for a model. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconcilers.repair.recalled_words import steps_in_words
from reconcilers.repair.remembered import Learned, Remembered

_MOST = 10
_DID = {Learned.REVERTED: "took back", Learned.REJECTED: "turned down"}
_HELD = frozenset({Learned.VERIFIED, Learned.DURABLE})


@dataclass(frozen=True, slots=True)
class Decided:
    """One repair that a person decided about; `repair` in words."""

    repair: str
    outcome: Learned
    approved: bool
    app: str


def decided(one: Remembered) -> Decided:
    return Decided(steps_in_words(one.steps), one.outcome, one.approved, one.app)


def preferences(repairs: Iterable[Decided]) -> tuple[str, ...]:
    """The newest few, of repairs with the newest first; each once."""
    found: dict[str, None] = {}
    for one in repairs:
        did = _DID.get(one.outcome) or ("approved" if one.approved and one.outcome in _HELD else "")
        if did and len(found) < _MOST:
            found[f"they {did}, of {one.app}: {one.repair}"] = None
    return tuple(found)
