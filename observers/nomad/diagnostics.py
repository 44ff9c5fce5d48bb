"""What `/v1/jobs/parse` says is wrong with HCL, as problems with their places. Pure.

The decoder reports every mistake, one a line, each with its own place; the syntax phase reports the first one and only
counts the others. Source: hashicorp/hcl diagnostics.go, nomad/jobspec2/parse.go; recorded in scenario hcl-errors.
"""

from __future__ import annotations

import re

from desired.problem import Problem

PATH = "input.hcl"

_PREFIX = "Failed to parse job: "
# `input.hcl:4,7-10: `, `input.hcl:9,22-10,1: `, or `<nil>: ` where there is no place
_PLACE = re.compile(r"^(?:[^\s:,]+:(?P<line>\d+),(?P<column>\d+)-(?:\d+,)?\d+|<nil>): ", re.MULTILINE)


def problems(text: str) -> tuple[Problem, ...]:
    """Every problem of a refused parse, in Nomad's order; () if the text is not about HCL.

    A value file is named `input.hcl` by Nomad too, so a place may be one of the variables.
    """
    said = text.strip()
    if said == "Job spec is empty":
        return (Problem(PATH, message="the job file is empty"),)
    if not said.startswith(_PREFIX):
        return ()
    said = said.removeprefix(_PREFIX)
    places = list(_PLACE.finditer(said))
    if not places or places[0].start() != 0:
        return (Problem(PATH, message=said),)
    ends = [place.start() for place in places[1:]] + [len(said)]
    return tuple(_problem(place, said[place.end() : end].strip()) for place, end in zip(places, ends, strict=True))


def _problem(place: re.Match[str], message: str) -> Problem:
    # Summary and detail are joined by "; "; as one sentence they read better with a colon.
    summary, separator, detail = message.partition("; ")
    told = f"{summary}: {detail}" if separator else summary
    return Problem(PATH, int(place["line"] or 0), int(place["column"] or 0), told)
