"""A model's answers about apps whose manifest leaves things to their code, asked beside the passes and kept.

It implements `desired.help.Help`. What is not known is asked for in a task of its own, bounded in number. No pass
waits: an app stays as it is until the model has answered, or has failed to once. What was answered is stored before it
counts, so that the same commit makes the same job after a restart. A model that is away costs its answers: they are
asked for again later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from desired.app import AppKey
from desired.code_place import CodeWish
from desired.errors import OperatorError, Unavailable
from desired.facts.codebase import Codebase
from desired.help import Helped, Wanting
from reconcilers.generate.answering import Answering
from reconcilers.generate.given import Given, from_document, still_said, to_document, told_by
from reconcilers.store import Store

_PREFIX = "answers:"
# Each holds the text of a codebase.
_AT_ONCE = 2
_AGAIN = timedelta(minutes=5)
_AGAIN_AT_MOST = timedelta(hours=1)


class Codebases(Protocol):
    """Where the files of code are."""

    async def codebase(self, wish: CodeWish) -> Codebase: ...


class Known(Protocol):
    """Which apps are remembered."""

    def __contains__(self, key: AppKey) -> bool: ...


class ModelAnswers:
    """`answering` is None where nobody is to be asked: what is kept counts all the same. `sleep` is in seconds.

    `news` is told when there is more to read than there was, `failed` why an app was not answered for, each once.
    """

    def __init__(
        self,
        *,
        answering: Answering | None,
        codes: Codebases,
        store: Store,
        news: Callable[[], None],
        failed: Callable[[AppKey, OperatorError], None] = lambda _key, _error: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._answering = answering
        self._codes = codes
        self._store = store
        self._tell = news
        self._tell_failed = failed
        self._sleep = sleep
        self._given: dict[AppKey, Given] = {}
        self._versions: dict[AppKey, int] = {}
        self._running: dict[AppKey, asyncio.Task[None]] = {}
        self._wanting: dict[AppKey, Wanting] = {}
        self._first: set[AppKey] = set()
        # What could not be answered, of which words and which code, and why.
        self._failed: dict[AppKey, tuple[tuple[str, str], str]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def load(self, remembered: Known) -> None:
        """Before the first look at git. What cannot be read is asked for again; of apps that nobody remembers nothing
        is kept."""
        for name, stored in (await self._store.load()).items():
            if not name.startswith(_PREFIX):
                continue
            key, given = AppKey.parse(name.removeprefix(_PREFIX)), from_document(stored.document)
            if key not in remembered:
                await self._store.delete(name, expected=stored.revision)
            elif given is not None:
                self._given[key] = given

    @property
    def pending(self) -> tuple[AppKey, ...]:
        """Apps about which the model is being asked, and has not failed to answer yet."""
        return tuple(sorted(self._first))

    def version(self, key: AppKey) -> str:
        return f"answers {self._versions.get(key, 0)}"

    def helped(self, wanting: Wanting) -> Helped:
        key, given = wanting.key, self._given.get(wanting.key, Given())
        failed = self._failed.get(key)
        if failed is not None and failed[0] != _subject(wanting) and key in self._running:
            # Other words, or other code: that need not wait for what failed.
            self._running.pop(key).cancel()
        self._wanting[key] = wanting
        if self._answering is not None and _lacks(wanting, given) and key not in self._running:
            self._first.add(key)
            self._running[key] = asyncio.create_task(self._ask(key), name=f"answers for {key}")
        understood = given.words == told_by(wanting.words)
        meant = given.meant if understood else still_said(given.meant, wanting.words)
        return Helped(meant, given.values, pending=_lacks(wanting, given) and key in self._first)

    def close(self) -> None:
        for task in self._running.values():
            task.cancel()

    async def _ask(self, key: AppKey) -> None:
        """Until nothing is lacking, or nobody wants it any more."""
        pause = _AGAIN
        try:
            while (wanting := self._wanting.get(key)) and _lacks(wanting, self._given.get(key, Given())):
                error = await self._round(wanting)
                if error is None:
                    self._failed.pop(key, None)
                    continue
                self._first.discard(key)
                self._not_answered(wanting, error)
                # Whoever still wants it says so at the next look.
                self._wanting.pop(key, None)
                self._told(key)
                await self._sleep(pause.total_seconds())
                pause = min(pause * 2, _AGAIN_AT_MOST)
        finally:
            if self._running.get(key) is asyncio.current_task():
                del self._running[key]
                self._first.discard(key)
        self._told(key)

    async def _round(self, wanting: Wanting) -> OperatorError | None:
        """Why there is no answer; None where there is one."""
        async with self._places:
            asked = asyncio.create_task(self._asked(wanting), name=f"questions about {wanting.key}")
            try:
                await asyncio.wait([asked])
            finally:
                asked.cancel()
        error = asked.exception()
        if error is None or isinstance(error, OperatorError):
            return error
        # A bug that one codebase or one answer brings out: told with its app, and not tried again at once.
        return Unavailable(f"asking about {wanting.key} failed: {type(error).__name__} inside the operator")

    def _not_answered(self, wanting: Wanting, error: OperatorError) -> None:
        before = self._failed.get(wanting.key)
        self._failed[wanting.key] = (_subject(wanting), error.message)
        if before is None or before[1] != error.message:
            self._tell_failed(wanting.key, error)

    async def _asked(self, wanting: Wanting) -> None:
        assert self._answering is not None
        given = self._given.get(wanting.key, Given())
        if given.words != told_by(wanting.words):
            given = await self._answering.meant(wanting, given)
            await self._keep(wanting.key, given)
        if _lacks(wanting, given):
            codebase = await self._codes.codebase(wanting.wish)
            given = await self._answering.answered(wanting, given, codebase)
            await self._keep(wanting.key, given)

    async def _keep(self, key: AppKey, given: Given) -> None:
        """Durable before it counts."""
        name = f"{_PREFIX}{key}"
        stored = await self._store.get(name)
        await self._store.put(name, to_document(given), expected=stored.revision if stored else 0)
        self._given[key] = given

    def _told(self, key: AppKey) -> None:
        self._versions[key] = self._versions.get(key, 0) + 1
        self._tell()


def _subject(wanting: Wanting) -> tuple[str, str]:
    return told_by(wanting.words), wanting.code


def _lacks(wanting: Wanting, given: Given) -> bool:
    """Words that nobody read, or questions that were not put about this very code."""
    open_ = {one.id for one in wanting.draft.questions}
    if given.words != told_by(wanting.words):
        return True
    return bool(open_) and not (given.code == wanting.code and open_ <= given.asked)
