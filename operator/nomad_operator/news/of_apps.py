"""News of apps, out of what the passes decide: who became ready or is not any more, and what waits for a person.

A listener of the reports. It is about changes: a pass that finds what the one before found says nothing.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Protocol

from desired.app import AppKey
from desired.reasons import Reason
from nomad_operator.news.notice import Kind, Notice, Topic, of_app
from reconcilers.decision import Condition, Step, Truth
from reconcilers.prune import NOT_READ
from reconcilers.reports import AppReport, ConditionState

# A first look at an app that runs well is no news; one that we have registered since is.
_OURS = frozenset({Step.REGISTERING, Step.CORRECTING, Step.ADOPTING, Step.RERUNNING})
_TOLD: dict[Condition, tuple[Kind, str, tuple[str, ...]]] = {
    Condition.STALLED: (Kind.STALLED, "{app} does not go on by itself", ("explain {app}",)),
    Condition.ADOPTION_REQUIRED: (
        Kind.ADOPTION_REQUIRED, "the job of {app} was there before, and differs", ("plan {app}", "adopt {app}"),
    ),
    Condition.QUESTIONS_OPEN: (Kind.QUESTIONS_OPEN, "{app} has questions to answer", ("status {app}",)),
}  # fmt: skip


class Desk(Protocol):
    """Takes news; never blocks and never raises."""

    def put(self, notice: Notice) -> None: ...

    def settle(self, topic: Topic) -> None:
        """Nothing is to be told of this topic any more: what waits to be told is dropped."""
        ...

    def forget(self, app: str) -> None: ...


class NewsOfApps:
    """`redact` takes secrets out of text."""

    def __init__(self, *, desk: Desk, redact: Callable[[str], str]) -> None:
        self._desk = desk
        self._redact = redact
        self._ready: dict[AppKey, bool] = {}
        self._ours: set[AppKey] = set()

    def changed(self, before: AppReport | None, after: AppReport) -> None:
        """Told the report before and after each decision about an app."""
        if after.step in _OURS:
            self._ours.add(after.key)
        if before is None or _readiness(before) != _readiness(after):
            self._readiness(after)
        self._conditions(before, after)

    def gone(self, key: AppKey) -> None:
        """Nothing is left of the app."""
        self._ready.pop(key, None)
        self._ours.discard(key)
        self._desk.forget(str(key))

    def _readiness(self, report: AppReport) -> None:
        key, app = report.key, _quoted(report.key)
        held = report.step is Step.PRUNE_HELD and report.reason == Reason.PRUNE_HELD
        if held:
            # What no confirmation can help is not offered to be confirmed.
            confirm = () if NOT_READ in report.message else ("prune --confirm",)
            self._put(
                Kind.PRUNE_WAITING, "prune", "held", report, f"the stop of {key} waits", report.message,
                ("prune", *confirm),
            )  # fmt: skip
        else:
            self._desk.settle(of_app(key, "prune"))
        if report.ready is Truth.UNKNOWN or Condition.RECONCILING in report.conditions:
            # Under way: what comes of it is the news.
            return
        ready = report.ready is Truth.TRUE
        known, self._ready[key] = self._ready.get(key), ready
        if known is None and ready and key not in self._ours:
            return
        if ready:
            self._put(Kind.READY, "ready", "True", report, f"{key} is ready", report.message)
        else:
            self._put(Kind.UNREADY, "ready", "False", report, f"{key} is not ready: {report.reason}", report.message,
                      (f"explain {app}",))  # fmt: skip

    def _conditions(self, before: AppReport | None, after: AppReport) -> None:
        for condition, (kind, title, commands) in _TOLD.items():
            was, now = _stands(before, condition), _stands(after, condition)
            if now is None and was is not None:
                self._desk.settle(of_app(after.key, condition.value))
            if now is not None and was is None:
                filled = tuple(command.format(app=_quoted(after.key)) for command in commands)
                self._put(kind, condition.value, "True", after, title.format(app=after.key), now.message, filled)

    def _put(
        self, kind: Kind, about: str, state: str, report: AppReport, title: str, text: str,
        commands: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        typed = tuple(f"nomad-operator {command}" for command in commands)
        self._desk.put(
            Notice(kind, of_app(report.key, about), state, report.decided_at, title, self._redact(text), typed)
        )


def _readiness(report: AppReport) -> tuple[Truth, str, bool]:
    return report.ready, report.reason, Condition.RECONCILING in report.conditions


def _stands(report: AppReport | None, condition: Condition) -> ConditionState | None:
    """What stalls for the moment between two steps has not stalled."""
    if report is None or (condition is Condition.STALLED and not report.settled):
        return None
    return report.conditions.get(condition)


def _quoted(key: AppKey) -> str:
    return shlex.quote(str(key))
