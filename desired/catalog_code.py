"""Manifests that leave things to code, for the catalog: completed, or why they cannot be. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from desired.app import AppKey
from desired.errors import InvalidDesired, StillReading
from desired.facts.analyze import Analysis
from desired.manifest_file import Manifest, completed
from desired.policy import Policy
from desired.problem import Problem
from desired.question import Question
from desired.source_app import Asked, FromCode, with_code
from desired.source_code import Code
from desired.state import Fill, UnreadableFile

_SOURCE = ("spec", "source")


def apps_beside(manifest: Manifest, code: Code, named: Collection[AppKey]) -> frozenset[str]:
    """Which of the apps that the code names are apps here; `named` are those that manifests speak of."""
    hosts = frozenset(code.analysis.hosts.values()) if code.analysis is not None else frozenset()
    return frozenset(key.name for key in named if key.namespace == manifest.key.namespace and key.name in hosts)


def unread(path: str, manifest: Manifest, code: Code) -> UnreadableFile:
    """A manifest whose code is not known, for whatever reason."""
    assert manifest.code is not None and manifest.document is not None
    if code.problem is None:
        message, hint = f"{manifest.code.place} is being read", "what runs stays as it is meanwhile"
    else:
        message, hint = f"{code.problem.path}: {code.problem.message}", code.problem.hint
    place = manifest.document.place(_SOURCE, key=True)
    problem = Problem(path, *place, f"spec.source: {message}", hint)
    transient = code.pending or code.transient
    return UnreadableFile(path, (problem,), manifest.key, transient, manifest.code.place, code.pending)


def with_its_code(
    manifest: Manifest,
    analysis: Analysis,
    *,
    path: str,
    apps: Collection[str],
    defaults: Policy,
    help: Asked | None = None,
) -> tuple[Manifest, FromCode]:
    """The manifest with what its code says, and which value is from where.

    Raises InvalidDesired: the questions that stay open, or what is wrong, at the lines of the manifest. StillReading
    where somebody is being asked about it.
    """
    assert manifest.document is not None
    place = manifest.document.place(_SOURCE, key=True)
    try:
        found = _whole(manifest.key.name, posixpath.basename(path), analysis, apps, manifest.said, help)
    except InvalidDesired as error:
        problems = (replace(one, path=path, line=place[0], column=place[1]) for one in error.problems)
        raise InvalidDesired(tuple(problems)) from error
    return completed(manifest, found.spec, path, defaults=defaults), found


def filling(manifest: Manifest, analysis: Analysis, apps: Collection[str], help: Asked | None = None) -> Fill:
    """The same for another text of the manifest."""

    def fill(said: Mapping[str, Any]) -> Mapping[str, Any]:
        return _whole(manifest.key.name, "", analysis, apps, said, help).spec

    return fill


def _whole(
    name: str,
    file: str,
    analysis: Analysis,
    apps: Collection[str],
    said: Mapping[str, Any],
    help: Asked | None,
) -> FromCode:
    try:
        found = with_code(name, said, analysis, apps=apps, manifest=file, help=help)
    except InvalidDesired as error:
        raise InvalidDesired(tuple(replace(one, hint=error.hint) for one in error.problems)) from error
    if found.pending:
        raise StillReading(f"what {name} leaves open is being asked", hint="what runs stays as it is meanwhile")
    if found.questions:
        raise InvalidDesired(tuple(
            Problem("", message=f"spec.{one.id}: {one.text}", hint=_suggestion(one), question=one)
            for one in found.questions
        ))  # fmt: skip
    return found


def _suggestion(question: Question) -> str:
    return f"suggested: {question.default}" if question.default else ""
