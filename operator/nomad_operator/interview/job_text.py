"""The job that a draft makes, with comments that say where each value is from. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from desired.draft.job_places import Path, places
from desired.draft.manifest_text import manifest_text
from desired.draft.sourced_hcl import sourced_hcl
from desired.draft.value import Draft, Value
from desired.errors import InvalidDesired
from desired.manifest_file import ManifestFile, read_manifests
from desired.policy import Policy
from desired.problem import Problem
from desired.state import JobBody, JsonSource
from nomad_operator.interview.found_app import IMAGE

_ANSWER = "`nomad-operator init` asks it and writes a manifest; or answer with `--answers FILE`, lines of `id = answer`"


def read_back(draft: Draft, path: str, *, defaults: Policy, namespace: str) -> ManifestFile:
    """What the operator makes of the manifest that this draft becomes.

    An image that nobody named yet is an open question, as it is of any app that says where its code is.
    """
    if IMAGE in (question.id for question in draft.questions) and "source" not in draft.spec:
        draft = replace(draft, values=(*draft.values, Value(("source",), {"path": "."}, "", 0.0)))
    return read_manifests(manifest_text(draft), path, defaults=defaults, namespace=namespace)


def problems_of(file: ManifestFile) -> tuple[Problem, ...]:
    """Everything that is wrong with a manifest; an answer that is missing is no mistake."""
    return tuple(one for each in file.unreadable for one in each.problems if one.question is None)


def job_of(draft: Draft, path: str, *, defaults: Policy, namespace: str) -> tuple[JobBody, str]:
    """The job and its HCL. Raises InvalidDesired where the manifest would be none that the operator takes."""
    file = read_back(draft, path, defaults=defaults, namespace=namespace)
    problems = tuple(one for each in file.unreadable for one in each.problems)
    source = file.manifests[0].source if file.manifests else None
    if problems or source is None:
        raise InvalidDesired(problems, hint=_ANSWER if draft.questions else "")
    return source.body, with_sources(source, draft)


def with_sources(source: JsonSource, draft: Draft) -> str:
    """The job's HCL with the draft's sources; questions that are still open stand at its head."""
    values = {value.at: value for value in draft.values}
    told: dict[Path, list[str]] = {}
    for at, place in places(draft.spec):
        value = _nearest(values, at)
        if value is not None:
            told.setdefault(place, []).append(_said(at, place, value))
    head = [f"# open: {question.id}: {question.text}\n" for question in draft.questions]
    return "".join(_printable(line) for line in head) + sourced_hcl(source.text, told)


def _nearest(values: Mapping[Path, Value], at: Path) -> Value | None:
    return next((values[at[:end]] for end in range(len(at), 0, -1) if at[:end] in values), None)


def _said(at: Path, place: Path, value: Value) -> str:
    """A template holds many values, so that each is named there."""
    told = f"{value.source} ({value.reason})" if value.reason else value.source
    return f"{at[-1]}: {told}" if "template" in place[-2:] else told


def _printable(line: str) -> str:
    return "".join(character if character.isprintable() else " " for character in line[:-1]) + "\n"
