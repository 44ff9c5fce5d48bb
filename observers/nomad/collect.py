"""Reads what a failure needs to be named, and no more: logs where something ran, nodes where nothing was placed, names
of variables where one is missing, an image where it may know better than the job. What may not be read, or cannot be,
stays unknown and is named in `Evidence.unread`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, Protocol

from desired.errors import Forbidden, OperatorError, TransientError, Unsupported
from observers.evidence import Evidence, ImageFacts, LogTail, NodeRoom, Usage
from observers.failures import job_words
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from observers.failures.row import Family
from observers.failures.table import TABLE
from observers.running import Allocation, TaskState

_TAIL = 8 * 1024
_LINES = 80
_MOST_ALLOCATIONS = 2
_MOST_TASKS = 4
_MOST_KEYS = 3
_MOST_IMAGES = 3
_VARIABLES = frozenset({FailureClass.VARIABLE_MISSING, FailureClass.SECRET_FIELD_MISSING})
_CRASHES = frozenset({FailureClass.CRASH, FailureClass.CRASH_CONFIG_MISSING})
_READ = re.compile(r'\bnomadVar\s+"([^"@]+)')
_NODES = frozenset({FailureClass.NODE_POOL_MISSING, FailureClass.HOST_PORT_IN_USE, FailureClass.PROVIDERS_MIXED})
_USES = frozenset(
    {FailureClass.OOM_KILLED, FailureClass.OOM_SUSPECTED, FailureClass.MEMORY_EXHAUSTED, FailureClass.CPU_EXHAUSTED}
)
# An image knows its ports, its command and its directory; any check that fails may ask the wrong port.
_IMAGES = frozenset(
    {
        FailureClass.COMMAND_NOT_FOUND, FailureClass.COMMAND_NOT_EXECUTABLE, FailureClass.SHELL_COMMAND_NOT_FOUND,
        FailureClass.WORK_DIR_INVALID, FailureClass.CRASH_PORT_PRIVILEGED, FailureClass.CHECK_RESTARTS,
        FailureClass.DRIVER_PORT_UNDEFINED, FailureClass.SERVICE_PORT_UNDEFINED, FailureClass.CHECK_PORT_MISSING,
        FailureClass.PORT_INVALID, FailureClass.PORT_DUPLICATE, FailureClass.STATIC_PORT_TAKEN,
        FailureClass.HOST_PORT_IN_USE,
    }
)  # fmt: skip
_CONTAINERS = frozenset({"docker", "podman"})


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


class ImageLookup(Protocol):
    """Who knows what an image says of itself."""

    async def facts(self, image: str) -> ImageFacts | None: ...


class Collector:
    """At most sixteen requests for logs, one for usage, one for node pools, four for variables; for nodes what `rooms`
    says; and three images are asked for. Without `images` nothing is known of any."""

    def __init__(self, *, reads: Reads, images: ImageLookup | None = None) -> None:
        self._reads = reads
        self._image_lookup = images

    async def collect(
        self, evidence: Evidence, first: Sequence[Diagnosis], *, running: Sequence[Allocation] = ()
    ) -> Evidence:
        """`first` is what could be named without reading more; it says what else is needed. `running` are allocations
        of any version, for what they use. Raises where Nomad as a whole cannot be reached."""
        failures = {one.failure for one in first}
        families = {TABLE[one].family for one in failures}
        unplaced = bool(evidence.placement) or Family.PLACEMENT in families
        unread: list[str] = []
        logs, nodes, paths, used, images = await asyncio.gather(
            self._logs(evidence, unread),
            self._rooms(unread) if unplaced or failures & _NODES else _nothing(),
            self._variables(evidence, unread) if failures & _VARIABLES else _nothing(),
            self._usage(evidence, running, unread) if unplaced or failures & _USES else _nothing(),
            self._images(evidence, unread) if failures & _IMAGES or Family.HEALTH in families else _nothing(),
        )
        keys = await self._keys(evidence, first, paths or (), unread)
        pools = await self._pools(unread) if FailureClass.NODE_POOL_MISSING in failures else None
        cluster = replace(evidence.cluster, nodes=nodes, node_pools=pools, variables=paths, variable_keys=keys)
        return replace(
            evidence,
            logs=logs,
            cluster=cluster,
            usage=used or {},
            images=images or {},
            unread=tuple(sorted({*evidence.unread, *unread})),
        )

    async def crashes(self, evidence: Evidence, wanted: Sequence[tuple[str, str]]) -> tuple[LogTail, ...]:
        """The last lines of these tasks, by allocation and name. Two requests each; what cannot be read is left out."""
        return tuple(tail for tail in await self._tails(evidence, wanted, []) if tail is not None)

    async def _logs(self, evidence: Evidence, unread: list[str]) -> tuple[LogTail, ...]:
        ill = sorted(evidence.allocations, key=lambda one: one.healthy is True)
        started = [
            (one.id, name)
            for one in ill[:_MOST_ALLOCATIONS]
            for name, state in sorted(one.tasks.items(), key=lambda task: not _troubled(task[1]))[:_MOST_TASKS]
            if state.started_at is not None or any(event.type == "Started" for event in state.events)
        ]
        return tuple(tail for tail in await self._tails(evidence, started, unread) if tail is not None)

    async def _tails(
        self, evidence: Evidence, started: Sequence[tuple[str, str]], unread: list[str]
    ) -> list[LogTail | None]:
        return list(
            await asyncio.gather(
                *(
                    self._tail(allocation, task, kind, evidence.key.namespace, unread)
                    for allocation, task in started
                    for kind in ("stderr", "stdout")
                )
            )
        )

    async def _tail(
        self, allocation: str, task: str, kind: Literal["stdout", "stderr"], namespace: str, unread: list[str]
    ) -> LogTail | None:
        try:
            text = await self._reads.logs(allocation, task, kind, limit=_TAIL, namespace=namespace)
        except (Forbidden, Unsupported, TransientError):
            # A client that is away, or a token that may not read logs, hides no more than the log.
            unread.append(f"the {kind} of {task} in allocation {allocation[:8]}")
            return None
        if not text:
            return None
        # Half a character is read as one that takes no less bytes.
        cut = len(text.encode()) >= _TAIL
        lines = text.splitlines()
        if cut:
            # The first line begins anywhere, perhaps in the middle of a secret; of a single one, its first word does.
            lines = lines[1:] or [lines[0].partition(" ")[2]]
        return LogTail(allocation, task, kind, "\n".join(lines[-_LINES:]), truncated=cut or len(lines) > _LINES)

    async def _rooms(self, unread: list[str]) -> tuple[NodeRoom, ...] | None:
        try:
            return await self._reads.rooms()
        except (Forbidden, Unsupported):
            unread.append("the nodes")
            return None

    async def _pools(self, unread: list[str]) -> tuple[str, ...] | None:
        try:
            return await self._reads.node_pools()
        except (Forbidden, Unsupported):
            unread.append("the node pools")
            return None

    async def _variables(self, evidence: Evidence, unread: list[str]) -> tuple[str, ...] | None:
        try:
            return await self._reads.variable_paths(evidence.key.namespace)
        except (Forbidden, Unsupported):
            unread.append("the list of Nomad variables")
            return None

    async def _keys(
        self, evidence: Evidence, first: Sequence[Diagnosis], paths: Sequence[str], unread: list[str]
    ) -> dict[str, tuple[str, ...]]:
        named = {path for one in first if (path := one.facts.get("path", "")) in paths}
        if {one.failure for one in first} & _CRASHES:
            # An absent field is handed over without a word: only the app can miss it.
            named |= _read(evidence)
        found: dict[str, tuple[str, ...]] = {}
        for path in sorted(named)[:_MOST_KEYS]:
            try:
                keys = await self._reads.variable_keys(evidence.key.namespace, path)
            except (Forbidden, Unsupported):
                unread.append(f"the names in variable {path}")
                continue
            if keys is not None:
                found[path] = keys
        return found

    async def _usage(
        self, evidence: Evidence, running: Sequence[Allocation], unread: list[str]
    ) -> dict[tuple[str, str], Usage]:
        live = next((one for one in running if one.client_status == "running" and one.desired_status == "run"), None)
        if live is None:
            return {}
        try:
            used = await self._reads.usage(live.id, namespace=evidence.key.namespace)
        except OperatorError:
            # Nobody depends on it: what is used is one reason more not to give less.
            unread.append(f"what allocation {live.id[:8]} uses")
            return {}
        return {(live.group, task): usage for task, usage in used.items()}

    async def _images(self, evidence: Evidence, unread: list[str]) -> dict[str, ImageFacts]:
        if self._image_lookup is None:
            return {}
        named = {
            job_words.text(job_words.block(task, "Config"), "image")
            for _, task in job_words.tasks(evidence.body)
            if job_words.text(task, "Driver") in _CONTAINERS
        }
        asked = sorted(image for image in named if image and "${" not in image)[:_MOST_IMAGES]
        found = dict(zip(asked, await asyncio.gather(*map(self._image_lookup.facts, asked)), strict=True))
        unread += [f"image {image}" for image, facts in found.items() if facts is None]
        return {image: facts for image, facts in found.items() if facts is not None}


def _troubled(state: TaskState) -> bool:
    return state.failed or state.restarts > 0


def _read(evidence: Evidence) -> set[str]:
    """The Nomad variables that templates of the job read."""
    return {
        path
        for group in job_words.parts(evidence.body, "TaskGroups")
        for task in job_words.parts(group, "Tasks")
        for template in job_words.parts(task, "Templates")
        for path in _READ.findall(job_words.text(template, "EmbeddedTmpl"))
    }


async def _nothing() -> None:
    return None
