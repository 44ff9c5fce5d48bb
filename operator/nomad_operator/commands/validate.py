"""`validate`: everything that can be said about files before they are committed, as `file:line:column: message`.

Offline it reads what the daemon would read, with our own parser, and asks whoever may object without asking others: the
rules of the cluster. With `--server` Nomad is asked too: its parser, its validation, and what a plan warns of; and
everybody who may object to what the daemon registers. Nothing is changed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import posixpath
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from pathlib import Path

from desired.catalog import Catalog
from desired.docker_config import docker_warnings
from desired.errors import OperatorError, UsageError
from desired.git_command import GitCommand
from desired.job.hcl_read import LocalParser
from desired.objection import problems_of
from desired.problem import Problem
from desired.state import DesiredApp, DesiredState, JobBody, JsonSource
from desired.work_tree import WorkTree
from nomad_operator.admission_from_settings import (
    NothingRemembered,
    admission,
    beside_each_other,
    offline,
    rules_in_force,
)
from nomad_operator.cli import tell
from nomad_operator.code_from_settings import code_beside
from nomad_operator.commands.table import plain
from nomad_operator.commands.validate_dependencies import circles, strangers, unserved
from nomad_operator.commands.validate_examined import FolderRead, examined, unread_rules
from nomad_operator.commands.validate_server import Judgement, judged_by_server
from nomad_operator.from_settings import connection, policy
from nomad_operator.look_ups import registries
from nomad_operator.rules_in_force import RulesInForce
from nomad_operator.service_clients import service_clients
from nomad_operator.settings import Settings
from nomad_operator.settings_load import load
from observers.nomad.client import NomadClient
from reconcilers.admission import Admission

# One slip of the pen can make the rest of a job file wrong, sign by sign.
_TOLD_OF_A_FILE = 100


@dataclass(slots=True)
class Found:
    """What was found so far; paths are as people wrote them."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    apps: list[tuple[str, DesiredApp]] = field(default_factory=list)
    read: list[FolderRead] = field(default_factory=list)


def validate(arguments: argparse.Namespace) -> int:
    settings = load().settings
    found = Found()
    unreachable: OperatorError | None = None
    wanted = _by_folder(arguments.paths)
    asyncio.run(_read(wanted, settings, found, fetch=arguments.server, rules=arguments.policy))
    if arguments.server:
        try:
            asyncio.run(_server(settings, found, arguments.policy))
        except OperatorError as error:
            # What was found without the server is told all the same.
            unreachable = error
    _print(found, as_json=arguments.json)
    if unreachable is not None:
        tell(unreachable)
    return 1 if found.problems or unreachable is not None else 0


def _by_folder(paths: Sequence[str]) -> Mapping[str, set[str] | None]:
    """Folders with the names that were asked for in them; None is all of it."""
    wanted: defaultdict[str, set[str] | None] = defaultdict(set)
    for path in paths:
        if not Path(path).exists():
            raise UsageError(f"{path} does not exist", hint="name files or folders that hold desired apps")
        if Path(path).is_dir():
            wanted[path] = None
            continue
        folder, name = posixpath.split(path)
        names = wanted[folder or "."]
        if names is not None:
            names.add(name)
    return wanted


async def _read(
    wanted: Mapping[str, set[str] | None], settings: Settings, found: Found, *, fetch: bool, rules: Sequence[Path]
) -> None:
    """`fetch`: code in other repositories is looked at as well. `rules` are files of rules beside the settings' own."""
    for folder, names in wanted.items():
        tree = WorkTree(folder=Path(folder), git=GitCommand(environment=os.environ), named=names or ())
        catalog = Catalog(
            parser=LocalParser(),
            defaults=policy(settings),
            namespace=settings.nomad_namespace,
            namespaces=settings.namespaces,
            codes=(codes := code_beside(settings, tree, Path(folder), fetch=fetch)),
        )
        try:
            state = await catalog.read(await tree.tree("work tree"), tree, {})
        finally:
            codes.close()
        apps = [app for app in state.apps.values() if names is None or {app.path, app.job_file} & names]
        unread, told = _elsewhere(state, names) if not fetch else (set(), [])
        found.warnings += [_in(folder, one) for one in told]
        problems = [*(one for one in _problems(state, names) if one not in unread), *circles(state, apps)]
        found.warnings += [_in(folder, one) for one in (*strangers(state, apps), *unserved(state, apps))]
        found.problems += [_in(folder, problem) for problem in problems]
        found.apps += [(_shown(folder, app.path), app) for app in apps]
        here = FolderRead(folder, state, tuple(apps))
        found.read.append(here)
        await _examine(here, rules_in_force(settings, here, *rules), settings, found)
        if names is not None:
            spoken_of = {path for app in apps for path in (app.path, app.job_file)}
            spoken_of |= {one.path for one in problems} | {file.path for file in state.unreadable}
            spoken_of |= {one.path for one in state.policies}
            found.problems += [_silent(_shown(folder, name), state, name) for name in sorted(names - spoken_of)]


def _elsewhere(state: DesiredState, names: set[str] | None) -> tuple[set[Problem], list[Problem]]:
    """What cannot be judged without looking at other repositories, as problems, and as what is said instead."""
    unread = {
        problem
        for file in state.unreadable
        if file.code is not None and file.code.git and not file.questions
        for problem in file.problems
        if names is None or file.path in names
    }
    hint = "--server fetches it"
    return unread, [
        replace(one, message="spec.source: another repository is not looked at", hint=hint) for one in unread
    ]


def _silent(shown: str, state: DesiredState, name: str) -> Problem:
    """Why nothing came of a file that was asked for."""
    if name in state.wrapped:
        message = "belongs to a manifest that is no app as it is"
        hint = "validate the folder: the manifest has mistakes, or is in conflict"
        return Problem(shown, message=message, hint=hint, rule="no-app")
    hint = "a job file, or a manifest with kind: App"
    return Problem(shown, message="holds no app", hint=hint, rule="no-app")


async def _examine(here: FolderRead, rules: RulesInForce, settings: Settings, found: Found) -> None:
    own = {one.path for one in here.state.policies}
    found.problems += [_in(here.folder, one) if one.path in own else one for one in unread_rules(rules)]
    routes = beside_each_other(settings, desired=here)
    offline_ones = Admission(examiners=[*offline(settings, desired=here, rules=rules), routes])
    for app in here.apps:
        body = app.source.body if isinstance(app.source, JsonSource) else await LocalParser().parse(app.source)
        found.warnings += [_in(here.folder, one) for one in problems_of(docker_warnings(body), app)]
        _add([await _examined(here.folder, offline_ones, app, body)], found)


def _problems(state: DesiredState, names: set[str] | None) -> list[Problem]:
    """Of the files that were asked for, and of those that they name."""
    problems = [
        problem
        for file in state.unreadable
        for problem in file.problems
        if names is None or {file.path, problem.path} & names
    ]
    for key, claims in state.claims.items():
        # Told once: where it is claimed first, of what was asked for.
        here = next((claim for claim in claims if names is None or claim.path in names), None)
        if here is not None:
            others = " and ".join(str(claim) for claim in claims if claim is not here)
            message = f"claims {key}, and so {'does' if len(claims) == 2 else 'do'} {others}"
            hint = "none of them is applied"
            problems.append(Problem(here.path, here.line, message=message, hint=hint, rule="claimed-twice"))
    return problems


async def _server(settings: Settings, found: Found, rules: Sequence[Path]) -> None:
    client = NomadClient(connection=connection(settings))
    services, images = service_clients(settings), registries(settings)
    try:
        for here in found.read:
            in_force = rules_in_force(settings, here, *rules)
            everybody = admission(
                settings, nomad=client, desired=here, rules=in_force, records=NothingRemembered(), parser=client,
                services=services, images=images, now=lambda: datetime.now(UTC),
            )  # fmt: skip
            apps = [(_shown(here.folder, app.path), app) for app in here.apps]
            _add(await judged_by_server(client, apps, examined=partial(_examined, here.folder, everybody)), found)
    finally:
        await services.aclose()
        await client.aclose()
        if images is not None:
            await images.aclose()


def _add(judgements: Iterable[Judgement], found: Found) -> None:
    """The two parsers say the same in the same words; it is told once."""
    known = {(one.path, one.line, one.message) for one in found.problems}
    for judgement in judgements:
        found.problems += [one for one in judgement.problems if (one.path, one.line, one.message) not in known]
        found.warnings += judgement.warnings


def _print(found: Found, *, as_json: bool) -> None:
    problems, warnings = sorted(set(found.problems)), sorted(set(found.warnings))
    if as_json:
        apps = [
            {"path": path, "key": str(app.key)}
            for path, app in sorted(found.apps, key=lambda one: (one[0], one[1].key))
        ]
        told = {"problems": [asdict(one) for one in problems], "warnings": [asdict(one) for one in warnings]}
        print(json.dumps({**told, "apps": apps}))
        return
    for path, each in groupby(problems, key=lambda one: one.path):
        of_file = list(each)
        for problem in of_file[:_TOLD_OF_A_FILE]:
            print(plain(str(problem)))
        if len(of_file) > _TOLD_OF_A_FILE:
            print(plain(f"{path}: and {_count(of_file[_TOLD_OF_A_FILE:], 'more problem')}; --json has all of them"))
    for warning in warnings:
        print(plain(str(replace(warning, message=f"warning: {warning.message}"))))
    files = len({problem.path for problem in problems})
    summary = f"{_count(problems, 'problem')} in {files} file{'' if files == 1 else 's'}" if problems else "no problems"
    print(f"{_count(found.apps, 'app')} read, {summary}", file=sys.stderr)


def _count(what: Sequence[object] | Mapping[str, object], word: str) -> str:
    return f"{len(what)} {word}{'' if len(what) == 1 else 's'}"


def _in(folder: str, problem: Problem) -> Problem:
    return replace(problem, path=_shown(folder, problem.path))


async def _examined(folder: str, admission: Admission, app: DesiredApp, body: JobBody) -> Judgement:
    told = await examined(admission, app, body)
    return Judgement(tuple(_in(folder, one) for one in told.problems), tuple(_in(folder, one) for one in told.warnings))


def _shown(folder: str, path: str) -> str:
    """The path as an editor or a shell in the current folder finds it."""
    return path if folder == "." or posixpath.isabs(path) else posixpath.join(folder, path)
