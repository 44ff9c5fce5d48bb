"""What every service answers: asked all at once, each within a time limit. What a token may do is tried harmlessly.

Nothing is changed: plan is Nomad's dry run, the git revision goes to a folder that is thrown away, and a state file is
only looked at; in a state in Nomad one empty document is written and deleted. Adapters satisfy the protocols by shape.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, cast

from desired.app import AppKey
from desired.errors import Forbidden, OperatorError
from desired.state import HclSource, JobBody
from nomad_operator.sqlite_store import read_documents
from nomad_operator.supported import OLDEST_NOMAD, TESTED_NOMAD, is_supported
from observers.nomad.features import features, lacking
from observers.nomad.stream_items import Connected, Disconnected, StreamItem
from observers.reach.breaks import Failure, failure_of
from observers.running import Agent, Fleet, Plan, RunningJob
from reconcilers.store import Store

# Planned, never registered.
_JOB = "nomad-operator-doctor"
_HCL = f"""job "{_JOB}" {{
  type = "batch"
  group "doctor" {{
    task "doctor" {{
      driver = "raw_exec"
      config {{
        command = "true"
      }}
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One probe. `ok` is None where it could not be tried; `seconds` is how long the answer took.

    `failure` is one word of `observers.reach.breaks.Failure` where it is false, `version` what the service calls its
    own.
    """

    name: str
    ok: bool | None
    address: str
    found: str
    hint: str = ""
    required: bool = True
    seconds: float = 0.0
    version: str = ""
    failure: str = ""

    @property
    def failed(self) -> bool:
        return self.required and self.ok is not True


class Nomad(Protocol):
    """As much of the Nomad client as is tried."""

    async def agent(self) -> Agent: ...

    async def fleet(self, keys: Collection[AppKey]) -> Fleet: ...

    async def job(self, key: AppKey) -> RunningJob | None: ...

    async def namespaces(self) -> Sequence[str]: ...

    async def parse(self, source: HclSource) -> JobBody: ...

    async def plan(self, key: AppKey, body: JobBody) -> Plan: ...


class Stream(Protocol):
    """The event stream."""

    def items(self) -> AsyncIterator[StreamItem]: ...


class Repository(Protocol):
    """The git source, on a cache of its own."""

    async def poll(self) -> Any: ...

    async def tree(self, revision: str) -> Any: ...


# Not an app's record: those are named `app:…`.
_TRIAL = "doctor"


class Doctor:
    """Asks; `clock` is monotonic, in seconds."""

    def __init__(self, *, timeout_seconds: float, clock: Callable[[], float]) -> None:
        self._timeout_seconds = timeout_seconds
        self._clock = clock

    async def nomad(self, client: Nomad, *, address: str, namespaces: Collection[str], parsed_in: str) -> list[Finding]:
        """Whether Nomad answers, and what the token may do in the namespaces, and where files are parsed."""

        async def may_parse() -> str:
            await client.parse(HclSource(_HCL))
            return "yes"

        async def may_list() -> str:
            return f"yes ({len((await client.fleet(())).entries)} jobs)"

        answers, *rights = await asyncio.gather(
            self.probe("nomad", address, lambda: _agent(client)),
            self.probe("nomad: list jobs", address, may_list),
            self.probe(f"nomad: parse jobs in {parsed_in}", address, may_parse),
            *(probe for name in namespaces for probe in self._namespace(client, address, name)),
        )
        return [answers, *_not_tried(answers, rights)]

    def _namespace(self, client: Nomad, address: str, name: str) -> list[Awaitable[Finding]]:
        key = AppKey(name, _JOB)

        async def may_read() -> str:
            await _exists(client, name)
            await client.job(key)
            return "yes"

        async def may_plan() -> str:
            await _exists(client, name)
            body = await client.parse(HclSource(_HCL))
            plan = await client.plan(key, {**body, "Namespace": name})
            return f"yes (a job that is not there would be {plan.diff_type.lower()})"

        return [
            self.probe(f"nomad: read jobs in {name}", address, may_read),
            self.probe(f"nomad: plan and register in {name}", address, may_plan),
        ]

    async def stream(self, stream: Stream, *, address: str, subscriptions: int) -> Finding:
        """Whether events arrive, on every one of so many subscriptions. Silence is a refusal: Nomad answers 200."""

        async def listen() -> str:
            connected = 0
            # It is a generator, and must be closed: it holds connections.
            async with aclosing(cast(AsyncGenerator[StreamItem, None], stream.items())) as items:
                async for item in items:
                    if isinstance(item, Disconnected):
                        raise item.error
                    connected += isinstance(item, Connected)
                    if connected == subscriptions:
                        return "yes"
            raise OperatorError("the event stream ended by itself")

        return await self.probe("nomad: events", address, listen)

    async def git_command(self, version: Callable[[], Awaitable[str]], *, address: str) -> Finding:
        """Whether the git of this machine is one that can be used; `version` raises where it is not."""

        async def ask() -> str:
            return f"git {await version()}"

        return await self.probe("git command", address, ask)

    async def git(self, repository: Repository, *, address: str, ref: str) -> Finding:
        """Whether the ref and the folder are there."""

        async def read() -> str:
            poll = await repository.poll()
            tree = await repository.tree(poll.revision)
            refused = f", refused: {len(tree.refused)}" if tree.refused else ""
            return f"{ref} is at {poll.revision[:8]}, files: {len(tree.files)}{refused}"

        return await self.probe("git", address, read)

    async def state(self, path: Path) -> Finding:
        """Whether the records can be kept where the settings say."""

        async def look() -> str:
            documents = await read_documents(path)
            if not await asyncio.to_thread(_writable, path):
                raise OperatorError(
                    f"{path} cannot be written",
                    hint="let this user write its folder, or set NOMAD_OPERATOR_STATE_URL",
                )
            return "will be made at first start" if documents is None else f"records: {len(documents)}"

        return await self.probe("state", str(path), look)

    async def variables(self, store: Store, *, address: str) -> Finding:
        """Whether the records can be kept in Nomad: read all, and a document written and deleted again."""

        async def look() -> str:
            documents = await store.load()
            # Whatever is there of an earlier try that was cut off.
            before = await store.get(_TRIAL)
            revision = await store.put(_TRIAL, {}, expected=before.revision if before else 0)
            await store.delete(_TRIAL, expected=revision)
            return f"records: {len(documents.keys() - {_TRIAL})}"

        return await self.probe("state", address, look)

    async def probe(self, name: str, address: str, work: Callable[[], Awaitable[str]]) -> Finding:
        """Try one thing; an error of the tree, and no answer in time, are findings."""
        started = self._clock()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                found = await work()
        except OperatorError as error:
            took, failure = self._clock() - started, failure_of(error)
            return Finding(name, False, address, error.message, error.hint, seconds=took, failure=failure)
        except TimeoutError:
            found = f"no answer in {self._timeout_seconds:g} s"
            hint = "check the address, and what stands between: a firewall drops silently"
            took = self._clock() - started
            return Finding(name, False, address, found, hint, seconds=took, failure=Failure.TIMED_OUT)
        return Finding(name, True, address, found, seconds=self._clock() - started)


async def _exists(client: Nomad, namespace: str) -> None:
    """Reading where there is no namespace finds no jobs, and nothing wrong."""
    try:
        known = await client.namespaces()
    except Forbidden:
        return
    if namespace not in known:
        raise OperatorError(
            f"there is no namespace {namespace}, or the token has no right in it",
            hint=f"`nomad namespace apply {namespace}` creates it; NOMAD_OPERATOR_NAMESPACES and NOMAD_NAMESPACE say "
            "which are used",
        )


async def _agent(client: Nomad) -> str:
    agent = await client.agent()
    supported = is_supported(agent.version)
    if supported is False:
        raise OperatorError(
            f"Nomad {agent.version} is too old: {OLDEST_NOMAD} or newer is needed",
            hint=f"upgrade Nomad; tested with {', '.join(TESTED_NOMAD)}",
        )
    if supported is None:
        return "answers; the token may not read its version"
    told = f"Nomad {agent.version}, region {agent.region or 'unknown'}"
    newer = lacking(features(agent.version))
    return f"{told}; jobs may not use: {', '.join(newer)}" if newer else told


def _not_tried(answers: Finding, rights: Sequence[Finding]) -> list[Finding]:
    """Where nobody answers, that is one problem and not five."""
    if answers.ok or any(right.ok for right in rights):
        return list(rights)
    return [replace(right, ok=None, found="not tried: Nomad does not answer", hint="") for right in rights]


def _writable(path: Path) -> bool:
    """The file itself, and the nearest folder that exists: SQLite makes files beside it."""
    folder = next(parent for parent in path.parents if parent.exists())
    usable = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    return usable and (not path.exists() or os.access(path, os.W_OK))
