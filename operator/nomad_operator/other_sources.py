"""The other repositories that apps name as their source, each followed like the main one, in its own time.

One source for a URL and a ref, however many apps name it: a quiet look is one `ls-remote`. Whatever goes wrong with one
(its server is down, its ref is gone) is told with its apps; the last good revision stays in force, and nobody waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from desired.errors import OperatorError, UsageError
from desired.file_tree import FileTree, Poll

_AT_ONCE = 4
_RETRY_AT_MOST = 600.0
_DOUBLED = 10
_HINTS = {
    "NOMAD_OPERATOR_GIT_REF": "check `ref` of its source: a branch, a tag, or a full commit id that is still there",
    "NOMAD_OPERATOR_GIT_URL": "check `git` of its source; many servers answer 'not found' to whoever may not read it",
    "NOMAD_OPERATOR_GIT_TOKEN": "may everybody read it? The operator shows its credentials to its own git server alone",
    "NOMAD_OPERATOR_GIT_POLL": "ask less often (NOMAD_OPERATOR_SOURCE_POLL_SECONDS)",
}
# A webhook may come for every push of everybody: no server is asked more often than this.
_NOT_SOONER = 5.0


@dataclass(frozen=True, slots=True, order=True)
class Remote:
    """A repository at a ref; `git` is its canonical URL."""

    git: str
    ref: str


class Followed(Protocol):
    """As much of a git source as is used."""

    @property
    def revision(self) -> str | None: ...

    async def poll(self) -> Poll: ...

    async def folders(self, revision: str, paths: Collection[str]) -> Mapping[str, str]: ...

    async def folder(self, revision: str, path: str) -> FileTree: ...

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]: ...


@dataclass(slots=True)
class _Following:
    source: Followed
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    problem: OperatorError | None = None
    failures: int = 0
    task: asyncio.Task[None] | None = None


class OtherSources:
    """`open` makes the source of a remote; it raises UsageError where there can be none. `news` is called, soon after,
    whenever a revision or a problem of any of them comes or goes. `most` bounds how many are followed."""

    def __init__(
        self,
        *,
        open: Callable[[Remote], Followed],
        drop: Callable[[Collection[Remote]], None],
        news: Callable[[], None],
        every: timedelta,
        most: int,
        clock: Callable[[], float],
    ) -> None:
        self._open = open
        self._drop = drop
        self._news = news
        self._every = every.total_seconds()
        self._most = most
        self._clock = clock
        self._followed: dict[Remote, _Following] = {}
        self._refused: dict[Remote, UsageError] = {}
        self._asking = asyncio.Semaphore(_AT_ONCE)

    def follow(self, wanted: Collection[Remote]) -> None:
        """These and no others, from now on. Must be called inside the loop."""
        gone = [remote for remote in self._followed if remote not in wanted]
        for remote in gone:
            self._end(self._followed.pop(remote))
        self._refused = {}
        for remote in sorted(wanted):
            if remote in self._followed:
                continue
            try:
                if len(self._followed) >= self._most:
                    raise UsageError(
                        f"{remote.git} is not followed: {self._most} other repositories are already",
                        hint="NOMAD_OPERATOR_SOURCE_MAX_URLS allows more",
                    )
                following = _Following(self._open(remote))
            except UsageError as error:
                self._refused[remote] = error
                continue
            following.task = asyncio.create_task(self._run(following), name=f"follow {remote.git}")
            self._followed[remote] = following
        self._drop(self._followed.keys())

    async def looked(self, remotes: Iterable[Remote], *, within: float | None) -> None:
        """Until each of them was asked once, or the seconds are over; None waits as long as it takes.

        Who has seconds alone goes on with what was known of them before.
        """
        waiting = [
            asyncio.create_task(self._followed[remote].looked.wait())
            for remote in remotes
            if remote in self._followed and (within is None or self._followed[remote].source.revision is None)
        ]
        if waiting:
            _, left = await asyncio.wait(waiting, timeout=within)
            for one in left:
                one.cancel()

    def source(self, remote: Remote) -> Followed | None:
        """None where it is not followed: `problem` says why."""
        following = self._followed.get(remote)
        return None if following is None else following.source

    def problem(self, remote: Remote) -> OperatorError | None:
        """What the last look found, or why there is none; None also before the first look has ended."""
        following = self._followed.get(remote)
        return self._refused.get(remote) if following is None else following.problem

    def problems(self) -> dict[Remote, OperatorError | None]:
        """Of each that is followed."""
        return {remote: following.problem for remote, following in sorted(self._followed.items())}

    def hurry(self) -> None:
        """Look at all of them soon."""
        for following in self._followed.values():
            following.hurry.set()

    def close(self) -> None:
        for following in self._followed.values():
            self._end(following)
        self._followed = {}

    def _end(self, following: _Following) -> None:
        if following.task is not None:
            following.task.cancel()

    async def _run(self, following: _Following) -> None:
        while True:
            following.hurry.clear()
            async with self._asking:
                changed = await self._look(following)
            began = self._clock()
            first = not following.looked.is_set()
            following.looked.set()
            if changed or first:
                self._news()
            wait = min(self._every * 2 ** min(following.failures, _DOUBLED), max(self._every, _RETRY_AT_MOST))
            try:
                async with asyncio.timeout(wait):
                    await following.hurry.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(max(0.0, _NOT_SOONER - (self._clock() - began)))

    async def _look(self, following: _Following) -> bool:
        """True if there is something new to know: a revision, a problem that came, changed or went."""
        before = None if following.problem is None else str(following.problem)
        try:
            poll = await following.source.poll()
        except OperatorError as error:
            error.hint = _hint(error)
            following.problem = error
            following.failures += 1
            return str(error) != before
        following.problem = None
        following.failures = 0
        return poll.changed or before is not None


def _hint(error: OperatorError) -> str:
    """Git's own hints speak of the settings of the main repository."""
    return next((hint for setting, hint in _HINTS.items() if setting in error.hint), error.hint)
