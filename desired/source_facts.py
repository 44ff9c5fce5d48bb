"""Facts of code, kept by what the code is: the same folder content is analysed once, whatever is committed beside it.

An analysis runs in a thread of its own, never on the event loop. It ends at its deadline: nobody waits longer, and the
thread stops at the next file that it asks for. One that would not end even so takes its place away from later ones
until it does, so that hostile code costs its own app and no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta

from desired.errors import DeadlineExceeded, InvalidDesired, OperatorError, Unavailable
from desired.facts.analyze import Analysis, analyze
from desired.facts.codebase import Codebase
from desired.facts.facts import Facts
from desired.problem import Problem

_KEPT = 2000
_AT_ONCE = 2
# Analyses past their deadline whose threads still run; then no more are begun.
_STUCK_AT_MOST = 4
# More than this many variables, ports, … is no app that anybody wrote.
_MOST_FACTS = 2000

Analyze = Callable[[Codebase, str | None], Analysis]


@dataclass(frozen=True, slots=True)
class Key:
    """`folder` is the id of the folder's content; `name` what the codebase is called, a name of last resort."""

    folder: str
    name: str
    dockerfile: str | None = None


class _Stopped(Exception):
    """Nobody waits for this analysis any more."""


class SourceFacts:
    """The cache. `count` tells how many analyses were begun."""

    def __init__(
        self, *, deadline: timedelta = timedelta(seconds=60), kept: int = _KEPT, analyze: Analyze = analyze
    ) -> None:
        self._deadline = deadline
        self._kept = kept
        self._analyze = analyze
        self._known: OrderedDict[Key, Analysis | InvalidDesired] = OrderedDict()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._stuck = 0
        self.count = 0

    def known(self, key: Key) -> Analysis | InvalidDesired | None:
        """What an earlier analysis came to; None if there was none."""
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
        return found

    async def of(self, key: Key, read: Callable[[], Awaitable[Codebase]]) -> Analysis:
        """The facts; `read` is asked for the code only where they are not known. Of one key, one at a time.

        Raises InvalidDesired (remembered: the same content says the same), DeadlineExceeded, and what `read` raises.
        """
        found = self.known(key)
        if found is None:
            async with self._places:
                try:
                    found = await self._analysed(key, read)
                except InvalidDesired as error:
                    found = error
            self._known[key] = found
            while len(self._known) > self._kept:
                self._known.popitem(last=False)
        if isinstance(found, InvalidDesired):
            raise InvalidDesired(found.problems, hint=found.hint)
        return found

    async def _analysed(self, key: Key, read: Callable[[], Awaitable[Codebase]]) -> Analysis:
        codebase = await read()
        if self._stuck >= _STUCK_AT_MOST:
            raise Unavailable(
                f"{key.name} cannot be analysed: {self._stuck} analyses of other code have not ended in their time",
                hint="the log and `status` name them; a restart ends them",
            )
        self.count += 1
        found = await self._in_thread(key, _Watched(codebase))
        return _without_what_no_job_has(found, key.name)

    async def _in_thread(self, key: Key, codebase: _Watched) -> Analysis:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Analysis] = loop.create_future()

        def told(outcome: Analysis | BaseException) -> None:
            if codebase.stopped:
                self._stuck -= 1
            elif not ended.done():
                if isinstance(outcome, BaseException):
                    ended.set_exception(outcome)
                else:
                    ended.set_result(outcome)

        def work() -> None:
            try:
                outcome: Analysis | BaseException = self._analyze(codebase, key.dockerfile)
            except _Stopped as error:
                outcome = error
            except OperatorError as error:
                outcome = error
            except (Exception, RecursionError, MemoryError) as error:
                # A bug that one codebase brings out must not take the others along; it is told with its app.
                message = f"cannot be analysed: {type(error).__name__} inside the operator"
                outcome = InvalidDesired((Problem(key.name, message=message),))
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(told, outcome)

        # Not one of the loop's own threads: those are for what surely ends, and are waited for at the end.
        threading.Thread(target=work, name=f"analyse {key.name}", daemon=True).start()
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                return await ended
        except TimeoutError:
            raise DeadlineExceeded(
                f"analysing {key.name} did not end within {self._deadline.total_seconds():g} s",
                hint="name the app's own folder as its source",
            ) from None
        finally:
            if not ended.done() or ended.cancelled():
                codebase.stopped = True
                self._stuck += 1


class _Watched:
    """The codebase, until nobody waits any more."""

    def __init__(self, codebase: Codebase) -> None:
        self._codebase = codebase
        self.stopped = False

    @property
    def name(self) -> str:
        return self._codebase.name

    @property
    def paths(self) -> tuple[str, ...]:
        self._go_on()
        return self._codebase.paths

    def text(self, path: str) -> str | None:
        self._go_on()
        return self._codebase.text(path)

    def _go_on(self) -> None:
        if self.stopped:
            raise _Stopped


def _without_what_no_job_has(found: Analysis, name: str) -> Analysis:
    """Libraries are of no use to a job, and are most of what is found."""
    apps = tuple(replace(one, facts=replace(one.facts, dependencies={})) for one in found.apps)
    number = sum(_number(one.facts) for one in apps)
    if number > _MOST_FACTS:
        problem = Problem(name, message=f"says {number} things about its apps, more than {_MOST_FACTS}")
        raise InvalidDesired((problem,), hint="name the app's own folder as its source")
    return replace(found, apps=apps)


def _number(facts: Facts) -> int:
    values = (getattr(facts, field.name) for field in fields(Facts))
    return sum(len(value) if isinstance(value, Mapping) else 1 for value in values if value is not None)
