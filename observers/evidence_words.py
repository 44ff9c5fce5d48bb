"""Evidence as people read it: a few lines, what happened first comes first. Pure.

The text is redacted already; here it is only cut.
"""

from __future__ import annotations

from collections.abc import Iterator

from observers.evidence import Evidence
from observers.running import PlacementFailure

_LINE = 240
_LOG_LINES = 6
# Steps on the way to a start: they happen to healthy tasks, too.
_ON_THE_WAY = frozenset({"Received", "Task Setup", "Started", "Driver"})


def told_lines(evidence: Evidence, *, limit: int) -> tuple[str, ...]:
    """At most `limit` lines of at most 240 characters. What repeats is told once, with how often."""
    told = [*_refusal(evidence), *_placement(evidence), *_events(evidence), *_checks(evidence), *_logs(evidence)]
    told += _unread(evidence)
    return tuple(_cut(line) for line in told[:limit])


def _refusal(evidence: Evidence) -> Iterator[str]:
    if evidence.refusal:
        yield f"Nomad refuses it: {evidence.refusal}"
    if evidence.warnings:
        yield f"Nomad warns: {evidence.warnings}"


def _placement(evidence: Evidence) -> Iterator[str]:
    for group, failure in sorted(evidence.placement.items()):
        yield f"group {group} is not placed: {_why(failure)}"


def _why(failure: PlacementFailure) -> str:
    told = [f"{reason} exhausted on {number} nodes" for reason, number in failure.dimension_exhausted.items()]
    told += [f"{reason} filtered {number} nodes" for reason, number in failure.constraint_filtered.items()]
    return ", ".join(told) or f"{failure.nodes_evaluated} nodes were looked at"


def _events(evidence: Evidence) -> Iterator[str]:
    seen: dict[tuple[str, str, str], int] = {}
    first: dict[tuple[str, str, str], str] = {}
    happened = [
        (event.time, task, event)
        for allocation in evidence.allocations
        for task, state in allocation.tasks.items()
        for event in state.events
        if event.type not in _ON_THE_WAY
    ]
    happened.sort(key=lambda one: one[0])
    for time, task, event in happened:
        line = (task, event.type, event.message)
        seen[line] = seen.get(line, 0) + 1
        first.setdefault(line, time.strftime("%H:%M:%S"))
    for line, number in seen.items():
        task, kind, message = line
        times = f" ({number} times)" if number > 1 else ""
        yield f"{first[line]} task {task}: {kind}: {message}{times}"


def _checks(evidence: Evidence) -> Iterator[str]:
    told = {
        (check.name, f"check {check.name!r} fails: {check.output}")
        for check in evidence.checks or ()
        if check.status == "failure"
    }
    yield from (line for _, line in sorted(told))


def _logs(evidence: Evidence) -> Iterator[str]:
    for tail in evidence.logs:
        for line in [line for line in tail.text.splitlines() if line.strip()][-_LOG_LINES:]:
            yield f"{tail.task} {tail.stream}: {line.strip()}"


def _unread(evidence: Evidence) -> Iterator[str]:
    if evidence.unread:
        yield f"not known, because it could not be read: {', '.join(evidence.unread)}"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LINE else f"{line[: _LINE - 1]}…"
