"""From evidence to diagnoses: what is wrong with one app, most important first. Pure.

The order of judging: what is not ours at all; what the servers refuse; tasks, by what ended them; where nothing could
be placed; checks, only of tasks that run; deadlines last, because they only say that something took too long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from desired.cause import Cause
from observers.evidence import Evidence
from observers.failures import checks, exits, job_words, last_words, never_ours, placement, refusals, starts, waits
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from observers.failures.judging import judged, ordered
from observers.failures.sighting import Sighting, cut
from observers.failures.timeline import Killer, Timeline, timelines
from observers.running import Allocation

# A task that runs longer than it did before it ended is over it.
_RECOVERED = timedelta(seconds=20)
_AFTER_ALL = timedelta(minutes=5)  # where Nomad had judged it unhealthy
_BEHIND = frozenset({FailureClass.CRASH_DEPENDENCY})


def diagnose(evidence: Evidence, now: datetime) -> tuple[Diagnosis, ...]:
    """Empty where nothing is wrong, or nothing that can be named yet. The first is *the* diagnosis."""
    if evidence.refusal:
        return judged(refusals.sightings(evidence), evidence, now)
    if (whole := never_ours.of_job(evidence)) is not None:
        return judged([whole], evidence, now)
    moves = {one.id: move for one in evidence.allocations if (move := never_ours.moved(one)) is not None}
    lines = [line for one in evidence.allocations if one.id not in moves for line in timelines(one)]
    current = [line for line in lines if not _replaced(line.allocation, evidence) and not _recovered(line, lines, now)]
    # What was replaced counts as a first time of what its successor does, until that has run well.
    open_ = [line for line in lines if not _over(line, lines, now)]
    of_tasks = [
        sighting
        for line in open_
        for found in (exits.sightings(evidence, line), starts.sightings(evidence, line))
        for sighting in found
    ]
    for line in current:
        of_tasks += waits.sightings(evidence, line, now)
    placed = list(placement.sightings(evidence))
    of_checks = _of_checks(evidence, lines, current, of_tasks, now)
    moving = list(never_ours.still_moving(evidence, moves))
    told = judged(_given_up(evidence, open_, of_tasks), evidence, now)
    told += judged([*moving, *placed], evidence, now)
    told += judged(of_checks, evidence, now)
    told += judged(_siblings(current, told), evidence, now)
    if not told:
        told = judged([late for line in current for late in waits.came_late(evidence, line)], evidence, now)
    if not told:
        told = judged(last_words.sightings(evidence, current), evidence, now)
    return ordered(told)


def _replaced(allocation: Allocation, evidence: Evidence) -> bool:
    """Something else has taken its place: its own end is history."""
    known = {one.id for one in evidence.allocations}
    return allocation.next_allocation in known if allocation.next_allocation else False


def _recovered(line: Timeline, lines: Iterable[Timeline], now: datetime) -> bool:
    """It runs, and has for longer than any attempt before it."""
    if line.started_at is None:
        return False
    before = [
        end.ran
        for one in lines
        if one.task == line.task and one.allocation.group == line.allocation.group
        for end in one.ends
        if end.ran is not None
    ]
    longest = max(before, default=timedelta(0))
    return now - line.started_at > max(longest * 1.5, _AFTER_ALL if line.unhealthy else _RECOVERED)


def _over(line: Timeline, lines: Iterable[Timeline], now: datetime) -> bool:
    """It runs well by now, or the last of its successors does."""
    by_id = {other.allocation.id: other for other in lines if other.task == line.task}
    seen: set[str] = set()
    last = line
    while last.started_at is None and last.allocation.next_allocation in by_id:
        last = by_id[last.allocation.next_allocation]
        if last.allocation.id in seen:
            break
        seen.add(last.allocation.id)
    return _recovered(last, lines, now)


def _of_checks(
    evidence: Evidence,
    lines: Iterable[Timeline],
    current: Iterable[Timeline],
    of_tasks: Iterable[Sighting],
    now: datetime,
) -> list[Sighting]:
    """Of tasks that run and have not ended by themselves before: those have worse than a failing check."""
    ended = {(one.group, one.task) for one in of_tasks}
    found = [
        sighting
        for line in lines
        if (line.allocation.group, line.task) not in ended
        for sighting in checks.sightings(evidence, line, now)
    ]
    found += [
        sighting
        for line in current
        if (line.allocation.group, line.task) not in ended
        for sighting in checks.restarts(evidence, line)
    ]
    better = {(one.group, one.check) for one in found if one.failure is not FailureClass.CHECK_RESTARTS}
    # A check that restarts its task is told by what is known of that check, where anything is.
    telling = [
        one for one in found if one.failure is not FailureClass.CHECK_RESTARTS or (one.group, one.check) not in better
    ]
    early = {(one.group, one.check) for one in telling if one.failure is FailureClass.CHECK_TOO_EARLY}
    return [
        one for one in telling if one.failure is not FailureClass.CHECK_FAILING or (one.group, one.check) not in early
    ]


def _given_up(evidence: Evidence, lines: Iterable[Timeline], sightings: list[Sighting]) -> Iterator[Sighting]:
    """Where Nomad has given up on a task that only waited for something, the policy that gave up is the failure."""
    final = {
        (line.allocation.group, line.task): line
        for line in lines
        if line.gave_up.startswith("Exceeded") or line.gave_up.startswith("Policy allows")
        if not line.allocation.next_allocation and not line.allocation.followup_evaluation
    }
    last: dict[tuple[str, str], Sighting] = {}
    for one in sightings:
        last[one.group, one.task] = one
    for one in sightings:
        line = final.get((one.group, one.task))
        if line is None or one.failure not in _BEHIND:
            yield one
        elif last[one.group, one.task] is one:
            yield _exhausted(evidence, line, one)
    for (group, task), line in final.items():
        if (group, task) not in last and not any(end.killer is not Killer.NOBODY for end in line.ends):
            yield _exhausted(evidence, line, None)


def _exhausted(evidence: Evidence, line: Timeline, behind: Sighting | None) -> Sighting:
    policy = job_words.block(job_words.group(evidence.body, line.allocation.group), "RestartPolicy")
    facts = {
        "attempts": str(job_words.number(policy, "Attempts")) if policy else "",
        "interval_seconds": job_words.seconds(job_words.number(policy, "Interval")) if policy else "",
        "behind": behind.failure.value if behind else "",
        "problem": behind.words if behind else "",
    }
    return Sighting(
        failure=FailureClass.RESTARTS_EXHAUSTED,
        words=cut(f"{line.gave_up}: {behind.words}" if behind else line.gave_up),
        at=behind.at if behind else None,
        group=line.allocation.group,
        task=line.task,
        facts={name: value for name, value in facts.items() if value},
        # Without the events that came before nobody knows what it waited for.
        final=None if behind else False,
        cause=None if behind else Cause.UNKNOWN,
    )


def _siblings(lines: Iterable[Timeline], told: Iterable[Diagnosis]) -> Iterator[Sighting]:
    named = {(one.group, one.task) for one in told}
    for line in lines:
        if line.sibling and (line.allocation.group, line.task) not in named:
            yield Sighting(
                failure=FailureClass.SIBLING_FAILED,
                words=cut(f'Task\'s sibling "{line.sibling}" failed'),
                group=line.allocation.group,
                task=line.task,
                facts={"sibling": line.sibling},
                final=False,
            )
