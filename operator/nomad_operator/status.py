"""The documented status: what `status --json` prints and `/api/v1/status` answers. Fields are added, never renamed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from desired.app import AppKey
from desired.errors import OperatorError
from desired.problem import Problem
from desired.question import Question
from desired.state import DesiredApp, DesiredState
from nomad_operator import __version__, repair_view
from nomad_operator.repair_view import when
from reconcilers.decision import Step
from reconcilers.record import FailedSpec, Record
from reconcilers.reports import AppReport, ConditionState, Transition


def status(
    *,
    state: DesiredState | None,
    source_problem: OperatorError | None,
    nomad_problem: OperatorError | None = None,
    state_problem: OperatorError | None = None,
    reports: Mapping[AppKey, AppReport],
    records: Mapping[AppKey, Record],
    mode: str,
    repairs: str,
) -> dict[str, Any]:
    """Every app, and every file that holds none. Apps that were pruned and are gone are not listed."""
    asked = questions(state)
    return {
        "operator": operator(
            state=state,
            source_problem=source_problem,
            nomad_problem=nomad_problem,
            state_problem=state_problem,
            mode=mode,
            repairs=repairs,
        ),
        "sources": [] if state is None else sources(state),
        "apps": [
            app(reports[key], records.get(key), asked.get(key, ()), desired=state.apps.get(key) if state else None)
            for key in sorted(reports)
        ],
    }


def operator(
    *,
    state: DesiredState | None,
    source_problem: OperatorError | None,
    nomad_problem: OperatorError | None,
    state_problem: OperatorError | None,
    mode: str,
    repairs: str,
) -> dict[str, Any]:
    """This copy, and what it works on."""
    return {
        "version": __version__,
        "leader": True,
        "revision": state.revision if state else "",
        "repairs": repairs,
        "mode": mode,
        **_told("source", source_problem),
        **_told("nomad", nomad_problem),
        **_told("state", state_problem),
    }


def summary(report: AppReport) -> dict[str, Any]:
    """One app in a row: a page of thousands is made of these."""
    return {
        "key": str(report.key),
        "path": report.path,
        "ready": report.ready.value,
        "reason": report.reason,
        "message": report.message,
        "step": report.step.value,
        "conditions": [one.value for one in report.conditions],
        "version": report.version if report.modify_index else None,
        "changed": report.transitions[-1].at if report.transitions else report.decided_at,
    }


def _told(what: str, problem: OperatorError | None) -> dict[str, str]:
    return {f"{what}Problem": problem.message if problem else "", f"{what}Hint": problem.hint if problem else ""}


def sources(state: DesiredState) -> list[dict[str, Any]]:
    """Files that could not be turned into an app, one entry a problem."""
    found = [
        {"path": file.path, "problem": _problem(file.path, problem), "key": str(file.key) if file.key else None}
        for file in state.unreadable
        for problem in file.problems
    ]
    return found + [
        {"path": paths[0], "problem": state.conflict(key), "key": str(key)}
        for key, paths in sorted(state.conflicts.items())
    ]


def questions(state: DesiredState | None) -> dict[AppKey, list[Question]]:
    """What people have to answer, by app."""
    found: defaultdict[AppKey, list[Question]] = defaultdict(list)
    for file in state.unreadable if state else ():
        if file.key is not None:
            found[file.key] += file.questions
    return found


def app(
    report: AppReport, record: Record | None, asked: Sequence[Question], *, desired: DesiredApp | None = None
) -> dict[str, Any]:
    """One app. `episode` is the open one, `lastEpisode` the one that ended last. `desired` is None while unclear."""
    applied = record.applied if record else None
    attempt = record.attempt if record else None
    return {
        "key": str(report.key),
        "kind": report.kind,
        "source": {"path": report.path, "revision": applied.revision if applied else ""},
        "ready": report.ready.value,
        "reason": report.reason,
        "message": report.message,
        "step": report.step.value,
        "settled": report.settled,
        "conditions": [_condition(one) for one in report.conditions.values()],
        "job": {
            "version": report.version,
            "modifyIndex": report.modify_index,
            "specHash": attempt.spec_hash if attempt else applied.spec_hash if applied else "",
        },
        "episode": repair_view.episode(record.episode if record else None),
        "lastEpisode": repair_view.episode(record.last_episode if record else None),
        "overlay": repair_view.overlay(record.overlay if record else ()),
        "suspended": bool(record and record.suspended),
        "questions": [
            {"id": one.id, "question": one.text, "choices": list(one.choices), "default": one.default} for one in asked
        ],
        "values": [asdict(one) for one in desired.origins] if desired is not None else [],
        "failed": [
            {"specHash": one.spec_hash, "reason": one.reason.value, "message": one.message, "at": when(one.at),
             "tries": one.tries, "retryAt": _retry_at(one, report, record)}
            for one in (record.failed if record else ())
        ],
        "lastGood": _last_good(record),
        "diff": report.diff,
        "transitions": [transition(one) for one in report.transitions],
    }  # fmt: skip


def transition(one: Transition) -> dict[str, Any]:
    """One change, as the event feed and `status APP` tell it."""
    return {
        "at": when(one.at),
        "app": str(one.key),
        "step": one.step.value,
        "ready": one.ready.value,
        "reason": one.reason,
        "message": one.message,
    }


def _condition(one: ConditionState) -> dict[str, Any]:
    return {
        "type": one.type.value,
        "status": one.status.value,
        "reason": one.reason,
        "message": one.message,
        "lastTransitionTime": when(one.since),
    }


def _retry_at(failed: FailedSpec, report: AppReport, record: Record | None) -> str | None:
    """None where no pass will: what stands registered is not registered again."""
    stands = record is not None and record.applied is not None and record.applied.spec_hash == failed.spec_hash
    if failed.retry_at is None or (stands and report.step is Step.LEFT_FAILED):
        return None
    return when(failed.retry_at)


def _last_good(record: Record | None) -> dict[str, Any] | None:
    good = record.last_good if record else None
    if good is None:
        return None
    return {
        "specHash": good.spec.hash,
        "version": good.version,
        "revision": good.spec.revision,
        "verifiedAt": when(good.verified_at),
    }


def _problem(path: str, problem: Problem) -> str:
    """The path stands beside it already."""
    return str(problem).removeprefix(f"{path}:").lstrip()
