"""What speaks against registering a job: a rule of the cluster, a conflict, what Nomad would accept and get wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from desired.errors import Unavailable
from desired.job.hcl_places import Location, locate
from desired.problem import Problem
from desired.reasons import Reason
from desired.state import DesiredApp, HclSource


@dataclass(frozen=True, slots=True)
class Objection:
    """`rule` is a bounded, stable word: `images.allowed`, `route-conflict`. `fix` says what to write instead.

    `at` leads to the place in the job file, as `desired.job.hcl_places` has it. A `warning` is told and holds nothing
    back. What is `lasting` ends with another job alone: nobody need look again meanwhile. `line` counts from 1 within
    the text that stands there, such as a template's.
    """

    rule: str
    message: str
    fix: str = ""
    at: tuple[str, ...] = ()
    warning: bool = False
    reason: Reason = Reason.POLICY_VIOLATION
    lasting: bool = False
    line: int = 0


class PartlyExamined(Unavailable):
    """Not everybody could be asked; `objections` is what was found all the same."""

    def __init__(self, message: str, *, hint: str = "", objections: Sequence[Objection] = ()) -> None:
        super().__init__(message, hint=hint)
        self.objections = tuple(objections)


def problems_of(objections: Iterable[Objection], app: DesiredApp) -> tuple[Problem, ...]:
    """Where people find them: the place in a job file where it is written there, the app's own line otherwise."""
    return tuple(_problem(one, app) for one in objections)


def _problem(objection: Objection, app: DesiredApp) -> Problem:
    path, line, column = app.path, app.line, 0
    if isinstance(app.source, HclSource) and (place := _place(app.source.text, objection.at)) is not None:
        path, line, column = app.job_file or app.path, place.line, place.column
        if objection.line and app.source.text[place.start : place.start + 2] == "<<":
            # What stands in a heredoc begins below its mark.
            line, column = line + objection.line, 0
    elif app.manifest and (written := _in_manifest(app, objection.at)) is not None:
        line, column = written
    return Problem(path, line, column, objection.message, objection.fix, rule=objection.rule)


def _in_manifest(app: DesiredApp, at: tuple[str, ...]) -> tuple[int, int] | None:
    # Everybody who speaks of a revision imports this; the model behind manifests takes its time.
    from desired.manifest_place import place_in_manifest

    return place_in_manifest(app.manifest, app.path, app.line, at)


def _place(text: str, at: tuple[str, ...]) -> Location | None:
    """Of what is not written there, the block that it would stand in."""
    steps = (at[:length] for length in range(len(at), -1, -1))
    return next((place for step in steps if (place := locate(text, step)) is not None), None)
