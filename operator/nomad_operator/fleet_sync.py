"""The resync: all jobs are listed, and apps whose job is not what was seen last are woken. Nothing is decided here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Protocol

from desired.app import AppKey
from desired.errors import OperatorError, TransientError
from nomad_operator.metrics import Metrics
from nomad_operator.nomad_watch import NomadWatch
from nomad_operator.source import Source
from observers.running import Fleet
from reconcilers.records import Records
from reconcilers.reports import Reports
from reconcilers.resync import Fingerprint, keys_of, moved_in_nomad

_RETRY_SECONDS = 5.0


class Lists(Protocol):
    """The fleet read of the Nomad client."""

    async def fleet(self, keys: Collection[AppKey]) -> Fleet: ...


class FleetSync:
    """`look` asks for a resync, soon; `changed` is told before the apps are woken."""

    def __init__(
        self,
        *,
        lists: Lists,
        source: Source,
        records: Records,
        reports: Reports,
        metrics: Metrics,
        nomad: NomadWatch,
        wake: Callable[[AppKey], None],
        changed: Callable[[], None],
        request_count: Callable[[], int],
    ) -> None:
        self._lists = lists
        self._source = source
        self._records = records
        self._reports = reports
        self._metrics = metrics
        self._nomad = nomad
        self._wake = wake
        self._changed = changed
        self._request_count = request_count
        self._seen: dict[AppKey, Fingerprint | None] = {}
        self.due = asyncio.Event()
        self.complete = False
        self.after_state_loss = False

    @property
    def keys(self) -> set[AppKey]:
        """Every app that git or a record of this source speaks of."""
        return keys_of(self._source.state, self._records, self._records.origin)

    def look(self) -> None:
        self.due.set()

    async def run(self) -> None:
        """Without end. While Nomad is away it is asked again every few seconds."""
        while True:
            await self.due.wait()
            self.due.clear()
            if self._source.state is None:
                continue
            before = self._request_count()
            try:
                fleet = await self._lists.fleet(self.keys)
            except OperatorError as error:
                self._nomad.read(error)
                if not isinstance(error, TransientError):
                    self._metrics.reconciled("resync_refused")
                asyncio.get_running_loop().call_later(_RETRY_SECONDS, self.due.set)
                continue
            self._nomad.read(None)
            self._compare(fleet)
            self._metrics.resynced(self._request_count() - before)

    def _compare(self, fleet: Fleet) -> None:
        if not self.complete:
            self.complete = True
            self.judge_memory(fleet)
        self._changed()
        reports = {report.key: report for report in self._reports}
        comparison = moved_in_nomad(fleet, self._seen, reports, self.keys)
        self._seen = dict(comparison.seen)
        for key in comparison.moved:
            self._wake(key)
        self.drop_reports_of_nothing()

    def drop_reports_of_nothing(self) -> None:
        """Neither a file nor a record speaks of them any more: a broken file that is gone, a conflict that is over."""
        for key in {report.key for report in self._reports} - self.keys:
            self._reports.gone(key)

    def judge_memory(self, fleet: Fleet) -> None:
        """Nothing is remembered, and jobs that are wanted run: the memory was lost, or another tool was here before.

        Either way work with an end may have been done before.
        """
        state = self._source.state
        wanted = state.apps if state is not None else ()
        runs = any(key in fleet.entries and not fleet.entries[key].stop for key in wanted)
        self.after_state_loss = self._records.fresh and runs
