"""Variables: compare-and-set, locks, and the timers of locks.

A lock that is not renewed is free after twice its TTL and its delay.
Source: nomad/variables_endpoint.go, nomad/locks.go; recorded in variables and variable-locks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from desired.job.duration import DurationError, format_duration, parse_duration
from nomad_operator.embedded.instant import HOUR, SECOND
from nomad_operator.embedded.state import Key, State
from nomad_operator.embedded.timers import Timer, Timers

Value = dict[str, Any]
Mapped = Mapping[str, Any]

_PATH = re.compile(r"[a-zA-Z0-9\-_~/]{1,128}")
_LARGEST = 64 * 1024
_DEFAULT = "15s"
_RESERVED = re.compile(r"nomad/(?:jobs(?:/.*)?|job-templates/.+|sentinel/.+)")


class VariableRefused(Exception):
    """`body` is a text or, where another write won, the variable."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


class Variables:
    """Reads and writes variables."""

    def __init__(self, *, state: State, timers: Timers, new_id: Callable[[], str]) -> None:
        self._state = state
        self._timers = timers
        self._new_id = new_id
        self._expiries: dict[Key, Timer] = {}

    def put(self, key: Key, body: Mapped, *, cas: int | None) -> Value:
        """Write the items. Raises VariableRefused."""
        items = body.get("Items")
        if not items:
            raise VariableRefused(400, "variable missing required Items object")
        self._check_path(key[1])
        if sum(len(str(name).encode()) + len(str(value).encode()) for name, value in items.items()) > _LARGEST:
            raise _wrong("variables are limited to 64KiB in total size")
        old = self._state.variables.get(key)
        lock = self._held(key, old, body)
        self._compare(key, old, cas)
        if lock is not None:
            # Writing while locked resets what the lock was made with.
            lock = {"TTL": _DEFAULT, "LockDelay": _DEFAULT, "ID": lock["ID"]}
        return self._write(key, items, lock)

    def delete(self, key: Key, body: Mapped, *, cas: int | None) -> None:
        """Repeating it is safe. Raises VariableRefused."""
        old = self._state.variables.get(key)
        self._held(key, old, body)
        self._compare(key, old, cas)
        with self._state.write("VariableUpdated") as write:
            write.delete_variable(key)

    def acquire(self, key: Key, body: Mapped) -> Value:
        """Lock it; its items become those of the request. Raises VariableRefused."""
        self._check_path(key[1])
        wanted = body.get("Lock") or {}
        lock = {"TTL": _span(wanted.get("TTL")), "LockDelay": _span(wanted.get("LockDelay"))}
        if not 10 * SECOND <= parse_duration(lock["TTL"]) <= 24 * HOUR:
            raise _wrong("1 error occurred:\n\t* TTL must be between 10 seconds and 24 hours\n\n")
        old = self._state.variables.get(key)
        held = (old or {}).get("Lock")
        if held is not None and held["ID"] != wanted.get("ID"):
            raise _lost(key)
        lock["ID"] = held["ID"] if held is not None else self._new_id()
        value = self._write(key, body.get("Items") or {}, lock)
        if held is None:
            self._expect(key)
        return value

    def renew(self, key: Key, body: Mapped) -> Value:
        """Raises VariableRefused."""
        wanted = (body.get("Lock") or {}).get("ID")
        if not wanted:
            raise VariableRefused(500, "1 error occurred:\n\t* missing lock ID\n\n")
        old = self._state.variables.get(key)
        if old is None:
            raise VariableRefused(404, "variable doesn't exist")
        if not old.get("Lock"):
            raise VariableRefused(409, "variable doesn't hold a lock")
        expiry = self._expiries.get(key)
        if old["Lock"]["ID"] != wanted or expiry is None or not expiry.live:
            raise VariableRefused(409, "attempting to modify locked variable")
        self._expect(key)
        return {name: value for name, value in old.items() if name != "Items"}

    def release(self, key: Key, body: Mapped) -> Value:
        """Raises VariableRefused."""
        if body.get("Items"):
            raise _wrong("lock release operation doesn't take variable items")
        old = self._state.variables.get(key)
        if old is None or not old.get("Lock"):
            raise VariableRefused(500, "variable doesn't hold a lock")
        if old["Lock"]["ID"] != (body.get("Lock") or {}).get("ID"):
            raise _lost(key)
        self._unlock(key)
        return {name: value for name, value in self._state.variables[key].items() if name != "Items"}

    def _check_path(self, path: str) -> None:
        if not _PATH.fullmatch(path):
            raise _wrong(f'invalid path "{path}"')
        if path == "nomad" or (path.startswith("nomad/") and not _RESERVED.fullmatch(path)):
            raise _wrong(
                'only paths at "nomad/jobs" or "nomad/job-templates" and below are valid paths under the top-level'
                ' "nomad" directory'
            )

    def _held(self, key: Key, old: Mapped | None, body: Mapped) -> Value | None:
        """The lock of the variable, if it is the requester's."""
        lock: Value | None = (old or {}).get("Lock")
        if lock is not None and lock["ID"] != (body.get("Lock") or {}).get("ID"):
            raise _lost(key)
        return lock

    def _compare(self, key: Key, old: Mapped | None, cas: int | None) -> None:
        if cas is not None and cas != (old["ModifyIndex"] if old else 0):
            raise VariableRefused(409, dict(old) if old else _zeroed(key))

    def _write(self, key: Key, items: Mapped, lock: Mapped | None) -> Value:
        old = self._state.variables.get(key)
        with self._state.write("VariableUpdated") as write:
            value: Value = {
                "Namespace": key[0],
                "Path": key[1],
                "CreateIndex": old["CreateIndex"] if old else write.index,
                "ModifyIndex": write.index,
                "CreateTime": old["CreateTime"] if old else write.now,
                "ModifyTime": write.now,
            }
            if items:
                value["Items"] = dict(items)
            if lock is not None:
                value["Lock"] = dict(lock)
            write.put_variable(key, value)
        return value

    # Time

    def _expect(self, key: Key) -> None:
        """Begin to wait for a renewal anew."""
        if (timer := self._expiries.get(key)) is not None:
            timer.cancel()
        ttl = parse_duration(self._state.variables[key]["Lock"]["TTL"])
        self._expiries[key] = self._timers.after(2 * ttl, lambda: self._expired(key))

    def _expired(self, key: Key) -> None:
        # From code: the release carries no lock id, so it takes away whatever lock is there by then.
        old = self._state.variables.get(key)
        if old is not None and old.get("Lock"):
            self._timers.after(parse_duration(old["Lock"]["LockDelay"]), lambda: self._unlock(key))

    def _unlock(self, key: Key) -> None:
        old = self._state.variables.get(key)
        if old is None or not old.get("Lock"):
            return
        if (timer := self._expiries.pop(key, None)) is not None:
            timer.cancel()
        with self._state.write("VariableUpdated") as write:
            value = {name: inner for name, inner in old.items() if name != "Lock"}
            write.put_variable(key, {**value, "ModifyIndex": write.index})


def _span(text: Any) -> str:
    try:
        return format_duration(parse_duration(str(text))) if text else _DEFAULT
    except DurationError as error:
        raise VariableRefused(400, str(error)) from error


def _zeroed(key: Key) -> Value:
    numbers = dict.fromkeys(("CreateIndex", "ModifyIndex", "CreateTime", "ModifyTime"), 0)
    return {"Namespace": key[0], "Path": key[1], **numbers}


def _lost(key: Key) -> VariableRefused:
    return VariableRefused(409, _zeroed(key))


def _wrong(text: str) -> VariableRefused:
    return VariableRefused(400, f"RPC Error:: 400,{text}")
