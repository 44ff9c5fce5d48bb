"""What a real Nomad says about desired apps, without registering any."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from desired.app import AppKey
from desired.errors import InvalidDesired, Rejected
from desired.job.part_named import part_named
from desired.objection import Objection, problems_of
from desired.problem import Problem
from desired.state import DesiredApp, HclSource, JobBody
from observers.nomad.multierror import warnings
from observers.running import Plan

Examined = Callable[[DesiredApp, JobBody], Awaitable["Judgement"]]
# Validation and plan are small work for Nomad; a whole repository at once is not.
_AT_ONCE = 8
RULE = "nomad"


class Nomad(Protocol):
    """The calls that judge a job and change nothing."""

    async def parse(self, source: HclSource) -> JobBody: ...

    async def validate(self, body: JobBody) -> tuple[tuple[str, ...], str]: ...

    async def plan(self, key: AppKey, body: JobBody) -> Plan: ...


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was said about one file."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


async def judged_by_server(
    nomad: Nomad, apps: Iterable[tuple[str, DesiredApp]], *, examined: Examined | None = None
) -> list[Judgement]:
    """A judgement or two an app, in order; with each its path as people know it. A server that is away is an error.

    `examined` are those who may object before a job is registered.
    """
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(path: str, app: DesiredApp) -> tuple[Judgement, ...]:
        async with limit:
            try:
                body = await nomad.parse(app.source) if isinstance(app.source, HclSource) else app.source.body
            except InvalidDesired as error:
                return (Judgement(tuple(replace(problem, path=path) for problem in error.problems)),)
            body = {**body, "Namespace": app.key.namespace}
            judged = await _judged(nomad, path, app, body)
            return (judged,) if examined is None else (judged, await examined(app, body))

    return [judgement for each in await asyncio.gather(*(one(path, app) for path, app in apps)) for judgement in each]


async def _judged(nomad: Nomad, path: str, app: DesiredApp, body: JobBody) -> Judgement:
    errors, warned = await nomad.validate(body)
    if errors:
        return Judgement(_told(path, app, body, errors), _warnings(path, app, body, warned))
    try:
        plan = await nomad.plan(app.key, body)
    except Rejected as error:
        told = _told(path, app, body, error.mistakes, error.hint)
        return Judgement(told, _warnings(path, app, body, warned))
    return Judgement(warnings=_warnings(path, app, body, warned, plan.warnings))


def _warnings(path: str, app: DesiredApp, body: JobBody, *texts: str) -> tuple[Problem, ...]:
    return _told(path, app, body, dict.fromkeys(warning for text in texts for warning in warnings(text)))


def _told(path: str, app: DesiredApp, body: JobBody, words: Iterable[str], hint: str = "") -> tuple[Problem, ...]:
    """At the part of the job that Nomad names, in the file that it is written in."""
    folder = path.removesuffix(app.path)
    found = problems_of([Objection(RULE, one, hint, part_named(one, body)) for one in words], app)
    return tuple(replace(one, path=folder + one.path) for one in found)
