"""From evidence to diagnoses: what is wrong with one app, most important first. Pure.

The order of judging: what is not ours at all; what the servers refuse; tasks, by what ended them; where nothing could
be placed; checks, only of tasks that run; deadlines last, because they only say that something took too long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from desired.cause import Cause
from observers.evidence import Evidence
from observers.failures import checks, exits, job_words, never_ours, placement, refusals, starts, waits
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from observers.failures.row import Proof, Where
from observers.failures.sighting import Sighting, cut, read
from observers.failures.table import TABLE, cause_of
from observers.failures.timeline import Killer, Timeline, timelines
from observers.running import Allocation

# A task that runs longer than it did before it ended is over it.
_RECOVERED = timedelta(seconds=20)
_AFTER_ALL = timedelta(minutes=5)  # where Nomad had judged it unhealthy
_BEHIND = frozenset({FailureClass.CRASH_DEPENDENCY})


def diagnose(evidence: Evidence, now: datetime) -> tuple[Diagnosis, ...]:
    """Empty where nothing is wrong, or nothing that can be named yet. The first is *the* diagnosis."""
    if evidence.refusal:
        return _judged(refusals.sightings(evidence), evidence, now)
    if (whole := never_ours.of_job(evidence)) is not None:
        return _judged([whole], evidence, now)
    moves = {one.id: move for one in evidence.allocations if (move := never_ours.moved(one)) is not None}
    lines = [line for one in evidence.allocations if one.id not in moves for line in timelines(one)]
    current = [line for line in lines if not _replaced(line.allocation, evidence) and not _recovered(line, lines, now)]
    # What was replaced counts as a first time of what its successor does, until that has run well.
    judged = [line for line in lines if not _over(line, lines, now)]
    of_tasks = [
        sighting
        for line in judged
        for found in (exits.sightings(evidence, line), starts.sightings(evidence, line))
        for sighting in found
    ]
    for line in current:
        of_tasks += waits.sightings(evidence, line, now)
    placed = list(placement.sightings(evidence))
    of_checks = _of_checks(evidence, lines, current, of_tasks, now)
    moving = list(never_ours.still_moving(evidence, moves))
    told = _judged(_given_up(evidence, judged, of_tasks), evidence, now)
    told += _judged([*moving, *placed], evidence, now)
    told += _judged(of_checks, evidence, now)
    told += _judged(_siblings(current, told), evidence, now)
    if not told:
        told = _judged(_without_a_cause(evidence, current), evidence, now)
    return _ordered(told)


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


def _without_a_cause(evidence: Evidence, lines: Iterable[Timeline]) -> Iterator[Sighting]:
    """A deadline, a failed allocation, an evaluation in trouble: something is wrong, and nothing says what."""
    if (marked := never_ours.marked_failed(evidence)) is not None:
        yield marked
        return
    slow = False
    for line in lines:
        if line.state.state == "pending" and line.unhealthy and _pulling(line):
            yield _slow_pull(evidence, line)
            slow = True
    deployment = evidence.deployment
    words = deployment.status_description if deployment is not None and deployment.status == "failed" else ""
    unhealthy = [(line, event) for line in lines for event in line.unhealthy]
    for line, event in unhealthy:
        found = read(Where.ALLOCATION, event.message)
        if found is not None and found[0].failure is FailureClass.SERVICE_NOT_REGISTERED:
            yield Sighting(
                failure=FailureClass.SERVICE_NOT_REGISTERED,
                words=cut(event.message),
                group=line.allocation.group,
                task=line.task,
                facts=found[1],
            )
            return
    if slow:
        return
    if words or unhealthy:
        group = (
            unhealthy[0][0].allocation.group if unhealthy else next(iter(deployment.groups if deployment else ()), "")
        )
        said = f"{words}: {unhealthy[0][1].message}" if words and unhealthy else words or unhealthy[0][1].message
        deadline = "progress_deadline" if "progress deadline" in words else "healthy_deadline"
        update = job_words.block(job_words.group(evidence.body, group), "Update")
        key = {"progress_deadline": "ProgressDeadline", "healthy_deadline": "HealthyDeadline"}[deadline]
        length = job_words.number(update, key)
        facts = {"deadline": deadline} | ({"deadline_seconds": job_words.seconds(length)} if length else {})
        yield Sighting(failure=FailureClass.PROGRESS_DEADLINE, words=cut(said), group=group, facts=facts)
        return
    if (found := read(Where.DEPLOYMENT, evidence.evaluation)) and found[0].failure is FailureClass.PLAN_REJECTED:
        yield Sighting(failure=FailureClass.PLAN_REJECTED, words=cut(evidence.evaluation))
        return
    for line in lines:
        if line.allocation.client_status == "failed":
            words = line.allocation.client_description or "the allocation failed"
            yield Sighting(
                failure=FailureClass.UNKNOWN,
                words=cut(words),
                group=line.allocation.group,
                facts={"problem": cut(words)},
            )
            return


def _pulling(line: Timeline) -> bool:
    driver = [event for event in line.steps if event.type == "Driver"]
    return bool(driver) and ("Downloading image" in driver[-1].message or "pull progress" in driver[-1].message)


def _slow_pull(evidence: Evidence, line: Timeline) -> Sighting:
    task = job_words.task(evidence.body, line.allocation.group, line.task)
    config = job_words.block(task, "Config")
    return Sighting(
        failure=FailureClass.IMAGE_PULL_SLOW,
        words=cut(f"{line.unhealthy[-1].message} while the image is pulled"),
        at=line.unhealthy[-1].time,
        group=line.allocation.group,
        task=line.task,
        facts={
            "image": job_words.text(config, "image"),
            "timeout": job_words.text(config, "image_pull_timeout") or "5m",
        },
        cause=Cause.SPEC,
        final=True,
    )


def _judged(sightings: Iterable[Sighting], evidence: Evidence, now: datetime) -> tuple[Diagnosis, ...]:
    """One diagnosis for what is the same failure; the newest sighting speaks. The order of first sight is kept."""
    together: dict[tuple[str, ...], list[Sighting]] = {}
    for one in sightings:
        together.setdefault(_key(one), []).append(one)
    return tuple(_diagnosis(found, evidence, now) for found in together.values())


def _key(one: Sighting) -> tuple[str, ...]:
    several = one.again if one.failure in _SEVERAL else ""
    return (one.failure.value, one.group, one.task, one.service, one.check, one.port, several)


# Of these one task or job can have several at once, each with its own fix.
_SEVERAL = frozenset(
    {
        FailureClass.DRIVER_KEY_UNKNOWN,
        FailureClass.DRIVER_VALUE_WRONG,
        FailureClass.DRIVER_VARIABLE_UNKNOWN,
        FailureClass.DRIVER_KEY_MISSING,
        FailureClass.HCL_INVALID,
        FailureClass.SPEC_INVALID,
        FailureClass.RESOURCES_BELOW_MINIMUM,
        FailureClass.RESTART_POLICY_INVALID,
        FailureClass.NAME_DUPLICATE,
        FailureClass.PORT_DUPLICATE,
        FailureClass.PORT_INVALID,
        FailureClass.VOLUME_UNDEFINED,
        FailureClass.ENTERPRISE_ONLY,
        FailureClass.DEADLINES_INCONSISTENT,
    }
)


def _diagnosis(found: list[Sighting], evidence: Evidence, now: datetime) -> Diagnosis:
    ordered = sorted(found, key=lambda one: one.at or evidence.since)
    newest = ordered[-1]
    row = TABLE[newest.failure]
    same = [one for one in ordered if one.again == newest.again]
    facts = dict(newest.facts)
    if newest.failure is FailureClass.OOM_KILLED:
        facts["kills"] = str(len(same))
    if newest.failure is FailureClass.CRASH:
        facts["crashes"] = str(len(same))
    known = {name: value for name, value in facts.items() if value and name in row.facts}
    first = min((one.at for one in same if one.at is not None), default=evidence.since)
    cause = newest.cause or cause_of(row, facts, now - first)
    proven = row.proof is Proof.FIRST or (row.proof is Proof.SECOND and len(same) > 1)
    final = newest.final if newest.final is not None else proven
    return Diagnosis(
        failure=newest.failure,
        cause=cause,
        words=newest.words,
        group=newest.group,
        task=newest.task,
        service=newest.service,
        check=newest.check,
        port=newest.port,
        facts=known,
        conclusive=final and cause not in (Cause.TIME, Cause.NONE, Cause.UNKNOWN),
    )


def _ordered(told: tuple[Diagnosis, ...]) -> tuple[Diagnosis, ...]:
    """What is not ours explains a missing place, so it comes before that; behind a fault of the job it says little."""

    def rank(one: Diagnosis) -> int:
        row = TABLE[one.failure]
        if one.failure is FailureClass.SIBLING_FAILED:
            return 5
        if one.cause is Cause.NONE:
            return 1
        if row.failure is FailureClass.UNKNOWN:
            return 4
        return 0 if (one.task and not one.check and not _of_place(one)) or one.service or one.check else 2

    in_order = sorted(range(len(told)), key=lambda place: (rank(told[place]), place))
    return tuple(replace(told[place]) for place in in_order)


def _of_place(one: Diagnosis) -> bool:
    return any(words.where is Where.PLACEMENT for words in TABLE[one.failure].words)
