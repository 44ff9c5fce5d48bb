"""What of an app's repairs git does not say yet and is to be told, by the record and the file alone. Pure."""

from __future__ import annotations

import hashlib
import json
import string
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from desired.operations.operation import Operation
from desired.operations.operation_json import to_json
from desired.policy import RepairMode
from desired.state import DesiredApp
from reconcilers.record import Record
from reconcilers.repair.closing import joined
from reconcilers.repair.episode import Try

_BRANCHES = "nomad-operator/repair"
_PLAIN = frozenset(string.ascii_letters + string.digits + "-_")


class WriteBackTo(StrEnum):
    """Where verified repairs are committed: nowhere, on a branch for each app, or on the branch that is followed."""

    OFF = "off"
    BRANCH = "branch"
    PUSH = "push"


@dataclass(frozen=True, slots=True)
class Owed:
    """`digest` tells one such change from another; `proposal` is the one that waits for a person and is part of it.

    `branch` is None for the branch that is followed. `at` is when the newest operation was verified or proposed.
    """

    operations: tuple[Operation, ...]
    digest: str
    branch: str | None
    at: datetime
    proposal: Try | None = None


def owed(record: Record, app: DesiredApp, to: WriteBackTo) -> Owed | None:
    """All that is verified, always as one change; on a branch also a proposal that waits, for merging it approves it.

    None where there is nothing, where it has been written as it is, and for an app that is to be left alone.
    """
    if to is WriteBackTo.OFF or record.suspended or app.policy.suspend or app.policy.repair.mode is RepairMode.OFF:
        return None
    waiting = record.episode.waiting if record.episode is not None and to is WriteBackTo.BRANCH else None
    operations = tuple(kept.operation for kept in record.overlay)
    times = [kept.verified_at for kept in record.overlay]
    if waiting is not None:
        operations = joined(operations, waiting.trial)
        times.append(waiting.at)
    if not operations:
        return None
    told = [to.value, app.source_hash, waiting.hash if waiting else "", [to_json(one) for one in operations]]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
    if record.write_back is not None and record.write_back.of == digest:
        return None
    branch = branch_of(record) if to is WriteBackTo.BRANCH else None
    return Owed(operations, digest, branch, max(times), waiting)


def branch_of(record: Record) -> str:
    """`nomad-operator/repair/<namespace>/<name>`. What a ref may not hold is written `%2F`; so is a slash in a name,
    for no branch can be the folder of another."""
    return f"{_BRANCHES}/{_part(record.key.namespace)}/{_part(record.key.name)}"


def _part(name: str) -> str:
    """Source: git-check-ref-format(1)."""
    letters = []
    for at, letter in enumerate(name):
        dot = letter == "." and 0 < at < len(name) - 1 and name[at + 1] != "." and not name[at:].startswith(".lock")
        plain = letter in _PLAIN or dot
        letters.append(letter if plain else "".join(f"%{byte:02X}" for byte in letter.encode()))
    return "".join(letters)
