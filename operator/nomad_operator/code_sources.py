"""The code of apps: the folders of the followed repository and of the others, analysed once for each content.

It implements `desired.source_code.Codes`. What takes long goes on by itself and is told as news; whoever asks is
answered with what is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from desired.code_place import CodePlace, CodeWish
from desired.errors import InvalidDesired, OperatorError, TransientError, Unavailable
from desired.facts.codebase import Codebase
from desired.problem import Problem
from desired.source_code import Code, CodeFolders
from desired.source_facts import Key, SourceFacts
from desired.source_files import codebase_of
from nomad_operator.other_sources import OtherSources, Remote

_AGAIN_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder of a repository at a revision; `id` is that of its content."""

    repository: CodeFolders
    revision: str
    path: str
    id: str


@dataclass(frozen=True, slots=True)
class _Failed:
    """An analysis that came to nothing for now, and when it is tried again."""

    error: OperatorError
    again: float


class CodeSources:
    """`own` is the manifests' repository, `name` what it is called. `others` is None where none is ever fetched.

    `patience` is how long `found` waits for what it does not know yet; None waits until everything has ended.
    """

    def __init__(
        self,
        *,
        own: CodeFolders,
        name: str,
        others: OtherSources | None,
        facts: SourceFacts,
        news: Callable[[], None],
        patience: timedelta | None,
        clock: Callable[[], float],
    ) -> None:
        self._own = own
        self._name = name
        self._others = others
        self._facts = facts
        self._tell = news
        self._patience = None if patience is None else patience.total_seconds()
        self._clock = clock
        self._running: dict[Key, asyncio.Task[None]] = {}
        self._failed: dict[Key, _Failed] = {}
        self._pending: tuple[CodePlace, ...] = ()
        self._found: Mapping[CodeWish, tuple[Key, _Folder]] = {}
        self.version = 0

    @property
    def pending(self) -> tuple[CodePlace, ...]:
        """What the last `found` did not know yet."""
        return self._pending

    def news(self) -> None:
        """Something is known that was not: whoever asked is to ask again."""
        self.version += 1
        self._tell()

    def problem(self, place: CodePlace) -> OperatorError | None:
        """Why a place of another repository could not be looked at last; what is known of it stays in force."""
        return self._others.problem(Remote(place.git, place.ref)) if self._others is not None and place.git else None

    def problems(self) -> Mapping[Remote, OperatorError | None]:
        return {} if self._others is None else self._others.problems()

    def hurry(self) -> None:
        """Look at the other repositories soon."""
        if self._others is not None:
            self._others.hurry()

    def close(self) -> None:
        for task in self._running.values():
            task.cancel()
        if self._others is not None:
            self._others.close()

    async def found(self, wishes: Collection[CodeWish], revision: str) -> Mapping[CodeWish, Code]:
        remotes = sorted({Remote(wish.place.git, wish.place.ref) for wish in wishes if wish.place.git})
        if self._others is not None:
            self._others.follow(remotes)
            await self._others.looked(remotes, within=self._patience)
        places = sorted({wish.place for wish in wishes})
        folders: dict[CodePlace, _Folder | Code] = await self._own_folders(places, revision)
        for remote in remotes:
            folders |= await self._other_folders(remote, [one for one in places if _remote(one) == remote])
        keys = {
            wish: Key(folder.id, self._called(wish.place), wish.dockerfile)
            for wish in sorted(wishes)
            if isinstance(folder := folders[wish.place], _Folder)
        }
        self._found = {
            wish: (key, folder) for wish, key in keys.items() if isinstance(folder := folders[wish.place], _Folder)
        }
        await self._analyse({key: folders[wish.place] for wish, key in keys.items()})
        answers = {wish: self._answer(keys[wish]) if wish in keys else _as_code(folders[wish.place]) for wish in wishes}
        self._pending = tuple(sorted({wish.place for wish, code in answers.items() if code.pending}))
        return answers

    async def codebase(self, wish: CodeWish) -> Codebase:
        """The files of what was found last. Raises OperatorError where there is none, or it cannot be read now."""
        found = self._found.get(wish)
        if found is None:
            raise Unavailable(f"the code at {wish.place} is not known")
        return await _codebase(*found)

    # -- where it is

    async def _own_folders(self, places: Collection[CodePlace], revision: str) -> dict[CodePlace, _Folder | Code]:
        own = [one for one in places if not one.git]
        ids = await self._own.folders(revision, [one.path for one in own]) if own else {}
        return {
            one: _Folder(self._own, revision, one.path, ids[one.path])
            if one.path in ids
            else _none(one.path, "there is no such folder in this repository", "it counts from the repository's top")
            for one in own
        }

    async def _other_folders(self, remote: Remote, places: Collection[CodePlace]) -> dict[CodePlace, _Folder | Code]:
        if self._others is None:
            hint = "it is fetched by `validate --server`, `plan` and the daemon"
            return {one: _none(str(one), "other repositories are not looked at here", hint) for one in places}
        source, problem = self._others.source(remote), self._others.problem(remote)
        if source is None or source.revision is None:
            code = _pending(str(remote)) if problem is None else _refused(remote, problem)
            return dict.fromkeys(places, code)
        try:
            ids = await source.folders(source.revision, [one.path for one in places])
        except OperatorError as error:
            return dict.fromkeys(places, _refused(remote, error))
        return {
            one: _Folder(source, source.revision, one.path, ids[one.path])
            if one.path in ids
            else _none(str(one), f"there is no folder {one.path} at {source.revision[:12]}", "")
            for one in places
        }

    def _called(self, place: CodePlace) -> str:
        if place.path != ".":
            return place.path.rpartition("/")[2]
        return (
            place.git.rstrip("/").replace(":", "/").rpartition("/")[2].removesuffix(".git") if place.git else self._name
        )

    # -- what it says

    async def _analyse(self, wanted: Mapping[Key, _Folder | Code]) -> None:
        """Begin what is not known, and wait a little for it."""
        for key in self._running.keys() - wanted.keys():
            self._running.pop(key).cancel()
        self._failed = {key: failed for key, failed in self._failed.items() if key in wanted}
        for key, folder in wanted.items():
            failed = self._failed.get(key)
            later = failed is not None and self._clock() < failed.again
            if isinstance(folder, _Folder) and not later and key not in self._running and not self._facts.known(key):
                self._running[key] = asyncio.create_task(self._of(key, folder), name=f"facts of {key.name}")
        if self._running:
            await asyncio.wait(self._running.values(), timeout=self._patience)
        for key, task in list(self._running.items()):
            if task.done():
                self._reap(key, task)
            else:
                task.add_done_callback(partial(self._ended, key))

    def _ended(self, key: Key, task: asyncio.Task[None]) -> None:
        if self._running.get(key) is task:
            self._reap(key, task)
            self.news()

    def _reap(self, key: Key, task: asyncio.Task[None]) -> None:
        del self._running[key]
        if not task.cancelled() and (error := task.exception()) is not None:
            # A bug that one codebase brings out: it is told with its app, and not tried again at once.
            told = Unavailable(f"reading it failed: {type(error).__name__} inside the operator")
            self._failed[key] = _Failed(told, self._clock() + _AGAIN_SECONDS)

    async def _of(self, key: Key, folder: _Folder) -> None:
        try:
            await self._facts.of(key, partial(_codebase, key, folder))
            self._failed.pop(key, None)
        except OperatorError as error:
            if not isinstance(error, InvalidDesired):
                self._failed[key] = _Failed(error, self._clock() + _AGAIN_SECONDS)

    def _answer(self, key: Key) -> Code:
        identity = f"{key.folder} {key.name} {key.dockerfile or ''}"
        known = self._facts.known(key)
        if isinstance(known, InvalidDesired):
            first = known.problems[0]
            return Code(f"{identity} {first}", problem=Problem(first.path, message=first.message, hint=known.hint))
        if known is not None:
            return Code(identity, analysis=known)
        failed = self._failed.get(key)
        if failed is None or key in self._running:
            return _pending(identity)
        problem = Problem(key.name, message=failed.error.message, hint=failed.error.hint)
        return Code(f"{identity} {problem}", problem=problem, transient=isinstance(failed.error, TransientError))


async def _codebase(key: Key, folder: _Folder) -> Codebase:
    try:
        tree = await folder.repository.folder(folder.revision, folder.path)
    except InvalidDesired as error:  # too many files
        problems = tuple(Problem(folder.path, message=one.message) for one in error.problems)
        raise InvalidDesired(problems, hint="name the app's own folder as its source") from error
    return await codebase_of(tree, folder.repository, name=key.name, shown=folder.path)


def _remote(place: CodePlace) -> Remote:
    return Remote(place.git, place.ref)


def _as_code(found: _Folder | Code) -> Code:
    assert isinstance(found, Code)
    return found


def _pending(identity: str) -> Code:
    return Code(f"{identity} is being read", pending=True)


def _none(path: str, message: str, hint: str) -> Code:
    problem = Problem(path, message=message, hint=hint)
    return Code(str(problem), problem=problem)


def _refused(remote: Remote, error: OperatorError) -> Code:
    problem = Problem(remote.git, message=error.message, hint=error.hint)
    return Code(str(problem), problem=problem, transient=isinstance(error, TransientError))
