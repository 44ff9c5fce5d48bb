"""The message of a commit that carries repairs back: what was changed, why, and what proves that it helped. Pure.

Its evidence comes from logs and checks, so from whoever can make an app write a line: no word of it may end a line,
pass for a trailer, or be an order to whatever reads commits (`#12`, `@name`, `[skip ci]`).
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from datetime import datetime

from desired.edited_file import ByHand
from desired.operations.operation import Operation
from desired.operations.words import line
from reconcilers.record import Record
from reconcilers.repair.episode import Episode, Kept
from reconcilers.repair.owed import Owed

_SUBJECT = 72
_WIDTH = 100
_LINE = 400
_EVIDENCE = 8
_ORDERS = re.compile(r"(?<=[#@!])(?=\w)|(?<=\[)(?=[^\]]*(?:skip|ci))", re.IGNORECASE)


def commit_message(record: Record, owed: Owed, done: tuple[Operation, ...], by_hand: tuple[ByHand, ...]) -> str:
    """Depends on nothing that changes between two tries to write the same."""
    episodes = _episodes(record, owed)
    parts = [_subject(record, owed, done), *(_failure(one) for one in episodes)]
    parts.append("\n".join(("Changes:", *_changes(record, owed, done))))
    if by_hand:
        told = [_item(f"{line(one.operation)} ({one.why})") for one in by_hand]
        parts.append("\n".join(("Not in this commit, to be made by hand:", *told)))
    if owed.proposal is not None:
        parts.append(_wrapped("Not tried yet: it waits for approval, and merging this is one.", ""))
    ids = dict.fromkeys([*(one.episode for one in record.overlay), *(one.id for one in episodes)])
    trailers = [f"Nomad-Operator-App: {record.key}", *(f"Nomad-Operator-Episode: {one}" for one in ids)]
    return "\n\n".join([*parts, "\n".join(trailers)]) + "\n"


def _subject(record: Record, owed: Owed, done: tuple[Operation, ...]) -> str:
    what = "Proposed repair" if owed.proposal is not None else "Repair"
    more = f" and {len(done) - 1} more" if len(done) > 1 else ""
    for changes in (f"{_harmless(line(done[-1]))}{more}", f"{done[-1].kind.value.replace('_', ' ')}{more}"):
        text = f"{what} {_harmless(str(record.key))}: {changes}"
        if len(text) <= _SUBJECT:
            return text
    return text[: _SUBJECT - 1] + "…"


def _episodes(record: Record, owed: Owed) -> list[Episode]:
    """Those that are still remembered and have to do with it; the newest last."""
    kept = {one.episode for one in record.overlay}
    told = [record.last_episode] if record.last_episode is not None and record.last_episode.id in kept else []
    return [*told, record.episode] if owed.proposal is not None and record.episode is not None else told


def _failure(episode: Episode) -> str:
    found = episode.diagnosis
    lines = [_wrapped(f"It failed: {found.failure.value}: {_harmless(found.words)}", "")]
    if episode.evidence:
        lines += ["", "Evidence:", *(_item(one) for one in episode.evidence[:_EVIDENCE])]
    return "\n".join(lines)


def _changes(record: Record, owed: Owed, done: tuple[Operation, ...]) -> Iterator[str]:
    kept = {(one.operation.kind, one.operation.at): one for one in record.overlay}
    for operation in done:
        yield _item(line(operation))
        known = kept.get((operation.kind, operation.at))
        if known is not None and known.operation == operation:
            yield _wrapped(_verified(record, known), "  ")
        elif owed.proposal is not None:
            one = owed.proposal
            yield _wrapped(f"because {_harmless(one.reason)} ({one.rung.value}: {one.source})", "  ")


def _verified(record: Record, kept: Kept) -> str:
    last = record.last_episode
    source = ""
    if last is not None and last.id == kept.episode and last.tries:
        source = f": {last.tries[-1].source}"
    return f"because {_harmless(kept.reason)} ({kept.rung.value}{source}); healthy, verified {_when(kept.verified_at)}"


def _when(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _item(text: str) -> str:
    return _wrapped(_harmless(text), "  ", first="- ")


def _wrapped(text: str, indent: str, *, first: str | None = None) -> str:
    return textwrap.fill(
        text[:_LINE], _WIDTH, initial_indent=indent if first is None else first, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _harmless(text: str) -> str:
    return _ORDERS.sub(" ", " ".join("".join(one if one.isprintable() else " " for one in text).split()))
