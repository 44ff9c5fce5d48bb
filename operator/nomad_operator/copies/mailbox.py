"""What people and webhooks ask of a copy that does not act: requests in the store, answered by the copy that does.

A request is one document `request:<id>` with the path and the body of a POST; the answer is written into it, and
whoever asked takes it away. It stays where nobody acts just now: the next one to act does it. What is asked may be done
twice after a crash; every command is made for that. No credential enters: who may ask was proven to the copy that was
asked.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from desired.errors import Conflict, OperatorError
from nomad_operator.log import Log
from reconcilers.store import Document, Stored

PREFIX = "request:"
_WAKE = f"{PREFIX}wake"
_WAKE_PATH = "/hooks/git"
_VERSION = 1
_WATCH = timedelta(seconds=10)
_AGAIN_SECONDS = 1.0
# Whoever asked has gone long before.
_ANSWERS_KEPT_SECONDS = 60.0


class WatchedStore(Protocol):
    """A store that several copies use; `nomad_operator.nomad_store.NomadStore` is one."""

    async def get(self, name: str) -> Stored | None: ...

    async def put(self, name: str, document: Document, *, expected: int) -> int: ...

    async def delete(self, name: str, *, expected: int) -> None: ...

    async def load_named(self, beginning: str) -> Mapping[str, Stored]: ...

    async def changed(self, beginning: str, *, after: int, wait: timedelta) -> int: ...


@dataclass(frozen=True, slots=True)
class Answered:
    """As the copy that acts would have answered."""

    status: int
    body: Any


class Outbox:
    """Of a copy that does not act."""

    def __init__(
        self, *, store: WatchedStore, new_id: Callable[[], str], patience: timedelta = timedelta(seconds=5)
    ) -> None:
        self._store = store
        self._new_id = new_id
        self._patience = patience

    async def ask(self, path: str, body: str) -> Answered | None:
        """None: it is noted, and nobody has answered yet. Raises where it could not be noted."""
        name = f"{PREFIX}{self._new_id()}"
        await self._store.put(name, {"version": _VERSION, "path": path, "body": body}, expected=0)
        until, index = time.monotonic() + self._patience.total_seconds(), 0
        while (left := until - time.monotonic()) > 0:
            found = await self._store.get(name)
            if found is None:
                return None
            if "status" in found.document:
                await self._store.delete(name, expected=found.revision)
                return Answered(int(found.document["status"]), found.document["answer"])
            index = await self._store.changed(name, after=index, wait=timedelta(seconds=left))
        return None

    async def wake(self) -> None:
        """Somebody pushed. However often it is asked, one request stands there."""
        if await self._store.get(_WAKE) is None:
            try:
                await self._store.put(_WAKE, {"version": _VERSION, "path": _WAKE_PATH, "body": ""}, expected=0)
            except Conflict:
                return


class Inbox:
    """Of the copy that acts. `post` does what a request asks, by its path and body."""

    def __init__(
        self,
        *,
        store: WatchedStore,
        post: Callable[[str, str], Awaitable[Answered]],
        wake: Callable[[], Awaitable[None]],
        log: Log,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._store = store
        self._post = post
        self._wake = wake
        self._log = log
        self._clock = clock
        self._sleep = sleep
        self._answered: dict[str, float] = {}

    async def run(self) -> None:
        """Until it is cancelled. A store that is away is told where records are written."""
        index = 0
        while True:
            try:
                index = await self._store.changed(PREFIX, after=index, wait=_WATCH)
                for name, one in (await self._store.load_named(PREFIX)).items():
                    await self._taken(name, one)
            except OperatorError:
                await self._sleep(_AGAIN_SECONDS)

    async def _taken(self, name: str, one: Stored) -> None:
        if "status" in one.document:
            # Others' answers from before this term are given the same time.
            since = self._answered.setdefault(name, self._clock())
            if self._clock() - since > _ANSWERS_KEPT_SECONDS:
                await self._store.delete(name, expected=one.revision)
                del self._answered[name]
            return
        path = str(one.document.get("path", ""))
        if path == _WAKE_PATH:
            await self._store.delete(name, expected=one.revision)
            await self._wake()
            return
        answered = await self._post(path, str(one.document.get("body", "")))
        self._log.info("asked through another copy", path=path, status=answered.status)
        document = {**one.document, "status": answered.status, "answer": answered.body}
        await self._store.put(name, document, expected=one.revision)
        self._answered = {known: since for known, since in self._answered.items() if known != name}
        self._answered[name] = self._clock()
