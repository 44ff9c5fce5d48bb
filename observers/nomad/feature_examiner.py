"""Objects to what the servers' version does not have: a field that they do not know they drop without a word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Protocol

from desired.app import AppKey
from desired.objection import Objection
from desired.reasons import Reason
from desired.state import JobBody
from desired.template_examiner import templates_of
from desired.template_functions import lacks, since
from observers.nomad.features import Features, features, missing, places, version_of
from observers.running import Agent

RULE = "nomad-version"
# Somebody may have upgraded Nomad to get what was missing.
_ASKED_AGAIN = timedelta(minutes=1).total_seconds()


class Agents(Protocol):
    """Who answers."""

    async def agent(self) -> Agent: ...


class FeatureExaminer:
    """Asks for the version at the first job, and then only where it stands in a job's way. `clock` is in seconds."""

    def __init__(self, *, nomad: Agents, clock: Callable[[], float]) -> None:
        self._nomad = nomad
        self._clock = clock
        self._known: Features | None = None
        self._asked_at = 0.0
        self._asking = asyncio.Lock()

    async def objections(self, key: AppKey, body: JobBody) -> Sequence[Objection]:
        """Of a version that nobody may read nothing is claimed."""
        async with self._asking:
            have = self._known or await self._ask()
            found = _objections(body, have)
            if (found or have.unknown) and self._clock() - self._asked_at >= _ASKED_AGAIN:
                found = _objections(body, await self._ask())
        return found

    async def _ask(self) -> Features:
        agent = await self._nomad.agent()
        self._known, self._asked_at = features(agent.version), self._clock()
        return self._known


def _objections(body: JobBody, have: Features) -> list[Objection]:
    blocks = [
        Objection(RULE, one.message, one.hint, at, reason=Reason.VALIDATION_FAILED)
        for one in missing(body, have)
        for at in places(one.feature, body)
    ]
    return [*blocks, *_functions(body, have)]


def _functions(body: JobBody, have: Features) -> Iterator[Objection]:
    """What templates call that this version's consul-template does not have."""
    version = version_of(have.version)
    for template in templates_of(body) if version is not None else ():
        for function, line in dict.fromkeys(template.called()):
            if version is not None and lacks(version, function):
                needs = ".".join(map(str, max(since(function))))
                message = f"{function} in templates needs Nomad {needs}, and this is Nomad {have.version}"
                yield Objection(
                    RULE, message, "write it without this function", template.at,
                    reason=Reason.VALIDATION_FAILED, line=line,
                )  # fmt: skip
