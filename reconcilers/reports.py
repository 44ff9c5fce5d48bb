"""What is known of every app by its last decision: conditions with their transition times, and who is told of changes.

Held in memory: a new process learns it anew from the cluster within one resync. Conditions are derived, never decided
upon; the one thing that others ask here is whether a dependency is ready. What is true of all apps at once, that git
or Nomad cannot be read, is kept once and laid over each report when it is read: no app needs a pass for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from desired.app import AppKey
from desired.errors import OperatorError
from desired.reasons import Reason
from desired.state import DesiredApp
from observers.failures.diagnosis import Diagnosis
from observers.running import Running
from reconcilers.decision import Condition, Decision, Rest, Step, Truth


@dataclass(frozen=True, slots=True)
class ConditionState:
    """One condition as people read it; `since` is when its status last changed."""

    type: Condition
    status: Truth
    reason: str
    message: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Transition:
    """A change worth telling: another step, or another answer to Ready."""

    at: datetime
    key: AppKey
    step: Step
    ready: Truth
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class AppReport:
    """The last word on one app. `settled` is True when nothing is under way; `seen` is what it was decided on."""

    key: AppKey
    step: Step
    ready: Truth
    reason: str
    message: str
    settled: bool
    conditions: Mapping[Condition, ConditionState]
    decided_at: datetime
    kind: str = ""
    path: str = ""
    source_hash: str = ""
    version: int = 0
    modify_index: int = 0
    job_modify_index: int = 0
    checked: bool = False  # it has native checks, which no list shows
    diff: str = ""
    diagnosis: Diagnosis | None = None  # what is wrong now, as far as it has a name
    transitions: tuple[Transition, ...] = field(default=())


_KEPT_TRANSITIONS = 10


class Reports:
    """Implements `reconcilers.ports.Reporter`. Listeners are called in the same turn and must not block."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._reports: dict[AppKey, AppReport] = {}
        self._source_failed: ConditionState | None = None
        self._nomad_failed: ConditionState | None = None
        self._code_failed: dict[AppKey, ConditionState] = {}
        self._listeners: list[Callable[[Transition], None]] = []
        self._watchers: list[Callable[[AppReport | None, AppReport], None]] = []

    def listen(self, listener: Callable[[Transition], None]) -> None:
        self._listeners.append(listener)

    def watch(self, watcher: Callable[[AppReport | None, AppReport], None]) -> None:
        """Told the report before, if there was one, and after each decision, also where nothing has changed."""
        self._watchers.append(watcher)

    def __iter__(self) -> Iterator[AppReport]:
        return iter([self._told(self._reports[key]) for key in sorted(self._reports)])

    def get(self, key: AppKey) -> AppReport | None:
        report = self._reports.get(key)
        return None if report is None else self._told(report)

    def _told(self, report: AppReport) -> AppReport:
        """What a pass could not read of this very app says more than what could not be read of all."""
        failed = self._nomad_failed or self._source_failed or self._code_failed.get(report.key)
        if failed is None or Condition.OBSERVE_FAILED in report.conditions:
            return report
        return replace(report, conditions={**report.conditions, Condition.OBSERVE_FAILED: failed})

    def source_read(self, problem: OperatorError | None) -> None:
        """What the last look at git found: a problem of every app, or none. Wakes nobody; Ready stands by itself."""
        if problem is None:
            self._source_failed = None
            return
        # The words of the error tree are about the app's own file or job; only this one is git's alone.
        refused = problem.reason is Reason.HOST_KEY_REFUSED
        reason = Reason.HOST_KEY_REFUSED if refused else Reason.SOURCE_UNAVAILABLE
        hint = f" ({problem.hint})" if problem.hint else ""
        message = f"the last good revision stays in force: {problem.message}{hint}"
        since = self._source_failed.since if self._source_failed else self._now()
        self._source_failed = ConditionState(Condition.OBSERVE_FAILED, Truth.TRUE, reason.value, message, since)

    def code_read(self, problems: Mapping[AppKey, OperatorError]) -> None:
        """The same for the other repositories that apps have their code in: a problem of those apps alone."""
        now = self._now()
        failed = {}
        for key, problem in problems.items():
            hint = f" ({problem.hint})" if problem.hint else ""
            message = f"the last good revision of its source stays in force: {problem.message}{hint}"
            since = self._code_failed[key].since if key in self._code_failed else now
            failed[key] = ConditionState(
                Condition.OBSERVE_FAILED, Truth.TRUE, Reason.SOURCE_UNAVAILABLE.value, message, since
            )
        self._code_failed = failed

    def nomad_read(self, problem: OperatorError | None) -> None:
        """The same for the last look at Nomad: while it is away, everything that is told is as it was seen last."""
        if problem is None:
            self._nomad_failed = None
            return
        hint = f" ({problem.hint})" if problem.hint else ""
        message = f"what is told is as it was seen last: {problem.message}{hint}"
        since = self._nomad_failed.since if self._nomad_failed else self._now()
        self._nomad_failed = ConditionState(Condition.OBSERVE_FAILED, Truth.TRUE, problem.reason.value, message, since)

    def ready(self, key: AppKey) -> tuple[bool, str]:
        report = self._reports.get(key)
        if report is None:
            return False, "not looked at yet"
        return report.ready is Truth.TRUE, report.reason

    def decided(self, key: AppKey, decision: Decision, *, app: DesiredApp | None, running: Running) -> None:
        """Keep the report; tell the listeners if the step or Ready changed."""
        now = self._now()
        before = self._reports.get(key)
        job = running.job
        report = AppReport(
            key=key,
            step=decision.step,
            ready=decision.ready,
            reason=decision.reason.value,
            message=decision.message,
            settled=isinstance(decision.action, Rest) and decision.action.settled,
            conditions=_conditions(decision, before.conditions if before else {}, now),
            decided_at=now,
            kind=app.kind.value if app else (before.kind if before else ""),
            path=app.path if app else (before.path if before else ""),
            source_hash=app.source_hash if app else "",
            version=job.version if job else 0,
            modify_index=job.modify_index if job else 0,
            job_modify_index=job.job_modify_index if job else 0,
            checked=running.checks is not None and bool(running.checks),
            diff=decision.diff,
            diagnosis=decision.diagnosis,
            transitions=before.transitions if before else (),
        )
        if before is None or (before.step, before.ready, before.reason) != (report.step, report.ready, report.reason):
            transition = Transition(now, key, report.step, report.ready, report.reason, report.message)
            report = replace(report, transitions=(*report.transitions, transition)[-_KEPT_TRANSITIONS:])
            self._reports[key] = report
            for listener in self._listeners:
                listener(transition)
        self._reports[key] = report
        for watcher in self._watchers:
            watcher(before, report)

    def unobserved(self, key: AppKey, error: Exception) -> None:
        """A pass could not read or write: what was known stays, and is marked as old."""
        before = self._reports.get(key)
        reason = error.reason if isinstance(error, OperatorError) else Reason.INTERNAL_ERROR
        message = error.message if isinstance(error, OperatorError) else "unexpected error, see the log"
        now = self._now()
        failed = _state(Condition.OBSERVE_FAILED, Truth.TRUE, reason.value, message, {}, now)
        if before is None:
            ready = _state(Condition.READY, Truth.UNKNOWN, Reason.OBSERVE_FAILED.value, message, {}, now)
            self._reports[key] = AppReport(
                key=key, step=Step.NOTHING_TO_HOLD, ready=Truth.UNKNOWN, reason=Reason.OBSERVE_FAILED.value,
                message=message, settled=False, conditions={Condition.READY: ready, Condition.OBSERVE_FAILED: failed},
                decided_at=now,
            )  # fmt: skip
        elif Condition.OBSERVE_FAILED not in before.conditions:
            conditions = {**before.conditions, Condition.OBSERVE_FAILED: failed}
            self._reports[key] = replace(before, conditions=conditions, settled=False)

    def gone(self, key: AppKey) -> None:
        """Nothing is left of the app."""
        before = self._reports.pop(key, None)
        if before is not None:
            gone = Transition(
                self._now(), key, Step.PRUNED, Truth.UNKNOWN, Reason.PRUNED.value, "nothing is left of it"
            )
            for listener in self._listeners:
                listener(gone)


def _conditions(
    decision: Decision, before: Mapping[Condition, ConditionState], now: datetime
) -> dict[Condition, ConditionState]:
    told = {
        Condition.READY: _state(Condition.READY, decision.ready, decision.reason.value, decision.message, before, now)
    }
    for condition, (reason, message) in decision.flags.items():
        told[condition] = _state(condition, Truth.TRUE, reason.value, message, before, now)
    return told


def _state(
    condition: Condition, status: Truth, reason: str, message: str, before: Mapping[Condition, ConditionState],
    now: datetime,
) -> ConditionState:  # fmt: skip
    known = before.get(condition)
    since = known.since if known is not None and known.status is status else now
    return ConditionState(condition, status, reason, message, since)
