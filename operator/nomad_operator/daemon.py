"""The running operator: follows git, listens to Nomad, resyncs, and runs passes.

It decides nothing about apps. It only knows which keys to wake: those that a commit moved, those that an event or a
resync shows changed, and those that a person asks for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from desired.app import AppKey
from desired.code_place import DEFAULT_REF
from nomad_operator.code_sources import CodeSources
from nomad_operator.commits import CommitTimes
from nomad_operator.event_feed import EventFeed
from nomad_operator.fleet_sync import FleetSync
from nomad_operator.log import Log, Outages
from nomad_operator.metrics import Metrics
from nomad_operator.nomad_watch import NomadWatch
from nomad_operator.other_sources import Remote
from nomad_operator.pulse import TICK_SECONDS, Pulse
from nomad_operator.rules_watch import RulesWatch
from nomad_operator.schedule import Schedule
from nomad_operator.source import Source
from nomad_operator.source_problems import SourceProblems, held_up
from nomad_operator.state_watch import StateWatch
from reconcilers.decision import Truth
from reconcilers.generate.remembering_apps import RememberingApps
from reconcilers.prune import PruneRules, Withdrawals, withdrawals
from reconcilers.records import Records
from reconcilers.repair.remembering import Remembering
from reconcilers.repair.switch import Switch
from reconcilers.repair.writing import Writing
from reconcilers.reports import Reports, Transition
from reconcilers.requests import Requests, Verb
from reconcilers.resync import moved_in_git
from reconcilers.workers import Workers

# Every app with native checks is looked at once in this time: a check can fail long after Nomad called it healthy.
_CHECKS_ROUND_SECONDS = 300.0
_CHECKS_TICK_SECONDS = 10.0
_RULES_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Intervals:
    """How often things are looked at without being told, in seconds."""

    poll: float
    resync: float


class Daemon:
    """Owns the loops; `run` returns after `stop`."""

    def __init__(
        self,
        *,
        sync: FleetSync,
        feed: EventFeed,
        pulse: Pulse,
        nomad: NomadWatch,
        writing: Writing | None,
        remembering: Remembering | None = None,
        remembering_apps: RememberingApps | None = None,
        source: Source,
        records: Records,
        reports: Reports,
        requests: Requests,
        workers: Workers,
        metrics: Metrics,
        outages: Outages,
        commits: CommitTimes,
        prune: PruneRules,
        switch: Switch,
        state: StateWatch,
        intervals: Intervals,
        log: Log,
        now: Callable[[], datetime],
        codes: CodeSources | None = None,
        rules: RulesWatch,
    ) -> None:
        self._rules = rules
        self._rules_due = asyncio.Event()
        self._codes = codes
        self._told: set[Remote] = set()
        self._sync = sync
        self._feed = feed
        self._pulse = pulse
        self._nomad = nomad
        self._writing = writing
        self._remembering = remembering
        self._remembering_apps = remembering_apps
        self._source = source
        self._records = records
        self._reports = reports
        self._requests = requests
        self._workers = workers
        self._metrics = metrics
        self._outages = outages
        self._commits = commits
        self._prune = prune
        self._switch = switch
        self._state = state
        self._intervals = intervals
        self._log = log
        self._now = now
        self._schedule = Schedule()
        self._source_due = asyncio.Event()
        self._checks_due = asyncio.Event()
        self._withdrawals = Withdrawals(frozenset())
        self._tasks: list[asyncio.Task[None]] = []
        self._source_problems = SourceProblems(log=log, metrics=metrics)

    # -- life

    async def start(self) -> None:
        """Read git and Nomad once, then start the loops. Git or Nomad being down is waited for, not fatal."""
        self._metrics.repairs_stopped(stopped=self._switch.stopped)
        self._source_due.set()
        self._sync.look()
        self._schedule.every(self._intervals.poll, self._source_due)
        self._schedule.every(self._intervals.resync, self._sync.due)
        self._schedule.every(_CHECKS_TICK_SECONDS, self._checks_due)
        self._schedule.every(_RULES_SECONDS, self._rules_due)
        self._schedule.every(TICK_SECONDS, self._pulse.due)
        self._schedule.start()
        loops = [
            self._follow_source,
            self._sync.run,
            self._feed.run,
            self._pulse.run,
            self._rotate_checks,
            self._watch_rules,
            self._state.run,
        ]
        if self._writing is not None:
            loops.append(self._writing.run)
        if self._remembering is not None:
            loops.append(self._remembering.run)
        if self._remembering_apps is not None:
            loops.append(self._remembering_apps.run)
        self._metrics.leader(acting=True)
        self._tasks = [asyncio.create_task(loop(), name=loop.__name__) for loop in loops]

    async def run(self) -> None:
        """Until `stop`; a loop that ends by an unexpected error ends the daemon, loudly."""
        workers = asyncio.create_task(self._workers.run(), name="workers")
        try:
            done, _ = await asyncio.wait([workers, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not task.cancelled():
                    task.result()
        finally:
            await self.stop()
            await workers
            self._requests.close()

    async def stop(self) -> None:
        """No new work; running passes end by themselves."""
        self._schedule.stop()
        self._workers.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def drop(self) -> None:
        """As `stop`, and the running passes are cut off: another copy acts from now on, or may."""
        self._workers.drop()
        await self.stop()

    # -- what others ask

    @property
    def nomad(self) -> NomadWatch:
        """Whether Nomad answers."""
        return self._nomad

    @property
    def state(self) -> StateWatch:
        """Whether what is remembered can be written."""
        return self._state

    def hurry_unsettled(self) -> None:
        """Whatever waited for a dependency that is back goes on now."""
        for report in self._reports:
            if not report.settled:
                self._workers.wake(report.key, hurry=True)

    @property
    def keys(self) -> set[AppKey]:
        return self._sync.keys

    @property
    def withdrawals(self) -> Withdrawals:
        return self._withdrawals

    def unread(self) -> list[str]:
        """Which of `git` and `nomad` have not been read completely yet."""
        return [*(["git"] if self._source.state is None else []), *([] if self._sync.complete else ["nomad"])]

    def missing(self) -> list[str]:
        """The same in words; empty means ready."""
        missing = []
        if self._source.state is None:
            missing.append("git has not been read yet" + (f": {self._source.problem}" if self._source.problem else ""))
        if not self._sync.complete:
            missing.append("Nomad has not been read yet")
        return missing

    async def wake_source(self) -> None:
        """Somebody pushed, perhaps to one of the other repositories."""
        if self._codes is not None:
            self._codes.hurry()
        self.look_at_git()

    def look_at_git(self) -> None:
        """Soon, and not only at the next poll."""
        self._source_due.set()

    @property
    def writing(self) -> bool:
        """Repairs are being carried back to git, or are about to be."""
        return self._writing is not None and not self._writing.idle

    async def ask(self, key: AppKey, verb: Verb, argument: str = "") -> None:
        """Durable when this returns."""
        answer = self._requests.ask(key, verb, argument)
        self._workers.wake(key, hurry=True)
        await answer

    async def stop_repairs(self, *, rollback: bool) -> None:
        """Durable when this returns. Whoever is under repair is told, and put back if `rollback`."""
        await self._switch.stop(self._now())
        tried = [record.key for record in self._records if record.episode is not None]
        if rollback:
            await asyncio.gather(*(self.ask(key, Verb.ROLL_BACK) for key in tried))
        self._metrics.repairs_stopped(stopped=True)
        for key in tried:
            self._workers.wake(key)

    async def start_repairs(self) -> None:
        """Durable when this returns; every app that failed is looked at again."""
        await self._switch.start()
        self._metrics.repairs_stopped(stopped=self._switch.stopped)
        self._look_at_writing()
        for record in self._records:
            if record.failed:
                self._workers.wake(record.key)

    def confirmed(self, keys: Collection[AppKey]) -> None:
        """What held these back is judged anew: a pass that notes one confirmation cannot know of the others."""
        self.review_withdrawals()
        for key in keys:
            self._workers.wake(key)

    def transition(self, transition: Transition) -> None:
        """A listener of the reports: what waited for this app need not wait for its next look."""
        state = self._source.state
        if state is None or transition.ready is not Truth.TRUE:
            return
        for key, app in state.apps.items():
            if transition.key in app.policy.depends_on:
                self._workers.wake(key)

    # -- loops

    async def _follow_source(self) -> None:
        while True:
            await self._source_due.wait()
            self._source_due.clear()
            changed = await self._source.refresh()
            problem = self._source.problem
            if self._source.notice:
                self._log.warning("git", notice=self._source.notice)
            self._outages.report("git", problem.message if problem else None, hint=problem.hint if problem else "")
            self._metrics.dependency_up("git", up=problem is None)
            self._reports.source_read(problem)
            self._reports.code_read(self._source.out_of_reach())
            self._tell_other_sources()
            if self._source.state is not None:
                self._nomad.parser(held_up(self._source.state))
            if changed:
                self._moved_in_git()
                self._rules_due.set()

    def _tell_other_sources(self) -> None:
        found = self._codes.problems() if self._codes is not None else {}
        for remote in found.keys() | self._told:
            told = f"source {remote.git} {remote.ref}".removesuffix(f" {DEFAULT_REF}")
            problem = found.get(remote)
            self._outages.report(told, problem.message if problem else None, hint=problem.hint if problem else "")
        self._told = set(found)

    def _moved_in_git(self) -> None:
        state = self._source.state
        assert state is not None
        self.review_withdrawals()
        self._look_at_writing()
        self._source_problems.read(state)
        if not self._sync.complete:
            # The first resync wakes everything.
            self._sync.look()
            return
        reports = {report.key: report for report in self._reports}
        moved = moved_in_git(state, reports, self.keys)
        self._commits.moved(moved, None)
        for key in moved:
            self._workers.wake(key, hurry=True)
        self._sync.drop_reports_of_nothing()

    def _look_at_writing(self) -> None:
        if self._writing is not None:
            self._writing.look()

    def review_withdrawals(self) -> None:
        """Who is withdrawn, and what holds that back, by the revision in force."""
        if self._source.state is not None:
            self._withdrawals = withdrawals(self._records, self._source.state, self._records.origin, self._prune)

    async def _watch_rules(self) -> None:
        """What rests is examined again where the rules are others: nobody else would wake it."""
        while True:
            await self._rules_due.wait()
            self._rules_due.clear()
            if self._rules.changed():
                for key in self.keys:
                    self._workers.wake(key)

    async def _rotate_checks(self) -> None:
        rotation: list[AppKey] = []
        while True:
            await self._checks_due.wait()
            self._checks_due.clear()
            checked = [report.key for report in self._reports if report.checked and report.settled]
            rotation = [key for key in rotation if key in checked] or checked
            share = -(-len(checked) * _CHECKS_TICK_SECONDS // _CHECKS_ROUND_SECONDS)
            for key in rotation[: int(share)]:
                self._workers.wake(key)
            rotation = rotation[int(share) :]
