"""The lock on one Nomad variable: taken, renewed, given up, and waited for.

Nomad frees a lock that is not renewed after twice its TTL and then its delay. An expiry that Nomad has begun to carry
out takes away whatever lock is there when the delay ends: an id that may have expired is never used again, neither to
take the lock nor to give it up. `nomad_operator.lease` keeps to that.
Source: nomad/locks.go, nomad/variables_endpoint.go; recorded in nomad-2.0.5 (variable-locks).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from desired.errors import Conflict
from observers.nomad import endpoints
from observers.nomad.answers import Unintelligible, mapping, needed, number, text
from observers.nomad.calls import Answer, Call, Caller
from observers.nomad.connection import Connection

_ABSENT = (r"variable (not found|doesn't exist)",)
# What the deadline allows beyond the wait: Nomad adds up to a sixteenth of it.
_LOOK_DEADLINE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Looked:
    """What stands in the variable, whoever wrote it; `index` is what a later look may wait to be passed."""

    items: Mapping[str, str]
    index: int


class NomadLock:
    """`answers_within` bounds taking, renewing and giving up: they must end well before the lock does."""

    def __init__(self, *, connection: Connection, path: str, answers_within: timedelta) -> None:
        self._namespace = connection.namespace
        self._path = path
        quick = replace(
            connection, read_deadline=answers_within, connect_timeout=min(answers_within, connection.connect_timeout),
            max_connections=1,
        )  # fmt: skip
        self._call = Caller(connection=quick)
        self._looking = Caller(connection=replace(connection, read_deadline=_LOOK_DEADLINE, max_connections=1))

    async def aclose(self) -> None:
        await self._call.aclose()
        await self._looking.aclose()

    async def acquire(self, items: Mapping[str, str], *, ttl: timedelta, delay: timedelta) -> str | None:
        """The lock's id, None where it is another's. What stood in the variable is replaced by `items`."""
        lock = {"TTL": _span(ttl), "LockDelay": _span(delay)}
        call = self._operation("lock-acquire", "take the lock", {"Items": dict(items), "Lock": lock})
        try:
            return await self._call.needed(call, _lock_id)
        except Conflict:
            return None

    async def renew(self, lock_id: str) -> bool:
        """False: it is not ours any more."""
        try:
            return (await self._call(self._operation("lock-renew", "renew the lock", _held(lock_id)), _done)) is True
        except Conflict:
            return False

    async def release(self, lock_id: str) -> None:
        """Only while it is ours for certain."""
        await self._call(self._operation("lock-release", "give up the lock", _held(lock_id)), _done)

    async def look(self, *, after: int = 0, wait: timedelta = timedelta(0)) -> Looked:
        """What stands there now; with `after`, as soon as that changes (a lock given up is a change)."""
        waiting = {"index": str(after), "wait": f"{wait.total_seconds():g}s"} if after else {}
        call = Call(
            endpoint=endpoints.VARIABLE,
            what=f"look at the lock {self._path}",
            arguments=tuple(self._path.split("/")),
            parameters={"namespace": self._namespace, **waiting},
            absent=_ABSENT,
        )
        return await self._looking(call, _looked) or Looked({}, 0)

    def _operation(self, name: str, what: str, body: Mapping[str, object]) -> Call:
        return Call(
            endpoint=endpoints.LOCK,
            what=f"{what} {self._path}",
            arguments=tuple(self._path.split("/")),
            # A renewal takes its namespace from the query alone.
            parameters={"namespace": self._namespace, name: ""},
            body={"Namespace": self._namespace, "Path": self._path, **body},
            absent=_ABSENT,
            refused=lambda status, _said: Conflict(f"the lock {self._path} is not ours") if status == 409 else None,
        )


def _held(lock_id: str) -> Mapping[str, object]:
    return {"Lock": {"ID": lock_id}}


def _done(_answer: Answer) -> bool:
    return True


def _lock_id(answer: Answer) -> str:
    found = mapping(mapping(answer.body, "the variable").get("Lock"), "Lock")
    return needed(found, "ID")


def _looked(answer: Answer) -> Looked:
    found = mapping(answer.body, "the variable")
    items = mapping(found.get("Items"), "Items")
    index = number(found, "ModifyIndex")
    if index <= 0:
        raise Unintelligible("ModifyIndex is missing")
    return Looked({name: text(items, name) for name in items}, index)


def _span(time: timedelta) -> str:
    return f"{time.total_seconds():g}s"
