"""Reads what a failure needs to be named, and no more: logs where something ran, nodes where nothing was placed, names
of variables where one is missing. What may not be read, or cannot be, stays unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, Protocol

from desired.errors import Forbidden, OperatorError, TransientError, Unsupported
from observers.evidence import Evidence, LogTail, NodeRoom, Usage
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from observers.failures.row import Family
from observers.failures.table import TABLE
from observers.running import Allocation

_TAIL = 8 * 1024
_LINES = 80
_MOST_ALLOCATIONS = 2
_MOST_TASKS = 4
_MOST_KEYS = 3
_VARIABLES = frozenset({FailureClass.VARIABLE_MISSING, FailureClass.SECRET_FIELD_MISSING})
_NODES = frozenset({FailureClass.NODE_POOL_MISSING, FailureClass.HOST_PORT_IN_USE, FailureClass.PROVIDERS_MIXED})
_USES = frozenset(
    {FailureClass.OOM_KILLED, FailureClass.OOM_SUSPECTED, FailureClass.MEMORY_EXHAUSTED, FailureClass.CPU_EXHAUSTED}
)


class Reads(Protocol):
    """The reads of the Nomad client that evidence needs."""

    async def logs(
        self, allocation: str, task: str, kind: Literal["stdout", "stderr"], *, limit: int = ..., namespace: str = ...
    ) -> str | None: ...

    async def rooms(self) -> tuple[NodeRoom, ...]: ...

    async def node_pools(self) -> tuple[str, ...]: ...

    async def usage(self, allocation: str, *, namespace: str = ...) -> Mapping[str, Usage]: ...

    async def variable_paths(self, namespace: str) -> tuple[str, ...]: ...

    async def variable_keys(self, namespace: str, path: str) -> tuple[str, ...] | None: ...


class Collector:
    """At most sixteen requests for logs, one for usage, one for node pools, four for variables; and for nodes what
    `rooms` says."""

    def __init__(self, *, reads: Reads) -> None:
        self._reads = reads

    async def collect(
        self, evidence: Evidence, first: Sequence[Diagnosis], *, running: Sequence[Allocation] = ()
    ) -> Evidence:
        """`first` is what could be named without reading more; it says what else is needed. `running` are allocations
        of any version, for what they use. Raises where Nomad as a whole cannot be reached."""
        failures = {one.failure for one in first}
        unplaced = bool(evidence.placement) or any(TABLE[one].family is Family.PLACEMENT for one in failures)
        logs, nodes, paths, used = await asyncio.gather(
            self._logs(evidence),
            self._rooms() if unplaced or failures & _NODES else _nothing(),
            self._variables(evidence) if failures & _VARIABLES else _nothing(),
            self._usage(evidence, running) if unplaced or failures & _USES else _nothing(),
        )
        keys = await self._keys(evidence, first, paths or ())
        pools = await self._pools() if FailureClass.NODE_POOL_MISSING in failures else None
        cluster = replace(evidence.cluster, nodes=nodes, node_pools=pools, variables=paths, variable_keys=keys)
        return replace(evidence, logs=logs, cluster=cluster, usage=used or {})

    async def _logs(self, evidence: Evidence) -> tuple[LogTail, ...]:
        started = [
            (one.id, name)
            for one in evidence.allocations[:_MOST_ALLOCATIONS]
            for name, state in list(one.tasks.items())[:_MOST_TASKS]
            if state.started_at is not None or any(event.type == "Started" for event in state.events)
        ]
        tails = await asyncio.gather(
            *(
                self._tail(allocation, task, kind, evidence.key.namespace)
                for allocation, task in started
                for kind in ("stderr", "stdout")
            )
        )
        return tuple(tail for tail in tails if tail is not None)

    async def _tail(
        self, allocation: str, task: str, kind: Literal["stdout", "stderr"], namespace: str
    ) -> LogTail | None:
        try:
            text = await self._reads.logs(allocation, task, kind, limit=_TAIL, namespace=namespace)
        except (Forbidden, Unsupported, TransientError):
            # A client that is away, or a token that may not read logs, hides no more than the log.
            return None
        if not text:
            return None
        cut = len(text.encode()) >= _TAIL
        lines = text.splitlines()
        if cut and len(lines) > 1:
            # The first line begins anywhere, perhaps in the middle of a secret.
            lines = lines[1:]
        return LogTail(allocation, task, kind, "\n".join(lines[-_LINES:]), truncated=cut or len(lines) > _LINES)

    async def _rooms(self) -> tuple[NodeRoom, ...] | None:
        try:
            return await self._reads.rooms()
        except (Forbidden, Unsupported):
            return None

    async def _pools(self) -> tuple[str, ...] | None:
        try:
            return await self._reads.node_pools()
        except (Forbidden, Unsupported):
            return None

    async def _variables(self, evidence: Evidence) -> tuple[str, ...] | None:
        try:
            return await self._reads.variable_paths(evidence.key.namespace)
        except (Forbidden, Unsupported):
            return None

    async def _keys(
        self, evidence: Evidence, first: Sequence[Diagnosis], paths: Sequence[str]
    ) -> dict[str, tuple[str, ...]]:
        named = {path for one in first if (path := one.facts.get("path", "")) in paths}
        found: dict[str, tuple[str, ...]] = {}
        for path in sorted(named)[:_MOST_KEYS]:
            try:
                keys = await self._reads.variable_keys(evidence.key.namespace, path)
            except (Forbidden, Unsupported):
                continue
            if keys is not None:
                found[path] = keys
        return found

    async def _usage(self, evidence: Evidence, running: Sequence[Allocation]) -> dict[tuple[str, str], Usage]:
        live = next((one for one in running if one.client_status == "running" and one.desired_status == "run"), None)
        if live is None:
            return {}
        try:
            used = await self._reads.usage(live.id, namespace=evidence.key.namespace)
        except OperatorError:
            # Nobody depends on it: what is used is one reason more not to give less.
            return {}
        return {(live.group, task): usage for task, usage in used.items()}


async def _nothing() -> None:
    return None
