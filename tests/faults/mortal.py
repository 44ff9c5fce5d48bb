"""A process that dies at its k-th write, before or after the write happened: to the store, or to Nomad.

In virtual time and in one process, so that a walk over every write of a story takes a moment. What a kill does to the
file of the state, and to a register on its way, is tested with real processes elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nomad_operator.embedded.engine import EmbeddedNomad
from nomad_operator.embedded.messages import Request, Response, Streaming, Waiting
from reconcilers.memory_store import MemoryStore
from reconcilers.situation import Rules
from reconcilers.store import Document, Stored
from tests.integration.loop.cluster import Cluster


class Died(BaseException):
    """Not an Exception: nothing in the operator may catch it and tidy up."""


class Fate:
    """Counts writes of all kinds; kills at the one it was told. Dead, it lets nothing happen any more."""

    def __init__(self) -> None:
        self.writes = 0
        self.dead = False
        self._at: int | None = None
        self._after = False

    def die_at(self, write: int, *, after: bool) -> None:
        """Counted from now, from 1."""
        self.writes, self._at, self._after = 0, write, after

    def before(self) -> None:
        self._alive()
        self.writes += 1
        if self.writes == self._at and not self._after:
            self._die()

    def after(self) -> None:
        if self.writes == self._at and self._after:
            self._die()

    def _alive(self) -> None:
        assert not self.dead, "a dead process writes nothing"

    def _die(self) -> None:
        self.dead, self._at = True, None
        raise Died


class MortalStore:
    """The store of one who may die; what was written stays."""

    def __init__(self, fate: Fate) -> None:
        self._fate = fate
        self._kept = MemoryStore()

    async def load(self) -> Mapping[str, Stored]:
        return await self._kept.load()

    async def get(self, name: str) -> Stored | None:
        return await self._kept.get(name)

    async def put(self, name: str, document: Document, *, expected: int) -> int:
        self._fate.before()
        revision = await self._kept.put(name, document, expected=expected)
        self._fate.after()
        return revision

    async def delete(self, name: str, *, expected: int) -> None:
        self._fate.before()
        await self._kept.delete(name, expected=expected)
        self._fate.after()

    async def close(self) -> None:
        await self._kept.close()


class WatchedNomad:
    """An embedded Nomad that notes what was accepted, and whose caller may die of it."""

    def __init__(self, nomad: EmbeddedNomad, fate: Fate) -> None:
        self._nomad = nomad
        self._fate = fate
        self.registered: list[tuple[str, str]] = []
        self.stopped: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nomad, name)

    def handle(self, request: Request) -> Response | Waiting | Streaming:
        registers = request.path == "/v1/jobs" and request.method in ("PUT", "POST")
        if not registers and request.method != "DELETE":
            return self._nomad.handle(request)
        self._fate.before()
        answer = self._nomad.handle(request)
        if isinstance(answer, Response) and answer.status == 200:
            if registers:
                job = json.loads(request.body)["Job"]
                value = job["TaskGroups"][0]["Tasks"][0]["Env"]["VALUE"]
                self.registered.append((job["ID"], value))
            else:
                self.stopped.append(request.path.rsplit("/", 1)[-1])
        self._fate.after()
        return answer


class MortalCluster(Cluster):
    """A cluster whose operator dies when `fate` says so. What people do by hand is done to `bare`."""

    def __init__(self, *, rules: Rules | None = None) -> None:
        self.fate = Fate()
        super().__init__(rules=rules, store=MortalStore(self.fate))  # type: ignore[arg-type]

    def restart(self) -> None:
        if not isinstance(self.nomad, WatchedNomad):
            self.bare = self.nomad
            self.watched = WatchedNomad(self.bare, self.fate)
        self.nomad = self.watched  # type: ignore[assignment]
        self.fate.dead = False
        super().restart()

    def http(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """Not counted, and it kills nobody."""
        self.nomad = self.bare
        try:
            return super().http(method, path, body, **query)
        finally:
            self.nomad = self.watched  # type: ignore[assignment]
