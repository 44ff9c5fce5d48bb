"""Tells of passes: one log line for a change worth telling, metrics for all of them, silence for the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from desired.app import AppKey
from desired.errors import OperatorError, TransientError
from desired.reasons import Reason
from nomad_operator.metrics import Metrics
from reconcilers.decision import Condition, Step
from reconcilers.reports import Reports, Transition
from reconcilers.result import Result, Settled

_NOT_TOLD_YET = ""
_DRIFT = {Step.CORRECTING: "corrected", Step.DRIFT_TOLD: "told"}


class PassLogger(Protocol):
    """As much of a structlog logger as passes need."""

    def info(self, event: str, **values: Any) -> Any: ...

    def warning(self, event: str, **values: Any) -> Any: ...

    def error(self, event: str, **values: Any) -> Any: ...


class Passes:
    """The `PassObserver` of the workers and a listener of the reports."""

    def __init__(
        self, *, log: PassLogger, metrics: Metrics, reports: Reports, explained: Callable[[Exception], bool]
    ) -> None:
        """`explained` says that an error is part of an outage that has a line of its own."""
        self._log = log
        self._metrics = metrics
        self._reports = reports
        self._explained = explained
        self._failing: dict[AppKey, str] = {}

    def passed(self, key: AppKey, result: Result, seconds: float, waited: float) -> None:
        self._metrics.reconciled("settled" if isinstance(result, Settled) else "waiting", seconds)
        self._metrics.waited(waited)
        if self._failing.pop(key, ""):
            self._log.info("pass works again", app=str(key))

    def failed(self, key: AppKey, error: Exception, seconds: float, retry_in: float) -> None:
        """Told once until it changes or passes; with Nomad away every pass fails, and that is one outage.

        What may pass is told when it has not: at the second time. By then it is known whether it is an outage.
        """
        passing = isinstance(error, TransientError | TimeoutError)
        self._metrics.reconciled("transient" if isinstance(error, TransientError) else "error", seconds)
        self._reports.unobserved(key, error)
        told = str(error) or type(error).__name__
        if self._explained(error) or self._failing.get(key) == told:
            return
        if passing and key not in self._failing:
            self._failing[key] = _NOT_TOLD_YET
            return
        self._failing[key] = told
        if passing:
            self._log.info("pass failed", app=str(key), retry_in_seconds=round(retry_in, 1), error=told)
        elif isinstance(error, OperatorError):
            self._log.warning("pass failed", app=str(key), error=told, hint=error.hint)
        else:
            self._log.error("pass failed by a bug", app=str(key), error=told, exc_info=error)

    def transition(self, transition: Transition) -> None:
        """The canonical line of a pass that changed something, and the gauges that count apps."""
        self._log.info(
            "app",
            app=str(transition.key),
            step=transition.step.value,
            ready=transition.ready.value,
            reason=transition.reason,
            message=transition.message,
        )
        if transition.step in _DRIFT:
            contested = transition.reason == Reason.DRIFT_CONTESTED
            self._metrics.drifted("contested" if contested else _DRIFT[transition.step])
        self._count(transition.key)

    def _count(self, key: AppKey) -> None:
        report = self._reports.get(key)
        if report is None:
            self._metrics.app_gone(key)
        else:
            self._metrics.app(key, ready=report.ready.value, reason=report.reason)

    def count_conditions(self) -> None:
        """Called before metrics are read: counting at every transition would cost N a transition."""
        counts: Counter[str] = Counter({condition.value: 0 for condition in Condition})
        for report in self._reports:
            counts.update(
                condition.value for condition, state in report.conditions.items() if state.status.value == "True"
            )
        self._metrics.apps(counts)
