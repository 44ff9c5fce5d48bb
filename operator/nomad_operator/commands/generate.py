"""`generate`: the job that a codebase, a manifest or a job file means, as HCL with sources in comments, or as JSON.

It asks no service and changes nothing. Equal input gives equal bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from desired.catalog import Catalog
from desired.draft.answers_file import ALL, DOCKERFILE
from desired.draft.settled import settled
from desired.errors import InvalidDesired, UsageError
from desired.facts.analyze import analyze
from desired.job.hcl_read import LocalParser
from desired.job.hcl_write import to_hcl
from desired.manifest_file import holds_manifest
from desired.problem import Problem
from desired.question import Question
from desired.state import DesiredApp, HclSource, JobBody, JsonSource, Kind
from desired.work_tree import WorkTree
from desired.yaml_text import read_yaml
from nomad_operator.code_from_settings import code_beside
from nomad_operator.codebases import is_url, open_codebase
from nomad_operator.commands.table import plain
from nomad_operator.from_settings import policy
from nomad_operator.interview.answers_given import answers_given
from nomad_operator.interview.found_app import found_apps, named, strangers
from nomad_operator.interview.job_text import job_of
from nomad_operator.interview.knowledge import Knowledge
from nomad_operator.interview.manifest_sources import manifest_sources
from nomad_operator.interview.output import write
from nomad_operator.settings import Settings
from nomad_operator.settings_load import load


@dataclass(frozen=True, slots=True)
class Generated:
    """One job, in both forms; `open` is what nothing told."""

    name: str
    body: JobBody
    text: str
    open: tuple[Question, ...] = ()


def generate(arguments: argparse.Namespace) -> int:
    path = Path(arguments.path)
    remote = is_url(arguments.path)
    if not remote and not path.exists():
        raise UsageError(f"{arguments.path} does not exist", hint="name a codebase, a manifest or a job file")
    # The `.env` beside a codebase is the app's, not ours.
    settings = load(env_file=None).settings
    if remote or path.is_dir():
        jobs = list(_of_codebase(arguments, settings))
    else:
        jobs = list(named(asyncio.run(_of_file(path, settings)), arguments.app))
    _written(jobs, arguments)
    for one in jobs:
        for question in one.open:
            print(plain(f"open: {one.name}: {question.id}: {question.text}"), file=sys.stderr)
    return 1 if any(one.open for one in jobs) else 0


# -- a codebase


def _of_codebase(arguments: argparse.Namespace, settings: Settings) -> Iterator[Generated]:
    answers = answers_given(arguments.answers)
    dockerfile = arguments.dockerfile or answers.common.get(DOCKERFILE, ALL)
    codebase = open_codebase(arguments.path, settings, ref=arguments.ref)
    analysis = analyze(codebase, None if dockerfile == ALL else dockerfile)
    for warning in analysis.warnings:
        print(f"warning: {plain(str(warning))}", file=sys.stderr)
    problems: list[Problem] = []
    hints: list[str] = []
    apps = found_apps(analysis, Knowledge(), arguments.prompt)
    if unknown := strangers(answers, apps, str(arguments.answers)):
        raise InvalidDesired(unknown)
    for app in named(apps, arguments.app):
        draft = settled(app.draft(answers.of(app.name)))
        try:
            body, text = job_of(draft, app.name, defaults=policy(settings), namespace=settings.nomad_namespace)
        except InvalidDesired as error:
            problems += [Problem(app.name, message=one.message, hint=one.hint) for one in error.problems]
            problems += [Problem(app.name, message=f"open: {one.id}: {one.text}") for one in draft.questions]
            hints += [error.hint] if error.hint else []
            continue
        yield Generated(app.name, body, text, draft.questions)
    if problems:
        raise InvalidDesired(tuple(problems), hint=next(iter(hints), ""))


# -- a manifest or a job file


async def _of_file(path: Path, settings: Settings) -> list[Generated]:
    tree = WorkTree(folder=path.parent, git=None, named=(path.name,))
    catalog = Catalog(
        parser=LocalParser(),
        defaults=policy(settings),
        namespace=settings.nomad_namespace,
        namespaces=settings.namespaces,
        codes=(codes := code_beside(settings, tree, path.parent, fetch=True)),
    )
    try:
        state = await catalog.read(await tree.tree("work tree"), tree, {})
    finally:
        codes.close()
    apps = [app for app in state.apps.values() if path.name in (app.path, app.job_file)]
    problems = tuple(
        problem
        for file in state.unreadable
        for problem in file.problems
        if path.name in (file.path, problem.path)
    )  # fmt: skip
    if problems:
        raise InvalidDesired(problems)
    claimed = [
        Problem(str(claim.path), claim.line, message=f"claims {key} as well")
        for key, claims in state.claims.items()
        if any(claim.path == path.name for claim in claims)
        for claim in claims
    ]
    if claimed:
        raise InvalidDesired(tuple(claimed), hint="each app has one file")
    if not apps:
        raise InvalidDesired(
            (Problem(str(path), message="holds no app"),), hint="a codebase's folder, a manifest or a job file"
        )
    return [await _of_app(app, path) for app in sorted(apps, key=lambda one: one.line)]


async def _of_app(app: DesiredApp, path: Path) -> Generated:
    source = app.source
    if isinstance(source, JsonSource):
        text = source.text if app.kind is Kind.APP else to_hcl(source.body)
        return Generated(app.key.name, source.body, _from_manifest(app, text, path))
    body = await LocalParser().parse(source)
    # Without variables a job file is itself what Nomad is to read.
    return Generated(app.key.name, body, source.text if _stands_alone(source) else to_hcl(body))


def _stands_alone(source: HclSource) -> bool:
    return not source.variables and "variable" not in source.text


def _from_manifest(app: DesiredApp, text: str, path: Path) -> str:
    written = path.read_text(encoding="utf-8")
    if app.kind is not Kind.APP or app.job_file or not holds_manifest(written):
        return text
    document = next((one for one in read_yaml(written, path.name) if one.line == app.line), None)
    if document is None or document.root is None:
        return text
    return manifest_sources(text, document, path.name, app.origins)


# -- what comes of it


def _written(jobs: list[Generated], arguments: argparse.Namespace) -> None:
    as_json = arguments.format == "json"
    if arguments.output is None:
        told = [json.dumps(one.body, indent=2) if as_json else one.text.rstrip("\n") for one in jobs]
        if as_json:
            print(told[0] if len(told) == 1 else "[\n" + ",\n".join(told) + "\n]")
        else:
            print("\n\n".join(told))
        return
    ending = ".json" if as_json else ".nomad.hcl"
    folder = arguments.output.endswith("/") or Path(arguments.output).is_dir()
    if len(jobs) > 1 and not folder:
        names = ", ".join(one.name for one in jobs)
        raise UsageError(
            f"{arguments.output} is one file for {len(jobs)} jobs",
            hint=f"--app takes one of {names}; or name a folder, with a / at its end",
        )
    for one in jobs:
        place = Path(arguments.output) / f"{one.name}{ending}" if folder else Path(arguments.output)
        write(place, (json.dumps(one.body, indent=2) + "\n") if as_json else one.text.rstrip("\n") + "\n")
        print(place)
