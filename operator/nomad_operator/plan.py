"""A plan: what the next pass would do, with Nomad's own diff. Observe, decide, stop.

It runs in its own process on a copy of what the operator remembers, so nothing it does is remembered. Where that memory
cannot be read, who owns a job is unknown, and the plan says so. `commands.plan` shows it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from desired.app import AppKey
from desired.errors import OperatorError, Rejected, TerminalError, Unavailable, UsageError
from desired.file_tree import FileTree, Poll
from desired.git_command import GitCommand
from desired.git_source import GitSource
from desired.reasons import Reason
from desired.state import DesiredState
from desired.work_tree import WorkTree
from nomad_operator.from_settings import repository
from nomad_operator.settings import Settings
from nomad_operator.source import Repository
from nomad_operator.state_from_settings import documents
from nomad_operator.status import sources
from nomad_operator.watched import HINT, not_there
from nomad_operator.wiring import assemble
from reconcilers.decision import Decision, Register, Remember, Rest, Step, Stop
from reconcilers.memory_store import MemoryStore
from reconcilers.reconcile import Reconciler
from reconcilers.records import Records
from reconcilers.situation import Situation, Unclear

# More than ever follow each other without a look at something new.
_PASSES = 5


class Change(StrEnum):
    """What a pass would do to the job, as one word."""

    CREATE = "create"
    UPDATE = "update"
    ADOPT = "adopt"
    STOP = "stop"
    NOTHING = "nothing"
    BLOCKED = "blocked"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Planned:
    """One app. `diff` is Nomad's, as people read it."""

    key: str
    change: Change
    reason: str
    message: str
    diff: str = ""
    hint: str = ""

    def as_json(self) -> dict[str, str]:
        return {name: str(value) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Plan:
    """The apps, and the files that are none. `stale`: why git could not be read, where this is what it said before."""

    apps: tuple[Planned, ...]
    sources: tuple[dict[str, Any], ...]
    stale: OperatorError | None
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        return 1 if self.stale is not None else exit_code(self.apps)


async def plan(settings: Settings, apps: Sequence[str], *, ref: str | None, path: Path | None) -> Plan:
    """Of these apps, or all. `path` is a work tree, `ref` another revision."""
    own = repository(settings) if settings.git_url else None
    stored = await documents(settings)
    notes = [] if stored is not None else ["no state of an operator was found here; who owns a job is not known"]
    if path is not None:
        followed: Repository = WorkTree(folder=path, git=GitCommand(environment=os.environ))
    elif own is not None:
        followed = own if ref is None else _Pinned(own, await _fetched(own, ref))
    else:
        raise UsageError("there is nothing to plan", hint="set NOMAD_OPERATOR_GIT_URL, or name a folder with --path")
    origin = own.origin if own is not None else WorkTree(folder=path or Path()).origin
    parts = assemble(settings, store=MemoryStore(stored or {}), followed=followed, origin=origin, patience=None)
    try:
        await parts.records.load()
        await parts.switch.load()
        await parts.answers.load(parts.records)
        await parts.source.refresh()
        state = parts.source.state
        if state is None:
            raise parts.source.problem or Unavailable("git could not be read", hint="run `nomad-operator doctor`")
        for name in await not_there(parts.nomad, settings.namespaces):
            notes.append(f"there is no namespace {name}, or the token has no right in it: {HINT}")
        parts.daemon.review_withdrawals()
        keys = chosen(apps, parts.daemon.keys, settings.nomad_namespace)
        with suppress(TerminalError):  # what the token may not do each app tells below
            fleet = await parts.nomad.fleet(parts.daemon.keys)
            # Of another revision nobody here knows what is remembered where it will be applied.
            if parts.records.fresh and (stored is not None or (path is None and ref is None)):
                parts.sync.judge_memory(fleet)
        found = await plan_apps(parts.reconciler, parts.records, state, keys)
        return Plan(tuple(found), tuple(sources(state)), parts.source.problem, tuple(notes))
    finally:
        await parts.close()


async def _fetched(source: GitSource, ref: str) -> str:
    try:
        return await source.fetch(ref)
    except OperatorError as error:
        error.hint = error.hint.replace("NOMAD_OPERATOR_GIT_REF", "--ref")
        raise


class _Pinned:
    """A git source at one revision that is not the one in force."""

    def __init__(self, source: GitSource, revision: str) -> None:
        self._source = source
        self.revision: str | None = revision
        self.shown_url = source.shown_url

    async def poll(self) -> Poll:
        return Poll(self.revision or "", changed=False)

    async def tree(self, revision: str) -> FileTree:
        return await self._source.tree(revision)

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]:
        return await self._source.contents(blobs)

    async def folders(self, revision: str, paths: Collection[str]) -> Mapping[str, str]:
        return await self._source.folders(revision, paths)

    async def folder(self, revision: str, path: str) -> FileTree:
        return await self._source.folder(revision, path)


async def plan_apps(
    reconciler: Reconciler, records: Records, state: DesiredState, keys: Sequence[AppKey]
) -> list[Planned]:
    """One entry a key, in their order. An app that cannot be planned is an entry, not an exception.

    `records` are a copy: what a pass would only remember is remembered there, to see what the pass after it does.
    """
    return [await _plan(reconciler, records, state, key) for key in keys]


def chosen(names: Sequence[str], keys: set[AppKey], namespace: str) -> list[AppKey]:
    """The keys that the arguments name, or all of them; TerminalError those that do not exist, as `status` says it."""
    if not names:
        return sorted(keys)
    try:
        wanted = [AppKey.parse(name, namespace) for name in names]
    except ValueError as error:
        raise UsageError(str(error), hint="an app is named namespace/name, or name") from None
    if unknown := [str(key) for key in wanted if key not in keys]:
        raise TerminalError(
            f"no app {', '.join(unknown)}",
            hint=f"known here: {', '.join(str(key) for key in sorted(keys)[:8]) or 'none'}",
        )
    return wanted


def exit_code(planned: Sequence[Planned]) -> int:
    """0 nothing to do, 3 differences, 1 something could not be planned or waits for a person."""
    changes = {one.change for one in planned}
    if changes & {Change.FAILED, Change.BLOCKED}:
        return 1
    return 3 if changes & {Change.CREATE, Change.UPDATE, Change.STOP} else 0


async def _plan(reconciler: Reconciler, records: Records, state: DesiredState, key: AppKey) -> Planned:
    try:
        situation, decision = await _foreseen(reconciler, records, state, key)
    except Rejected as error:
        return Planned(
            str(key), Change.FAILED, error.reason.value, f"Nomad refuses it: {error.message}", hint=error.hint
        )
    except OperatorError as error:
        return Planned(str(key), Change.FAILED, error.reason.value, error.message, hint=error.hint)
    change = _change(situation, decision)
    return Planned(str(key), change, decision.reason.value, decision.message, decision.diff)


async def _foreseen(
    reconciler: Reconciler, records: Records, state: DesiredState, key: AppKey
) -> tuple[Situation, Decision]:
    """What is done next to the job. Where passes only remember something and nothing is done, the first of them."""
    first = looked = await reconciler.look(key, state)
    for _ in range(_PASSES):
        action = looked[1].action
        if not isinstance(action, Remember) or action.again_in or looked[1].step is Step.ADOPTING:
            break
        await records.save(action.record)
        looked = await reconciler.look(key, state)
    return first if _change(*looked) is Change.NOTHING else looked


def _change(situation: Situation, decision: Decision) -> Change:
    if decision.step in (Step.ADOPTION_REQUIRED, Step.NOTHING_TO_HOLD, Step.DRIFT_TOLD, Step.LEFT_FAILED):
        return Change.BLOCKED
    refused = isinstance(situation.desire, Unclear) and situation.desire.passing and isinstance(decision.action, Rest)
    if refused or decision.reason is Reason.POLICY_VIOLATION:
        return Change.BLOCKED
    if decision.reason is Reason.OBSERVE_ONLY:
        # Told, and not done: it is the same difference.
        if decision.step in (Step.PRUNING, Step.RERUNNING):
            return Change.STOP
        return Change.CREATE if situation.running.job is None else Change.UPDATE
    match decision.action:
        case Register():
            return Change.CREATE if situation.running.job is None else Change.UPDATE
        case Stop():
            return Change.STOP
        case Remember() if decision.step is Step.ADOPTING:
            return Change.ADOPT
    if decision.step is Step.PRUNE_HELD:
        # Only the grace time holds it: it will be stopped.
        return Change.STOP if decision.reason is Reason.WITHDRAWN else Change.BLOCKED
    if decision.step is Step.DEPENDENCIES:
        return Change.BLOCKED
    return Change.NOTHING
