"""One operator without a process, on an embedded Nomad of its own, in virtual time: hours pass in a second.

Everything in it is done at once and nothing waits, but a rung that asks somebody outside. It knows no git, no services
beside Nomad, and no rules of owners.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from desired.app import AppKey
from desired.objection import Objection
from desired.state import DesiredState, JobBody
from nomad_operator.embedded.engine import EmbeddedNomad
from nomad_operator.embedded.transport import session
from nomad_operator.embedded.world import World
from observers.look_up import LookUp
from observers.nomad.chronicle import Chronicle
from observers.nomad.client import NomadClient
from observers.nomad.collect import Collector
from observers.nomad.connection import Connection
from observers.redaction import Placeholders
from observers.secret_examiner import SecretExaminer
from reconcilers.admission import Admission
from reconcilers.memory_store import MemoryStore
from reconcilers.prune import PruneRules, Withdrawals, withdrawals
from reconcilers.reconcile import Reconciler, Repairs
from reconcilers.records import Records
from reconcilers.repair.budget import Budget, BudgetSettings
from reconcilers.repair.gatherer import Gatherer
from reconcilers.repair.guard import Guard, GuardSettings
from reconcilers.repair.ladder import AskedRung, Ladder
from reconcilers.repair.switch import Switch
from reconcilers.reports import Reports
from reconcilers.requests import Requests, Verb
from reconcilers.situation import Rules
from reconcilers.specs import Specs
from reconcilers.watch import Watch

T = TypeVar("T")
_START = datetime(2026, 1, 1, tzinfo=UTC)
_ORIGIN = "rehearsal#"


class RehearsedCluster:
    """Implements `nomad_operator.rehearsal.stage.Cluster`. `rungs` are asked in their order, as in the daemon."""

    def __init__(self, *, world: World, rungs: Sequence[tuple[str, AskedRung]]) -> None:
        self.nomad = EmbeddedNomad(world=world, start=_START, seed=1)
        self.now = _START
        self.state: DesiredState | None = DesiredState("r1", {})
        store = MemoryStore()
        self.records = Records(store=store, origin=_ORIGIN)
        asyncio.run(self.records.load())
        self.reports = Reports(now=self._now)
        self._requests = Requests()
        self._switch = Switch(store=store, stopped_by_setting=False)
        asyncio.run(self._switch.load())
        client = NomadClient(
            connection=Connection(address="http://nomad.embedded"), on_request=_uncounted,
            session=session(self.nomad), offload=_at_once,
        )  # fmt: skip
        places = LookUp(variables=client, vault=None)
        self.reconciler = Reconciler(
            nomad=client, desired=self, withdrawn=self._withdrawals, records=self.records, requests=self._requests,
            specs=Specs(parser=client), reporter=self.reports, repairs=self._repairs(client, places, rungs),
            rules=Rules(), watch=Watch(now=self._now, clock=lambda: (self.now - _START).total_seconds()),
            now=self._now, after_state_loss=lambda: False,
            admission=Admission(examiners=[SecretExaminer(places=places, now=self._now)]),
        )  # fmt: skip

    def let(self, span: timedelta) -> None:
        self.now += span
        self.nomad.advance(self.now)

    def ask(self, name: str, verb: Verb) -> None:
        async def asked() -> None:
            key = AppKey("default", name)
            self._requests.ask(key, verb)
            await self.reconciler.reconcile(key)

        asyncio.run(asked())

    def _repairs(self, client: NomadClient, places: LookUp, rungs: Sequence[tuple[str, AskedRung]]) -> Repairs:
        guard = Guard(settings=GuardSettings(), judged=_no_rules, allowed=_no_ceilings)
        return Repairs(
            evidence=Gatherer(
                collector=Collector(reads=client), chronicle=Chronicle(), placeholders=Placeholders(), places=places
            ),
            ladder=Ladder(rungs=rungs, guard=guard, learns=["model"]),
            budget=Budget(settings=BudgetSettings(), records=self.records),
            switch=self._switch,
        )

    def _withdrawals(self) -> Withdrawals:
        state = self.state if self.state is not None else DesiredState("none", {})
        return withdrawals(self.records, state, _ORIGIN, PruneRules())

    def _now(self) -> datetime:
        return self.now


def _no_rules(_key: AppKey, _body: JobBody) -> Sequence[Objection]:
    return ()


def _no_ceilings(_key: AppKey) -> Mapping[str, int]:
    return {}


def _uncounted(_endpoint: str, _method: str, _status: int, _seconds: float) -> None:
    """Nobody asks how often."""


async def _at_once(work: Callable[[], T]) -> T:
    return work()
