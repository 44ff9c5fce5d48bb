"""What a real Nomad says about desired apps, without registering any."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from desired.app import AppKey
from desired.errors import InvalidDesired, Rejected
from desired.problem import Problem
from desired.state import DesiredApp, HclSource, JobBody
from observers.nomad.multierror import warnings
from observers.running import Plan
from reconcilers.foretold import Foretelling
from reconcilers.spec import Spec

# Validation and plan are small work for Nomad; a whole repository at once is not.
_AT_ONCE = 8


class Nomad(Protocol):
    """The calls that judge a job and change nothing."""

    async def parse(self, source: HclSource) -> JobBody: ...

    async def validate(self, body: JobBody) -> tuple[tuple[str, ...], str]: ...

    async def plan(self, key: AppKey, body: JobBody) -> Plan: ...

    async def variable_keys(self, namespace: str, path: str) -> Sequence[str] | None: ...


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was said about one file."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


async def judged_by_server(nomad: Nomad, apps: Iterable[tuple[str, DesiredApp]]) -> list[Judgement]:
    """One judgement an app, in order; with each its path as people know it. A server that is away is an error."""
    limit = asyncio.Semaphore(_AT_ONCE)
    foretelling = Foretelling(variables=nomad, now=lambda: datetime.now(UTC))

    async def one(path: str, app: DesiredApp) -> Judgement:
        async with limit:
            return await _judged(nomad, foretelling, path, app)

    return list(await asyncio.gather(*(one(path, app) for path, app in apps)))


async def _judged(nomad: Nomad, foretelling: Foretelling, path: str, app: DesiredApp) -> Judgement:
    source = app.source
    try:
        body = await nomad.parse(source) if isinstance(source, HclSource) else source.body
    except InvalidDesired as error:
        return Judgement(tuple(replace(problem, path=path) for problem in error.problems))
    body = {**body, "Namespace": app.key.namespace}
    errors, warned = await nomad.validate(body)
    if errors:
        return Judgement(tuple(Problem(path, message=error) for error in errors), _warnings(path, warned))
    try:
        plan = await nomad.plan(app.key, body)
    except Rejected as error:
        told = tuple(Problem(path, message=mistake, hint=error.hint) for mistake in error.mistakes)
        return Judgement(told, _warnings(path, warned))
    spec = Spec.of(body, text="", format="json")
    silent = tuple(Problem(path, message=told) for told in await foretelling.of(app.key.namespace, spec))
    return Judgement(warnings=(*_warnings(path, warned, plan.warnings), *silent))


def _warnings(path: str, *texts: str) -> tuple[Problem, ...]:
    found = dict.fromkeys(warning for text in texts for warning in warnings(text))
    return tuple(Problem(path, message=warning) for warning in found)
