"""What the web answers from: the daemon's view as documented JSON, and people's commands to it."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from typing import Any

from desired.app import AppKey
from desired.errors import UsageError
from desired.policy import RepairMode
from nomad_operator import asked, repair_view
from nomad_operator import status as view
from nomad_operator.daemon import Daemon
from nomad_operator.repair_ledger import RepairLedger
from nomad_operator.source import Source
from nomad_operator.web_events import Broadcast, Listening
from reconcilers.decision import Step
from reconcilers.prune import NOT_READ
from reconcilers.record import Record
from reconcilers.records import Records
from reconcilers.repair.switch import Switch
from reconcilers.reports import Reports, Transition
from reconcilers.requests import Verb


class DaemonBackend:
    """Implements `nomad_operator.web.Backend`."""

    def __init__(
        self,
        *,
        daemon: Daemon,
        source: Source,
        records: Records,
        reports: Reports,
        mode: str,
        broadcast: Broadcast,
        switch: Switch,
        repair_mode: RepairMode,
        ledger: RepairLedger,
    ) -> None:
        self._daemon = daemon
        self._source = source
        self._records = records
        self._reports = reports
        self._mode = mode
        self._broadcast = broadcast
        self._switch = switch
        self._repair_mode = repair_mode
        self._ledger = ledger

    def status(self) -> dict[str, Any]:
        return view.status(
            state=self._source.state,
            source_problem=self._source.problem,
            state_problem=self._daemon.state.problem,
            nomad_problem=self._daemon.nomad.problem,
            reports={report.key: report for report in self._reports},
            records={record.key: record for record in self._records},
            mode=self._mode,
            repairs=self._repairs,
        )

    def fleet(self) -> dict[str, Any]:
        """The status with each app in a row: what a page of thousands can be made of."""
        return {**self.head(), "apps": [view.summary(report) for report in self._reports]}

    def head(self) -> dict[str, Any]:
        """The status without the apps."""
        state = self._source.state
        return {
            "operator": view.operator(
                state=state,
                source_problem=self._source.problem,
                nomad_problem=self._daemon.nomad.problem,
                state_problem=self._daemon.state.problem,
                mode=self._mode,
                repairs=self._repairs,
            ),
            "sources": [] if state is None else view.sources(state),
        }

    def past_repairs(self) -> dict[str, Any]:
        """How failures ended, the newest first, as far as it is remembered."""
        past = self._ledger.past(self._records)
        return {
            "since": repair_view.when(self._ledger.since),
            "full": self._ledger.full,
            "episodes": [repair_view.past(one.key, one.episode) for one in past],
        }

    def past_stories(self, key: AppKey) -> list[dict[str, Any]]:
        """Of one app, those that ended before the one that `explain` tells; the newest first."""
        record = self._records.get(key)
        told = record.episode or record.last_episode
        past = [one.episode for one in self._ledger.past([]) if one.key == key]
        if record.episode is not None and record.last_episode is not None:
            past = [record.last_episode, *(one for one in past if one.id != record.last_episode.id)]
        return [repair_view.full(one, record) for one in past if told is None or one.id != told.id]

    @property
    def _repairs(self) -> str:
        if self._switch.stopped:
            return "stopped"
        return "off" if self._repair_mode is RepairMode.OFF else "on"

    def app(self, key: AppKey) -> dict[str, Any] | None:
        report = self._reports.get(key)
        if report is None:
            return None
        state = self._source.state
        desired = state.apps.get(key) if state is not None else None
        return view.app(report, self._records.get(key), view.questions(state).get(key, ()), desired=desired)

    def explain(self, key: AppKey) -> dict[str, Any] | None:
        """The story of the open episode, or of the last one."""
        report = self._reports.get(key)
        return None if report is None else repair_view.story(self._records.get(key), now=report.diagnosis)

    async def command(self, key: AppKey, verb: str, argument: str = "") -> dict[str, Any]:
        """Durable when this returns; the pass that follows is not waited for."""
        asked_for, report, record = Verb(verb), self._reports.get(key), self._records.get(key)
        self._check(key, asked_for, argument)
        asked.check(asked_for, report, record)
        told = asked.told(
            asked_for,
            report,
            record,
            nomad=self._daemon.nomad.problem,
            mode=self._mode,
            repairs_stopped=self._switch.stopped,
            held_by_file=self._suspended_in_git(key, record),
        )
        await self._daemon.ask(key, asked_for, argument)
        found = self.app(key)
        return {**(found if found is not None else {"key": str(key)}), "told": told}

    def _suspended_in_git(self, key: AppKey, record: Record) -> bool:
        desired = self._source.state.apps.get(key) if self._source.state is not None else None
        policy = desired.policy if desired is not None else record.policy
        return policy is not None and policy.suspend

    def _check(self, key: AppKey, verb: Verb, argument: str) -> None:
        """An approval that fits nothing must not look as if it had done something."""
        record = self._records.get(key)
        waiting = record.episode.waiting if record.episode else None
        if verb in (Verb.APPROVE, Verb.REJECT) and waiting is None:
            raise UsageError(
                f"no repair of {key} waits for approval", hint="`nomad-operator repairs list` shows those that do"
            )
        if verb is Verb.APPROVE and waiting is not None and argument and argument != waiting.hash:
            raise UsageError(
                f"what waits for {key} is proposal {waiting.hash} by now, not {argument}",
                hint=f"`nomad-operator explain {key}` shows it; approve it if you still want it",
            )
        if verb is Verb.REVERT and not record.overlay and record.episode is None:
            raise UsageError(f"no repair of {key} is in force", hint=f"`nomad-operator status {key}` shows what is")

    def repairs(self) -> dict[str, Any]:
        """What waits for a person, what is being tried, and what is in force besides git."""
        apps = [
            {
                "key": str(record.key),
                "episode": repair_view.episode(record.episode),
                "lastEpisode": repair_view.episode(record.last_episode),
                "overlay": repair_view.overlay(record.overlay),
            }
            for record in sorted(self._records, key=lambda one: one.key)
            if record.episode is not None or record.overlay
        ]
        return {"repairs": self._repairs, "apps": apps}

    async def stop_repairs(self, *, rollback: bool) -> dict[str, Any]:
        """The kill switch. With `rollback`, what was being tried is put back as well."""
        await self._daemon.stop_repairs(rollback=rollback)
        return self.repairs()

    async def start_repairs(self) -> dict[str, Any]:
        if self._switch.by_setting:
            raise UsageError(
                "repairs are stopped by a setting",
                hint="NOMAD_OPERATOR_REPAIRS_STOPPED=false, and a restart, starts them",
            )
        await self._daemon.start_repairs()
        return self.repairs()

    def prune_candidates(self) -> dict[str, Any]:
        """Withdrawn apps that would be stopped, and what holds them back."""
        withdrawals = self._daemon.withdrawals
        apps = []
        for key in sorted(withdrawals.keys):
            record, report = self._records.get(key), self._reports.get(key)
            if record.applied is None:
                continue
            confirmed = bool(record.withdrawal and record.withdrawal.confirmed)
            held = bool(withdrawals.holds(key))
            # The last pass did not know yet what was confirmed since.
            told = report.message if report else ""
            if confirmed and not held:
                told = "confirmed: its job is stopped once the grace time is over"
            apps.append({
                "key": str(key),
                "withdrawnSince": repair_view.when(record.withdrawal.since) if record.withdrawal else None,
                "prune": record.prune,
                "leftRunning": report is not None and report.step is Step.WITHDRAWN,
                "confirmed": confirmed,
                "held": held,
                "message": told,
            })  # fmt: skip
        return {"held": withdrawals.held, "apps": apps}

    async def confirm_prune(self) -> dict[str, Any]:
        """Confirms exactly the apps that are withdrawn now; later ones are asked about again."""
        withdrawals = self._daemon.withdrawals
        if withdrawals.held.startswith(NOT_READ):
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
