"""What a person's command will do to an app as it is now, in words, and what it cannot do. Pure.

A command is noted at once and carried out by the next pass: the answer must not promise what no pass will do.
"""

from __future__ import annotations

from desired.errors import OperatorError, UsageError
from desired.reasons import Reason
from reconcilers.decision import Step
from reconcilers.record import Record
from reconcilers.reports import AppReport
from reconcilers.requests import Verb
from reconcilers.situation import Mode

_REPAIRS = {
    Verb.APPROVE: ("the repair is approved", "it is tried now, and `status` shows how it goes"),
    Verb.REJECT: ("the repair is turned down", "it is not proposed again until the file changes"),
    Verb.REVERT: ("the repairs are taken back", "the job is as written again, and stays so"),
}


def check(verb: Verb, report: AppReport | None, record: Record) -> None:
    """Raises UsageError where there is nothing to take over: noted, it would take over what comes later."""
    if verb is not Verb.ADOPT or record.adopt or (report is not None and report.step is Step.ADOPTION_REQUIRED):
        return
    found = f"{report.reason}: {report.message}" if report is not None else "it was not looked at yet"
    raise UsageError(
        f"{record.key} does not ask to be taken over ({found})",
        hint=f"only an app whose reason is AdoptionRequired does; `nomad-operator status {record.key}` shows it",
    )


def told(
    verb: Verb,
    report: AppReport | None,
    record: Record,
    *,
    nomad: OperatorError | None,
    mode: str,
    repairs_stopped: bool = False,
    held_by_file: bool = False,
) -> str:
    """What follows, to be read after the app's name; empty for commands that have an answer of their own.

    `held_by_file`: it is suspended in git, whatever a person says here.
    """
    if verb is Verb.SUSPEND:
        return "is left alone from now on"
    waits = f", once Nomad answers again ({nomad.message})" if nomad is not None else ""
    if verb is Verb.RESUME:
        if held_by_file:
            return "stays suspended: its manifest says `suspend: true`"
        return f"goes on{waits}"
    only = "; nothing is written to Nomad (MODE=observe)" if mode == Mode.OBSERVE.value else ""
    if verb is Verb.ADOPT:
        return f"is taken over{waits}{only}"
    if verb in _REPAIRS:
        if repairs_stopped and verb is not Verb.REJECT:
            go_on = "nothing is written while repairs are stopped; `nomad-operator repairs start` goes on"
            return f"{_REPAIRS[verb][0]}: {go_on}"
        if only:
            return f"{_REPAIRS[verb][0]}{only}"
        return f"{_REPAIRS[verb][0]}: {_REPAIRS[verb][1]}{waits}"
    if verb is not Verb.RECONCILE:
        return ""
    when = waits or " now"
    return f"is looked at{when}{_tried_again(report, record)}{only}"


def _tried_again(report: AppReport | None, record: Record) -> str:
    if not record.failed:
        return ""
    applied = record.applied
    standing = record.failure_of(applied.spec_hash) if applied is not None else None
    if report is not None and report.step is Step.LEFT_FAILED and standing is not None:
        if standing.reason is Reason.RUN_FAILED:
            return "; the run is started again, unless a part of it has completed"
        return (
            "; what failed is started again if nothing of it runs; what runs is judged anew, and a changed file makes "
            "a new version"
        )
    return "; what failed before is tried again"
