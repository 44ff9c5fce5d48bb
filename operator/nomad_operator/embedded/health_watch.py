"""Decides whether an allocation of a deployment is healthy. Source: client/allochealth/tracker.go.

Healthy: every task has run, and every check has passed, for min_healthy_time. Unhealthy: a task has failed, or the
healthy_deadline has come. Without a deployment the times are those of the group's `migrate` block, and tasks are told
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nomad_operator.embedded import task_states
from nomad_operator.embedded.checks import Check
from nomad_operator.embedded.gotext import duration
from nomad_operator.embedded.instant import MILLISECOND, SECOND
from nomad_operator.embedded.task_run import TaskRun
from nomad_operator.embedded.timers import Timer, Timers

Mapped = Mapping[str, Any]

_LOOK = 500 * MILLISECOND
_NO_DEPLOYMENT: Mapped = {"HealthCheck": "checks", "MinHealthyTime": 10 * SECOND, "HealthyDeadline": 300 * SECOND}


class HealthWatch:
    """Watches one allocation until its health is decided; `decided` is called once."""

    def __init__(
        self,
        *,
        timers: Timers,
        allocation: Mapped,
        group: Mapped,
        tasks: list[TaskRun],
        checks: list[Check],
        passes: Callable[[Check], bool],
        decided: Callable[[bool], None],
        client_judges: bool,
        looks_in: int,
    ) -> None:
        """`client_judges`: what `World.failures_judged_by` says. `looks_in`: after this time it looks once more."""
        self._timers = timers
        self._deploying = bool(allocation.get("DeploymentID"))
        self._client_judges = client_judges or not self._deploying
        self._update = group["Update"] if self._deploying else group["Migrate"] or _NO_DEPLOYMENT
        self._tasks = [task for task in tasks if (task.task["Lifecycle"] or {}).get("Hook") != "poststop"]
        uses = self._update["HealthCheck"] == "checks"
        self._checks = [one for one in checks if one.check["OnUpdate"] != "ignore"] if uses else []
        self._passes = passes
        self._decided = decided
        self._passing_since: int | None = None
        self._began = timers.now
        self._over = False
        self._waiting: Timer | None = None
        self._deadline = timers.after(self._update["HealthyDeadline"], self._late)
        self._ticking = timers.after(_LOOK, self._tick) if self._checks else None
        self._confirming = timers.after(looks_in, self._confirm)

    def stop(self) -> None:
        """Whatever comes, nothing is decided any more."""
        self._over = True
        for timer in (self._deadline, self._ticking, self._waiting, self._confirming):
            if timer is not None:
                timer.cancel()

    def tasks_changed(self) -> None:
        """A task has started, ended or failed."""
        if self._over:
            return
        over = any(task.dead and (task.failed or not self._may_end(task)) for task in self._tasks)
        if over and not self._client_judges:
            # Whoever tells that the allocation has failed tells its health too, without a time.
            self.stop()
            return
        if over or any(task.failed for task in self._tasks):
            self._tell("Unhealthy because of failed task")
            self._decide(False)
            return
        self._wait()

    def _may_end(self, task: TaskRun) -> bool:
        return (task.task["Lifecycle"] or {}).get("Hook") in ("prestart", "poststart")

    def _running_since(self) -> int | None:
        """Since when everything runs that has to; None if something does not."""
        since = 0
        for task in self._tasks:
            if task.dead and self._may_end(task):
                continue
            if task.started_at is None:
                return None
            since = max(since, task.started_at)
        return since

    def _wait(self) -> None:
        """Set the moment at which it is healthy if nothing changes until then."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        since = self._running_since()
        if since is None or (self._checks and self._passing_since is None):
            return
        due = max(since, self._passing_since or 0, self._began) + self._update["MinHealthyTime"]
        self._waiting = self._timers.at(due, lambda: self._decide(True))

    def _tick(self) -> None:
        now = self._timers.now
        passing = all(self._passes(one) for one in self._checks)
        if passing != (self._passing_since is not None):
            self._passing_since = now if passing else None
            self._wait()
        self._ticking = self._timers.after(_LOOK, self._tick)

    def _confirm(self) -> None:
        """Its checks may have passed since it looked last."""
        since = self._running_since()
        ran = since is not None and self._timers.now - max(since, self._began) >= self._update["MinHealthyTime"]
        if ran and all(self._passes(one) for one in self._checks):
            self._decide(True)

    def _late(self) -> None:
        deadline = duration(self._update["HealthyDeadline"])
        ran = self._running_since() is not None
        least = f"for min_healthy_time of {duration(self._update['MinHealthyTime'])} " if ran else ""
        self._tell(f"Task not running {least}by healthy_deadline of {deadline}")
        self._decide(False)

    def _tell(self, why: str) -> None:
        """Every task that is not at fault is told too, as Nomad does."""
        for task in self._tasks if self._deploying else ():
            if not (task.dead and self._may_end(task)):
                task.tell(task_states.unhealthy(self._timers.now, why))

    def _decide(self, healthy: bool) -> None:
        if not self._over:
            self.stop()
            self._decided(healthy)
