"""The logs of tasks that have ended by themselves, read as soon as they have: an exit code alone names no cause.

Read once for each end of a task, and again while its check fails, for what it says of where it listens. Bounded: at
most two allocations and four tasks of a job at a time; what is held is forgotten with those read longest ago.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from observers.evidence import Evidence, LogTail
from observers.failures.row import Where
from observers.failures.timeline import End, Killer, timelines

_MOST_TASKS = 4
_HELD = 200
# What a task says while its check fails may be more with every look, and seldom is.
_CHECKED_AGAIN = timedelta(seconds=10)

_Task = tuple[str, str]


class ReadsLogs(Protocol):
    """Who reads the last lines of tasks."""

    async def crashes(self, evidence: Evidence, wanted: Sequence[_Task]) -> tuple[LogTail, ...]: ...


class CrashLogs:
    """What was read, by allocation and task, with how often it had ended then."""

    def __init__(self, *, reads: ReadsLogs) -> None:
        self._reads = reads
        self._held: OrderedDict[_Task, tuple[tuple[int, datetime | None], tuple[LogTail, ...]]] = OrderedDict()

    async def of(self, evidence: Evidence) -> tuple[LogTail, ...]:
        """Empty, and without a request, where no task of it has ended by itself and no check fails."""
        now = dict(_telling(evidence))
        missing = [task for task, seen in now.items() if self._held.get(task, (None, ()))[0] != seen]
        if missing:
            read = await self._reads.crashes(evidence, missing)
            for task in missing:
                tails = tuple(one for one in read if (one.allocation, one.task) == task)
                self._held[task] = (now[task], tails)
                self._held.move_to_end(task)
            while len(self._held) > _HELD:
                self._held.popitem(last=False)
        return tuple(tail for task in now if task in self._held for tail in self._held[task][1])


def _telling(evidence: Evidence) -> Iterator[tuple[_Task, tuple[int, datetime | None]]]:
    """The newest allocations first; each with what has to change before its log is worth another look."""
    failing = {one.allocation for one in evidence.checks or () if one.status == "failure"}
    found = 0
    for allocation in evidence.allocations:
        for line in timelines(allocation):
            ends = sum(map(_by_itself, line.ends))
            asked = allocation.id in failing and line.started_at is not None
            if (ends or asked) and found < _MOST_TASKS:
                found += 1
                yield (allocation.id, line.task), (ends, _step(evidence.at) if asked else None)


def _by_itself(end: End) -> bool:
    """Of a kill for want of memory Nomad has told all."""
    killed = end.event.details.get("oom_killed") == "true"
    return end.where is Where.EXIT and end.killer is Killer.NOBODY and not killed


def _step(at: datetime) -> datetime:
    """The same for all looks of a few seconds."""
    return datetime.fromtimestamp(at.timestamp() // _CHECKED_AGAIN.total_seconds() * 10, tz=at.tzinfo)
