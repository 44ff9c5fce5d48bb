"""Manifests that leave things to code, for the catalog: completed, or why they cannot be. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Collection
from dataclasses import replace

from desired.app import AppKey
from desired.errors import InvalidDesired
from desired.facts.analyze import Analysis
from desired.manifest_file import Manifest, completed
from desired.origin import Origin
from desired.policy import Policy
from desired.problem import Problem
from desired.question import Question
from desired.source_app import with_code
from desired.source_code import Code
from desired.state import UnreadableFile

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
    manifest: Manifest, analysis: Analysis, *, path: str, apps: Collection[str], defaults: Policy
) -> tuple[Manifest, tuple[Origin, ...]]:
    """The manifest with what its code says, and which value is from where.

    Raises InvalidDesired: the questions that stay open, or what is wrong, at the lines of the manifest.
    """
    assert manifest.document is not None
    place = manifest.document.place(_SOURCE, key=True)
    try:
        found = with_code(manifest.key.name, manifest.said, analysis, apps=apps, manifest=posixpath.basename(path))
    except InvalidDesired as error:
        problems = (replace(one, path=path, line=place[0], column=place[1], hint=error.hint) for one in error.problems)
        raise InvalidDesired(tuple(problems)) from error
    if found.questions:
        asked = (Problem(path, *place, f"spec.{one.id}: {one.text}", _suggestion(one), one) for one in found.questions)
        raise InvalidDesired(tuple(asked))
    return completed(manifest, found.spec, path, defaults=defaults), found.origins


def _suggestion(question: Question) -> str:
    return f"suggested: {question.default}" if question.default else ""
