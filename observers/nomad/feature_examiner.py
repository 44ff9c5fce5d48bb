"""Objects to what the servers' version does not have: a field that they do not know they drop without a word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from desired.app import AppKey
from desired.objection import Objection
from desired.reasons import Reason
from desired.state import JobBody
from observers.nomad.features import Features, features, missing, places
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
            lacking = missing(body, have)
            if (lacking or have.unknown) and self._clock() - self._asked_at >= _ASKED_AGAIN:
                lacking = missing(body, await self._ask())
        return [
            Objection(RULE, one.message, one.hint, at, reason=Reason.VALIDATION_FAILED)
            for one in lacking
            for at in places(one.feature, body)
        ]

    async def _ask(self) -> Features:
        agent = await self._nomad.agent()
        self._known, self._asked_at = features(agent.version), self._clock()
        return self._known
