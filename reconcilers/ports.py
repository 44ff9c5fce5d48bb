"""What the reconcilers need from outside, and no more. Adapters satisfy these by shape; nothing here is inherited."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from desired.app import AppKey
from desired.state import DesiredApp, DesiredState, HclSource, JobBody
from observers.running import Deployment, Fleet, Plan, Registration, Running
from reconcilers.decision import Decision


@dataclass(frozen=True, slots=True)
class Submission:
    """What a person wrote, kept by Nomad beside the job; `variable_flags` carry the git revision and the path."""

    source: str
    format: str  # hcl2 or json
    variables: str = ""
    variable_flags: tuple[tuple[str, str], ...] = ()


class Nomad(Protocol):
    """Reads are complete or raise; writes are compare-and-set. Errors are those of `desired.errors`."""

    async def parse(self, source: HclSource) -> JobBody: ...

    async def plan(self, key: AppKey, body: JobBody) -> Plan: ...

    async def register(self, body: JobBody, *, index: int, submission: Submission | None) -> Registration: ...

    async def stop(self, key: AppKey) -> str: ...

    async def revive(self, key: AppKey) -> str: ...

    async def running(self, key: AppKey, *, checks: bool = False) -> Running: ...

    async def deployments(self, key: AppKey) -> tuple[Deployment, ...]: ...

    async def fleet(self, keys: Collection[AppKey]) -> Fleet: ...


class DesiredView(Protocol):
    """The revision in force: the newest that could be read completely from git. `state` is None until there was one."""

    @property
    def state(self) -> DesiredState | None: ...


class Reporter(Protocol):
    """Told of every decision, also of those that changed nothing."""

    def decided(self, key: AppKey, decision: Decision, *, app: DesiredApp | None, running: Running) -> None: ...

    def gone(self, key: AppKey) -> None: ...

    def ready(self, key: AppKey) -> tuple[bool, str]:
        """Whether the app was ready when last decided, and the reason if not."""
        ...
