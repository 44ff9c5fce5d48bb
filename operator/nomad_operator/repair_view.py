"""Episodes and the overlay as documented JSON: for `status`, `explain` and the API. Nothing secret stands in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from desired.app import AppKey
from desired.operations.operation import Operation
from desired.operations.operation_json import to_shown_json
from desired.operations.words import line
from observers.failures.diagnosis import Diagnosis
from observers.failures.table import advice
from reconcilers.record import Record
from reconcilers.repair.episode import Episode, Kept, Try, TryState


def when(at: datetime) -> str:
    """RFC 3339, in UTC, to the second."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def episode(one: Episode | None) -> dict[str, Any] | None:
    """The short form of the status; `outcome` stands only in one that has ended."""
    if one is None:
        return None
    told: dict[str, Any] = {
        "id": one.id,
        "class": one.diagnosis.failure.value,
        "cause": one.diagnosis.cause.value,
        "attempt": one.attempts,
        "startedAt": when(one.opened_at),
        "message": one.diagnosis.words,
        "hint": one.hint,
        "waiting": _waiting(one.waiting),
    }
    if one.outcome is not None and one.ended_at is not None:
        told |= {"outcome": one.outcome.value, "endedAt": when(one.ended_at), "durable": one.durable, "told": one.told}
    return told


def overlay(kept: tuple[Kept, ...]) -> list[dict[str, Any]]:
    """What differs between git and the cluster, by repairs."""
    return [
        {
            **to_shown_json(one.operation),
            "line": line(one.operation),
            "reason": one.reason,
            "rung": one.rung.value,
            "verifiedAt": when(one.verified_at),
            "written": one.written,
        }
        for one in kept
    ]


def story(record: Record, *, now: Diagnosis | None = None) -> dict[str, Any]:
    """What `explain` tells: the open episode or the last one in full, what is in force by repairs, and what is wrong
    at this moment and no episode speaks of yet."""
    one = record.episode or record.last_episode
    return {
        "key": str(record.key),
        "open": record.episode is not None,
        "episode": None if one is None else full(one, record),
        "now": None if now is None or record.episode is not None else _now(now),
        "overlay": overlay(record.overlay),
        "writeBack": _written_back(record),
    }


def _now(found: Diagnosis) -> dict[str, Any]:
    return {
        "class": found.failure.value,
        "cause": found.cause.value,
        "message": found.words,
        "hint": advice(found),
        "certain": found.conclusive,
    }


def _written_back(record: Record) -> dict[str, Any] | None:
    """Where git has what is in force or waits, or why it has not; null where nothing of that is to be there."""
    state = record.write_back
    waits = record.episode is not None and record.episode.waiting is not None
    if state is None or not (record.overlay or waits):
        return None
    return {"branch": state.branch, "commit": state.commit, "told": state.told, "patch": state.patch}


def past(key: AppKey, one: Episode) -> dict[str, Any]:
    """An episode that is over, in a row of a table of many; `rung` is whose repair was tried last, if any was."""
    told = episode(one)
    assert told is not None
    acted = [each for each in one.tries if each.acted]
    verified = [each for each in acted if each.state is TryState.VERIFIED]
    return {
        **told,
        "key": str(key),
        "rung": acted[-1].rung.value if acted else "none",
        "undone": one.undone,
        "operations": operations(tuple(made for each in verified for made in each.operations)),
    }


def full(one: Episode, record: Record) -> dict[str, Any]:
    """Everything that is told of one episode."""
    told = episode(one)
    assert told is not None
    found = one.diagnosis
    return {
        **told,
        "where": {
            name: value for name in ("group", "task", "service", "check", "port") if (value := getattr(found, name))
        },
        "facts": dict(found.facts),
        "failingSince": when(one.failing_since),
        "evidence": list(one.evidence),
        "choices": list(one.choices),
        "tries": [_try(number, each, record) for number, each in enumerate(one.tries, 1)],
    }


def _try(number: int, one: Try, record: Record) -> dict[str, Any]:
    registered = record.applied is not None and record.applied.spec_hash == one.spec_hash
    return {
        "number": number,
        "state": one.state.value,
        # Chosen or approved, and not yet written: repairs are stopped, or nothing is written at all.
        "pending": one.state is TryState.OPEN and not registered,
        "class": one.diagnosis.failure.value,
        "rung": one.rung.value,
        "source": one.source,
        "reason": one.reason,
        "proposal": one.hash,
        "operations": operations(one.operations),
        "told": one.told,
        "at": when(one.at),
        "endedAt": when(one.ended_at) if one.ended_at else None,
    }


def operations(told: tuple[Operation, ...]) -> list[dict[str, Any]]:
    return [{**to_shown_json(one), "line": line(one)} for one in told]


def _waiting(one: Try | None) -> dict[str, Any] | None:
    """What a person is asked to approve."""
    if one is None:
        return None
    return {
        "proposal": one.hash,
        "reason": one.reason,
        "why": one.told,
        "operations": operations(one.operations),
        "since": when(one.at),
    }
