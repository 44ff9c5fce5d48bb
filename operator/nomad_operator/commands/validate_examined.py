"""Whoever may object before the daemon registers a job is asked here too, for the apps of one folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from desired.admission.rule_set import UNREADABLE
from desired.errors import InvalidDesired
from desired.job_file import decoded
from desired.manifest_place import place_in_manifest
from desired.objection import Objection, problems_of
from desired.problem import Problem
from desired.state import DesiredApp, DesiredState, JobBody, Kind
from nomad_operator.commands.validate_server import Judgement
from nomad_operator.rules_in_force import RulesInForce
from reconcilers.admission import Admission


@dataclass(frozen=True, slots=True)
class FolderRead:
    """What a folder asks for, in the place of a revision in force; `apps` are those that were asked about."""

    folder: str
    state: DesiredState
    apps: tuple[DesiredApp, ...]


async def examined(admission: Admission, app: DesiredApp, body: JobBody, *, folder: str) -> Judgement:
    """Paths are those of the folder. What nobody can tell just now is a warning."""
    found = await admission.examine(app.key, {**body, "Namespace": app.key.namespace})
    unread = tuple(Problem(app.path, app.line, message=f"not examined: {told}") for told in found.unread)
    # Rules that cannot be read are one problem, and not one of each app.
    refusals = [one for one in found.refusals if one.rule != UNREADABLE]
    return Judgement(_told(refusals, app, folder), (*_told(found.warnings, app, folder), *unread))


def _told(objections: Sequence[Objection], app: DesiredApp, folder: str) -> tuple[Problem, ...]:
    """With the place in a manifest too: its file is at hand here."""
    problems = problems_of(objections, app)
    if app.kind is not Kind.APP or app.job_file or not objections:
        return problems
    try:
        text = decoded(Path(folder, app.path).read_bytes(), app.path)
    except (OSError, InvalidDesired):
        return problems
    places = [place_in_manifest(text, app.path, app.line, one.at) for one in objections]
    return tuple(
        one if place is None else replace(one, line=place[0], column=place[1])
        for one, place in zip(problems, places, strict=True)
    )


def unread_rules(rules: RulesInForce) -> Iterator[Problem]:
    """What is wrong with rules that hold for all, whatever was asked about."""
    for one in rules():
        if one.spec is None:
            yield from one.problems
