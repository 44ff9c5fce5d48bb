"""What the web answers from: the daemon's view as documented JSON, and people's commands to it."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from typing import Any

from desired.app import AppKey
from desired.errors import UsageError
from nomad_operator import status as view
from nomad_operator.daemon import Daemon
from nomad_operator.source import Source
from nomad_operator.web_events import Broadcast, Listening
from reconcilers.records import Records
from reconcilers.reports import Reports, Transition
from reconcilers.requests import Verb


class DaemonBackend:
    """Implements `nomad_operator.web.Backend`."""

    def __init__(
        self, *, daemon: Daemon, source: Source, records: Records, reports: Reports, mode: str, broadcast: Broadcast
    ) -> None:
        self._daemon = daemon
        self._source = source
        self._records = records
        self._reports = reports
        self._mode = mode
        self._broadcast = broadcast

    def status(self) -> dict[str, Any]:
        return view.status(
            state=self._source.state,
            source_problem=self._source.problem.message if self._source.problem else "",
            reports={report.key: report for report in self._reports},
            records={record.key: record for record in self._records},
            mode=self._mode,
        )

    def app(self, key: AppKey) -> dict[str, Any] | None:
        report = self._reports.get(key)
        if report is None:
            return None
        return view.app(report, self._records.get(key), view.questions(self._source.state).get(key, ()))

    async def command(self, key: AppKey, verb: str) -> dict[str, Any]:
        """Durable when this returns; the pass that follows is not waited for."""
        await self._daemon.ask(key, Verb(verb))
        found = self.app(key)
        return found if found is not None else {"key": str(key)}

    def prune_candidates(self) -> dict[str, Any]:
        """Withdrawn apps that would be stopped, and what holds them back."""
        withdrawals = self._daemon.withdrawals
        apps = []
        for key in sorted(withdrawals.keys):
            record, report = self._records.get(key), self._reports.get(key)
            if record.applied is None:
                continue
            apps.append({
                "key": str(key),
                "withdrawnSince": view.when(record.withdrawal.since) if record.withdrawal else None,
                "prune": record.prune,
                "confirmed": bool(record.withdrawal and record.withdrawal.confirmed),
                "message": report.message if report else "",
            })  # fmt: skip
        return {"held": withdrawals.held, "apps": apps}

    async def confirm_prune(self) -> dict[str, Any]:
        """Confirms exactly the apps that are withdrawn now; later ones are asked about again."""
        withdrawals = self._daemon.withdrawals
        if withdrawals.held.startswith("not every file"):
            raise UsageError(
                f"pruning is held: {withdrawals.held}",
                hint="mend or remove the files that `status` lists under sources",
            )
        keys = [key for key in withdrawals.keys if self._records.get(key).withdrawal is not None]
        await asyncio.gather(*(self._daemon.ask(key, Verb.CONFIRM_PRUNE) for key in keys))
        self._daemon.confirmed(keys)
        return self.prune_candidates()

    def missing(self) -> list[str]:
        return self._daemon.missing()

    async def wake_source(self) -> None:
        await self._daemon.wake_source()

    def subscribe(self) -> AbstractContextManager[Listening]:
        return self._broadcast.subscribe()

    def transition(self, transition: Transition) -> None:
        """A listener of the reports: what happened, to everybody who listens."""
        self._broadcast.publish(view.transition(transition))
