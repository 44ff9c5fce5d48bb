"""`init`: from a folder of code to a manifest, asking what the code does not tell.

With `--no-questions` nobody is asked: suggestions are taken, and what is still open is listed. Otherwise the answers
come from a terminal or, line by line, from a pipe, and are kept in a file beside the manifest until that is written.
Standard output gets the paths of what was written (or the manifests, with `--output -`), or JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

from desired.draft.answers_file import ALL, DOCKERFILE
from desired.draft.manifest_text import manifest_text
from desired.draft.settled import settled
from desired.errors import InvalidDesired, TerminalError, UsageError
from desired.facts.analyze import Analysis, analyze
from desired.facts.codebase import Codebase
from desired.git_address import GitAddress
from desired.said_secret import says_a_secret
from nomad_operator.codebases import is_url, open_codebase
from nomad_operator.commands.table import Style, plain
from nomad_operator.from_settings import connection, policy
from nomad_operator.interview.answers_given import answers_given
from nomad_operator.interview.cluster import learn
from nomad_operator.interview.found_app import FoundApp, found_apps, named, strangers
from nomad_operator.interview.job_text import problems_of, read_back
from nomad_operator.interview.kept import Kept
from nomad_operator.interview.knowledge import Knowledge, missing
from nomad_operator.interview.model_help import ModelHelp, has_model, with_model
from nomad_operator.interview.outcome import SKIPPED, UNCHANGED, WRITTEN, Outcome, as_json
from nomad_operator.interview.output import write
from nomad_operator.interview.people import People
from nomad_operator.interview.remembered import AppsRemembered, remembered
from nomad_operator.interview.state import Interview
from nomad_operator.interview.suggestions import informed
from nomad_operator.interview.summary import rows, table
from nomad_operator.interview.targets import Targets
from nomad_operator.interview.terminal import Terminal
from nomad_operator.model_from_settings import model_address
from nomad_operator.service_clients import consul_client, fabio_client, vault_client
from nomad_operator.settings import Settings
from nomad_operator.settings_load import DEFAULT, DOTENV, Loaded, load
from observers.nomad.client import NomadClient

_DEADLINE = timedelta(seconds=5)


def init(arguments: argparse.Namespace) -> int:
    if arguments.json and arguments.output == "-":
        raise UsageError("--json and --output - both want standard output", hint="leave out one of them")
    if says_a_secret(arguments.prompt):
        hint = "say where it is kept instead: answers take vault: path#field, nomad: path#field, consul: key"
        raise UsageError("--prompt: it seems to tell a secret, which would stand in the manifest", hint=hint)
    # The `.env` of a codebase is the app's, not ours.
    ours = Path(DOTENV) if is_url(arguments.path) or Path(arguments.path).resolve() != Path.cwd() else None
    loaded = load(env_file=ours)
    codebase = open_codebase(arguments.path, loaded.settings, ref=arguments.ref)
    targets = Targets(arguments.output)
    kept = Kept(place=targets.kept(codebase.name), given=answers_given(arguments.answers))
    if arguments.no_questions:
        outcomes = _unattended(arguments, codebase, loaded, targets, kept)
    else:
        outcomes = _attended(arguments, codebase, loaded, targets, kept)
    return _told(outcomes, arguments)


# -- with people


def _attended(
    arguments: argparse.Namespace, codebase: Codebase, loaded: Loaded, targets: Targets, kept: Kept
) -> list[Outcome]:
    if arguments.answers == "-":
        raise UsageError("--answers - leaves nobody to ask", hint="add --no-questions, or name a file")
    terminal = Terminal()
    people = People(terminal=terminal, kept=kept, out=lambda text: print(text, end="", flush=True))
    if count := kept.read():
        terminal.note(f"going on with {count} answers that are kept in {kept.place}; remove it to begin anew")
    try:
        analysis = _analysis(codebase, arguments.dockerfile or kept.about_all(DOCKERFILE), people)
        knowledge = _knowledge(loaded, skip=arguments.skip_infra_check)
        if knowledge.away and terminal.interactive and not people.go_on_without(knowledge.away):
            raise TerminalError("stopped: a service does not answer", hint="`nomad-operator doctor` tells what to do")
        apps = _apps(arguments, _found(arguments, codebase, analysis, knowledge, loaded, terminal.note), targets, kept)
        places = [targets.of(app.name, apps=len(apps)) for app in apps]
        outcomes: list[Outcome] = []
        for number, (app, place) in enumerate(zip(apps, places, strict=True), start=1):
            state = Interview(
                app=app, target=str(place or "standard output"), knowledge=knowledge,
                defaults=policy(loaded.settings), namespace=loaded.settings.nomad_namespace,
                answers=MappingProxyType(dict(kept.of(app.name))),
            )  # fmt: skip
            title = app.name if len(apps) == 1 else f"{app.name} ({number} of {len(apps)})"
            outcomes.append(people.app(state, place=place, title=title))
    except KeyboardInterrupt:
        terminal.say(["", _where(kept)])
        raise
    except EOFError:
        hint = "--no-questions takes what is suggested; --answers reads a file"
        raise TerminalError(f"the input ended before all was answered; {_where(kept)}", hint=hint) from None
    kept.forget()
    return outcomes


def _where(kept: Kept) -> str:
    if not kept.there:
        return "nothing was answered, and nothing written"
    return f"what was answered is kept in {kept.place}: the same command goes on from there"


def _analysis(codebase: Codebase, dockerfile: str, people: People) -> Analysis:
    if dockerfile:
        return analyze(codebase, None if dockerfile == ALL else dockerfile)
    found = analyze(codebase)
    chosen = people.dockerfile(found)
    # The likeliest is what was analysed, unless a compose file made more of it.
    alone = all(not one.component.service for one in found.apps)
    return found if chosen is None or (alone and chosen == found.dockerfile) else analyze(codebase, chosen)


# -- without


def _unattended(
    arguments: argparse.Namespace, codebase: Codebase, loaded: Loaded, targets: Targets, kept: Kept
) -> list[Outcome]:
    dockerfile = arguments.dockerfile or kept.about_all(DOCKERFILE) or ALL
    analysis = analyze(codebase, None if dockerfile == ALL else dockerfile)
    knowledge = _knowledge(loaded, skip=arguments.skip_infra_check)
    for text in (*map(str, analysis.warnings), *knowledge.away, *knowledge.notes):
        print(f"warning: {plain(text)}", file=sys.stderr)
    found = _found(arguments, codebase, analysis, knowledge, loaded, lambda text: print(text, file=sys.stderr))
    apps = _apps(arguments, found, targets, kept)
    outcomes = [
        Outcome(
            settled(informed(app.draft(kept.of(app.name)), app.facts, knowledge)), WRITTEN,
            targets.of(app.name, apps=len(apps)),
        )
        for app in apps
    ]  # fmt: skip
    for one in outcomes:
        for text in missing(one.draft, knowledge):
            print(f"warning: {one.draft.name}: {plain(text)}", file=sys.stderr)
    _refuse(outcomes, loaded.settings, force=arguments.force)
    if not arguments.json:
        style = Style.of(sys.stderr)
        for one in outcomes:
            print(
                "\n".join([one.draft.name, *table(rows(one.draft), style), ""]),
                file=sys.stderr,
            )
    return [_written(one, first=one is outcomes[0]) for one in outcomes]


def _refuse(outcomes: Sequence[Outcome], settings: Settings, *, force: bool) -> None:
    """Before anything is written: what the operator would not take, and files of other people's making."""
    problems = [
        problem
        for one in outcomes
        for problem in problems_of(
            read_back(one.draft, one.draft.name, defaults=policy(settings), namespace=settings.nomad_namespace)
        )
    ]
    if problems:
        raise InvalidDesired(tuple(problems), hint="--answers says it otherwise; without --no-questions you are asked")
    there = [str(one.path) for one in outcomes if not force and _differs(one)]
    if there:
        raise TerminalError(
            f"{', '.join(there)}: there already, and different", hint="--force replaces, --output names another place"
        )


def _differs(outcome: Outcome) -> bool:
    path = outcome.path
    return path is not None and path.exists() and _text(path) != manifest_text(outcome.draft)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="--output names another place") from None


def _written(outcome: Outcome, *, first: bool) -> Outcome:
    text = manifest_text(outcome.draft)
    if outcome.path is None:
        print(("" if first else "---\n") + text, end="")
        return outcome
    if outcome.path.exists() and _text(outcome.path) == text:
        return replace(outcome, state=UNCHANGED)
    write(outcome.path, text)
    return outcome


# -- both


def _found(
    arguments: argparse.Namespace, codebase: Codebase, analysis: Analysis, knowledge: Knowledge, loaded: Loaded,
    tell: Callable[[str], None],
) -> tuple[FoundApp, ...]:  # fmt: skip
    """With what is remembered of other apps, and what a model adds, where one is set."""
    memory = AppsRemembered() if arguments.skip_infra_check else remembered(loaded.settings)
    if arguments.no_model or not has_model(loaded.settings):
        return tuple(memory.suggesting(app) for app in found_apps(analysis, knowledge, arguments.prompt))

    async def ask(help: ModelHelp) -> tuple[FoundApp, ...]:
        return await help.apps(analysis, codebase, knowledge, arguments.prompt, memory)

    tell(f"asking the model at {model_address(loaded.settings)} about what the code leaves open ...")
    found: tuple[FoundApp, ...] = asyncio.run(
        with_model(loaded.settings, lambda text: tell(f"warning: {plain(text)}"), ask)
    )
    return found


def _apps(
    arguments: argparse.Namespace, every: Sequence[FoundApp], targets: Targets, kept: Kept
) -> tuple[FoundApp, ...]:  # fmt: skip
    if unknown := strangers(kept.given, every, str(arguments.answers)):
        raise InvalidDesired(unknown)
    found = named(every, arguments.app)
    if is_url(arguments.path):
        address = GitAddress.parse(arguments.path).url
        source = {"git": address, **({"ref": arguments.ref} if arguments.ref else {})}
        return tuple(replace(app, source=source) for app in found)
    folder = targets.folder_of(Path(arguments.path))
    return found if folder is None else tuple(replace(app, source={"path": folder}) for app in found)


def _knowledge(loaded: Loaded, *, skip: bool) -> Knowledge:
    if skip:
        return Knowledge()
    knowledge = asyncio.run(_learned(loaded.settings))
    if loaded.origins["nomad_addr"] == DEFAULT and loaded.origins["nomad_unix_socket"] == DEFAULT:
        # Nobody said that there is one.
        return replace(knowledge, away=tuple(one for one in knowledge.away if not one.startswith("Nomad")))
    return knowledge


async def _learned(settings: Settings) -> Knowledge:
    async with AsyncExitStack() as stack:
        vault, consul = vault_client(settings, deadline=_DEADLINE), consul_client(settings, deadline=_DEADLINE)
        fabio = fabio_client(settings, deadline=_DEADLINE)
        way = replace(connection(settings), read_deadline=_DEADLINE, connect_timeout=_DEADLINE)
        nomad = NomadClient(connection=way)
        for client in (vault, consul, fabio, nomad):
            if client is not None:
                stack.push_async_callback(client.aclose)
        return await learn(
            vault=vault, consul=consul, nomad=nomad, fabio=fabio, namespace=settings.nomad_namespace,
            deadline=_DEADLINE,
        )  # fmt: skip


def _told(outcomes: Sequence[Outcome], arguments: argparse.Namespace) -> int:
    if arguments.json:
        print(json.dumps({"apps": [as_json(one) for one in outcomes]}))
    else:
        for one in outcomes:
            if one.path is not None and one.state != SKIPPED:
                print(one.path)
    for one in outcomes:
        for question in one.open:
            print(plain(f"open: {one.draft.name}: {question.id}: {question.text}"), file=sys.stderr)
    return 1 if any(one.open for one in outcomes) else 0
