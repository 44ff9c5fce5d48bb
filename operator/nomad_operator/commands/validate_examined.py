"""Whoever may object before the daemon registers a job is asked here too, for the apps of one folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from desired.admission.rule_set import UNREADABLE
from desired.objection import problems_of
from desired.problem import Problem
from desired.state import DesiredApp, DesiredState, JobBody
from nomad_operator.commands.validate_server import Judgement
from nomad_operator.rules_in_force import RulesInForce
from reconcilers.admission import Admission


@dataclass(frozen=True, slots=True)
class FolderRead:
    """What a folder asks for, in the place of a revision in force; `apps` are those that were asked about."""

    folder: str
    state: DesiredState
    apps: tuple[DesiredApp, ...]


async def examined(admission: Admission, app: DesiredApp, body: JobBody) -> Judgement:
    """Paths are those of the folder. What nobody can tell just now is a warning."""
    found = await admission.examine(app.key, {**body, "Namespace": app.key.namespace})
    unread = tuple(
        Problem(app.path, app.line, message=f"not examined: {told}", rule="not-examined") for told in found.unread
    )
    # Rules that cannot be read are one problem, and not one of each app.
    refusals = [one for one in found.refusals if one.rule != UNREADABLE]
    return Judgement(problems_of(refusals, app), (*problems_of(found.warnings, app), *unread))


def unread_rules(rules: RulesInForce) -> Iterator[Problem]:
    """What is wrong with rules that hold for all, whatever was asked about."""
    for one in rules():
        if one.spec is None:
            yield from one.problems
