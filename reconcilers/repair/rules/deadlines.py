"""Time that a start needs: deadlines and graces, from what was observed, in bounded steps."""

from __future__ import annotations

import math

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.job_parts import Part
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix

_SECOND = 10**9
_STEP = 2
_MARGIN = 1.5
# Source: nomad/structs, DefaultUpdateStrategy.
HEALTHY_DEADLINE = 300 * _SECOND
PROGRESS_DEADLINE = 600 * _SECOND
MIN_HEALTHY_TIME = 10 * _SECOND
# A deadline that nobody chose follows one that somebody did, up to this.
_LONGEST = 3600 * _SECOND
# What a grace may grow to where the job says none: half of the default healthy deadline, doubled.
_GRACE = 300 * _SECOND


def _too_early(case: Case) -> Answer:
    """The check's restarts wait as long as twice the observed start."""
    found = job_parts.check_of(case)
    start = _seconds(case, "start_seconds")
    if found is None or start is None:
        return None
    group, check = found
    restart = check.part.get("CheckRestart") or {}
    grace = int(restart.get("Grace") or 0)
    new = min(math.floor(start * _STEP) * _SECOND, max(grace * _STEP, _GRACE))
    reason = f"the app needs {start:g} s to start, check {check.name} restarts it before that"
    if new <= max(grace, start * _SECOND):
        return choose(
            reason, (f"a longer start than {new // _SECOND} s for {check.at[-1]}", "an app that starts faster")
        )
    edits = [Edit(Kind.CHECK_GRACE, check.at, new, f"the observed start of {start:g} s, ×{_STEP} at most")]
    healthy, progress = deadlines(case, group)
    wanted = math.ceil(start * _MARGIN) * _SECOND
    if healthy < wanted < progress:
        edits.append(_healthy(group, wanted, f"the observed start of {start:g} s, ×{_MARGIN}"))
    return fix(case, reason, edits)


def _too_short(case: Case) -> Answer:
    """The deadline that was missed, and the one behind it where that would be no later."""
    group = job_parts.group_of(case)
    observed = _seconds(case, "observed_seconds")
    which = case.diagnosis.facts.get("deadline", "")
    if group is None or observed is None or which not in ("healthy_deadline", "progress_deadline"):
        return None
    healthy, progress = deadlines(case, group)
    name = (job_parts.name(group),)
    wanted = math.ceil(observed * _MARGIN) * _SECOND
    reason = f"the app was up after {observed:g} s, later than {which}"
    ground = f"the observed start of {observed:g} s, ×{_MARGIN}"
    if which == "progress_deadline":
        new = min(wanted, _bound(progress, PROGRESS_DEADLINE))
        if new <= max(progress, observed * _SECOND):
            return _beyond(reason, which, progress)
        return fix(case, reason, (Edit(Kind.PROGRESS_DEADLINE, name, new, ground),))
    new = min(wanted, _bound(healthy, HEALTHY_DEADLINE))
    if new <= max(healthy, observed * _SECOND):
        return _beyond(reason, which, healthy)
    edits = [_healthy(group, new, ground)]
    if 0 < progress <= new:
        later = min(math.ceil(new * _MARGIN), _bound(progress, PROGRESS_DEADLINE))
        if later <= new:
            return _beyond(reason, "progress_deadline", progress)
        # First: no state in between has a healthy deadline beyond the progress deadline.
        edits.insert(0, Edit(Kind.PROGRESS_DEADLINE, name, later, "later than the healthy deadline"))
    return fix(case, reason, edits)


def _beyond(reason: str, which: str, old: int) -> Answer:
    return choose(reason, (f"a {which} of more than twice {old // _SECOND} s", "an app that starts faster"))


def _inconsistent(case: Case) -> Answer:
    """The later deadline moves behind the earlier one: by twice itself at most, unless nobody chose it."""
    if case.diagnosis.facts.get("block") == "migrate":
        return None
    edits: list[Edit] = []
    for group in job_parts.groups(case.body):
        if case.diagnosis.group and job_parts.name(group) != case.diagnosis.group:
            continue
        name = (job_parts.name(group),)
        minimum = int(update_of(case, group).get("MinHealthyTime") or MIN_HEALTHY_TIME)
        healthy, progress = deadlines(case, group)
        kill = max((int(task.get("KillTimeout") or 0) for task in job_parts.tasks(group)), default=0)
        if minimum >= healthy:
            later = _behind(minimum, healthy, HEALTHY_DEADLINE)
            if later is None:
                return _contradiction("min_healthy_time", minimum, "healthy_deadline", healthy)
            edits.append(_healthy(group, later, f"later than min_healthy_time, ×{_MARGIN} at most"))
            healthy = later
        if 0 < progress <= max(healthy, kill):
            later = _behind(max(healthy, kill), progress, PROGRESS_DEADLINE)
            if later is None:
                earlier = ("kill_timeout", kill) if kill > healthy else ("healthy_deadline", healthy)
                return _contradiction(*earlier, "progress_deadline", progress)
            ground = f"later than what it waits for, ×{_MARGIN} at most"
            edits.insert(0, Edit(Kind.PROGRESS_DEADLINE, name, later, ground))
    return fix(case, "a deadline ends before what it waits for", edits)


def _behind(lesser: int, greater: int, default: int) -> int | None:
    """A value for `greater` that is later than `lesser`; None where one step does not reach it."""
    wanted = math.ceil(lesser * _MARGIN)
    if greater == default and lesser <= _LONGEST:
        return wanted
    later = min(wanted, _bound(greater, default))
    return later if later > lesser else None


def _contradiction(lesser: str, found: int, greater: str, other: int) -> Answer:
    return choose(
        f"{lesser} ({found // _SECOND} s) is not less than {greater} ({other // _SECOND} s)",
        (f"a shorter {lesser}", f"a longer {greater}"),
    )


def deadlines(case: Case, group: Part) -> tuple[int, int]:
    """healthy_deadline and progress_deadline as they hold for a group, ns; a progress deadline of 0 is none."""
    update = update_of(case, group)
    healthy = int(update.get("HealthyDeadline") or HEALTHY_DEADLINE)
    progress = update.get("ProgressDeadline")
    return healthy, PROGRESS_DEADLINE if progress is None else int(progress)


def update_of(case: Case, group: Part) -> Part:
    """Nomad lays the group's `update` over the job's when the job is registered."""
    laid = {**(case.body.get("Update") or {})}
    laid.update({key: value for key, value in (group.get("Update") or {}).items() if value is not None})
    return laid


def _healthy(group: Part, new: int, ground: str) -> Edit:
    return Edit(Kind.HEALTHY_DEADLINE, (job_parts.name(group),), new, ground)


def _bound(old: int, default: int) -> int:
    return max(old * _STEP, default)


def _seconds(case: Case, name: str) -> float | None:
    try:
        told = float(case.diagnosis.facts.get(name, ""))
    except ValueError:
        return None
    return told if 0 < told < 24 * 3600 else None


RULES = (
    Rule(name="check-grace", classes=(FailureClass.CHECK_TOO_EARLY,), propose=_too_early),
    Rule(name="deadline", classes=(FailureClass.DEADLINE_TOO_SHORT,), propose=_too_short),
    Rule(name="deadline-order", classes=(FailureClass.DEADLINES_INCONSISTENT,), propose=_inconsistent),
)
