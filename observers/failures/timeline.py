"""One task of one allocation as a row of ends: what ended an attempt to run it, and what had come before. Pure.

The cause is the event before `Not Restarting`: that one, `Restarting`, `Killed` and `Alloc Unhealthy` only follow.
Source: nomad/client/allocrunner/taskrunner; recorded scenarios.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from observers.failures.row import Where
from observers.running import Allocation, TaskEvent, TaskState

# The detail that holds the whole text of an event; its message may be shortened or made for people.
_DETAIL = {
    Where.DRIVER: "driver_error",
    Where.VALIDATION: "validation_error",
    Where.ARTIFACT: "download_error",
    Where.SETUP: "setup_error",
    Where.RESTART: "restart_reason",
}
_ENDS = {where.value: where for where in (Where.DRIVER, Where.VALIDATION, Where.ARTIFACT, Where.SETUP, Where.HOOK)} | {
    Where.RESTORE.value: Where.RESTORE
}


class Killer(StrEnum):
    """Who asked the task to end; `nobody` where it ended by itself."""

    NOBODY = ""
    CHECK = "check"
    SIBLING = "sibling"
    NOMAD = "nomad"  # a stop, an update, a person, a re-rendered template


@dataclass(frozen=True, slots=True)
class End:
    """One attempt that ended. `ran` is None where it never started. `reasons` are those of `Restart Signaled`."""

    where: Where
    event: TaskEvent
    said: str
    ran: timedelta | None = None
    killer: Killer = Killer.NOBODY
    sibling: str = ""
    reasons: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        code = self.event.details.get("exit_code", "")
        return int(code) if code.lstrip("-").isdigit() else 0

    @property
    def signal(self) -> int:
        signal = self.event.details.get("signal", "")
        return int(signal) if signal.isdigit() else 0


@dataclass(frozen=True, slots=True)
class Timeline:
    """`gave_up` is the reason of `Not Restarting`. `waiting` is the last `Missing: …` of a task that never started.

    `came_late` is the one of a task that did start, after Nomad had judged it unhealthy for waiting so long.
    """

    allocation: Allocation
    task: str
    state: TaskState
    ends: tuple[End, ...] = ()
    gave_up: str = ""
    waiting: TaskEvent | None = None
    waiting_since: datetime | None = None
    came_late: TaskEvent | None = None
    sibling: str = ""
    unhealthy: tuple[TaskEvent, ...] = ()
    started_at: datetime | None = None  # of the attempt that runs now
    steps: tuple[TaskEvent, ...] = field(default=())


def timeline(allocation: Allocation, task: str, state: TaskState) -> Timeline:
    """Events must be oldest first."""
    ends: list[End] = []
    reasons: list[str] = []
    started: datetime | None = None
    killing = False
    sibling = ""
    gave_up = ""
    waiting: TaskEvent | None = None
    waiting_since: datetime | None = None
    unhealthy: list[TaskEvent] = []
    came_late: TaskEvent | None = None
    for event in state.events:
        where = _ENDS.get(event.type)
        if event.type == "Started":
            came_late = came_late or (waiting if unhealthy else None)
            started, killing, reasons, waiting, waiting_since = event.time, False, [], None, None
        elif event.type == Where.TEMPLATE.value and "Missing:" in event.message:
            waiting, waiting_since = event, waiting_since or event.time
        elif event.type == Where.RESTART.value:
            reasons.append(event.details.get("restart_reason", "") or event.message)
        elif event.type == "Sibling Task Failed":
            sibling = event.details.get("failed_sibling", "") or _quoted(event.message)
        elif event.type in ("Leader Task Dead", "Main Tasks Dead"):
            killing = True
        elif event.type == Where.KILLING.value:
            if event.details.get("fails_task") == "true" or _tells(event.message):
                ends.append(End(Where.KILLING, event, said(Where.KILLING, event), _since(started, event)))
                waiting = None
            else:
                killing = True
        elif event.type == "Not Restarting":
            gave_up = event.details.get("restart_reason", "") or event.message
        elif event.type == "Alloc Unhealthy":
            unhealthy.append(event)
        elif event.type == Where.EXIT.value:
            killer = _killer(reasons, sibling, killing)
            ends.append(End(Where.EXIT, event, event.message, _since(started, event), killer, sibling, tuple(reasons)))
            started, reasons = None, []
        elif where is not None:
            ends.append(End(where, event, said(where, event), _since(started, event)))
            started, waiting = None, None
    running = state.state == "running"
    return Timeline(
        allocation=allocation,
        task=task,
        state=state,
        ends=tuple(ends),
        gave_up="" if running else gave_up,
        waiting=waiting if state.state == "pending" else None,
        waiting_since=waiting_since,
        came_late=came_late,
        sibling=sibling,
        unhealthy=tuple(unhealthy),
        started_at=(started or (None if ends else state.started_at)) if running else None,
        steps=state.events,
    )


def timelines(allocation: Allocation) -> Iterator[Timeline]:
    """One for each task, by name."""
    for name, state in sorted(allocation.tasks.items()):
        yield timeline(allocation, name, state)


def said(where: Where, event: TaskEvent) -> str:
    """The whole text of an event."""
    return event.details.get(_DETAIL.get(where, ""), "") or event.message or event.details.get("message", "")


def _killer(reasons: list[str], sibling: str, killing: bool) -> Killer:
    if sibling:
        return Killer.SIBLING
    if reasons:
        return Killer.CHECK if reasons[0].startswith("healthcheck") else Killer.NOMAD
    return Killer.NOMAD if killing else Killer.NOBODY


def _tells(message: str) -> bool:
    """A `Killing` with a cause, as some hooks write it without saying that it fails the task."""
    return message.startswith(("Template failed", "Vault:", "failed to renew vault token"))


def _since(started: datetime | None, event: TaskEvent) -> timedelta | None:
    return None if started is None else event.time - started


def _quoted(message: str) -> str:
    return message.split('"')[1] if message.count('"') >= 2 else ""
