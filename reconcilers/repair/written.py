"""What is known of carrying repairs back to git: part of the record, noted by the pass that follows. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from desired.operations.operation import Operation

if TYPE_CHECKING:
    from reconcilers.record import Record


@dataclass(frozen=True, slots=True)
class WrittenBack:
    """`of` is the digest of what was carried back last, empty while nothing was; `commit` on `branch` holds it.

    `told` says why something is not there: it has to be made by hand (`patch` shows what), or could not be written so
    far. Nothing secret stands in any of it.
    """

    of: str = ""
    commit: str = ""
    branch: str = ""
    told: str = ""
    patch: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What became of one writing. `done` are in the commit; `by_hand` are not, each with the reason."""

    state: WrittenBack
    done: tuple[Operation, ...] = ()
    by_hand: tuple[tuple[Operation, str], ...] = ()


def noted(record: Record, note: Note) -> Record:
    """The overlay says of each operation where it is by now. Noting twice is the same as noting once."""
    state = note.state
    places = {(one.kind, one.at): f"commit {state.commit[:12]} on {state.branch}" for one in note.done}
    places |= {(one.kind, one.at): f"needs a hand: {why}" for one, why in note.by_hand}
    overlay = tuple(
        replace(kept, written=places.get((kept.operation.kind, kept.operation.at), kept.written))
        for kept in record.overlay
    )
    return replace(record, overlay=overlay, write_back=state)
