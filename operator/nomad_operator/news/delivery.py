"""Tells receivers what is new: one message at a time, not too often, again where that may help, and never in the way.

Each receiver has what waits for it, bounded, and a task of its own. Whatever puts news only adds to that: a pass is
never kept waiting by a chat server. What cannot be told in the end is counted, and said once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Protocol

import httpx

from nomad_operator.news.notice import Kind, Notice, Topic
from nomad_operator.news.pending import Pending
from nomad_operator.news.target import Target
from nomad_operator.news.words import DEFAULT, TemplateProblem, Words, body

# News of one cause come within this time of each other.
_GATHER_SECONDS = 2.0
_TIMEOUT_SECONDS = 10.0
_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 60.0
# After this it is no news any more; about a quarter of an hour.
_ATTEMPTS = 20
# Source: RFC 9110: too early, too many requests and what a server could not do may be tried again.
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LAST_WORDS_SECONDS = 2.0


class Counted(Protocol):
    """Where notices are counted."""

    def notified(self, form: str, result: str, notices: int) -> None: ...


class Outages(Protocol):
    """One line when a receiver goes away, and one when it is back."""

    def report(self, service: str, problem: str | None, *, hint: str = "") -> bool: ...


class Receiver:
    """One receiver: what waits for it, and the loop that tells it."""

    def __init__(
        self,
        *,
        target: Target,
        kinds: Collection[Kind],
        words: Words,
        interval: timedelta,
        client: httpx.AsyncClient,
        counted: Counted,
        outages: Outages,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        random: Callable[[], float],
    ) -> None:
        self._target = target
        self._pending = Pending(kinds=kinds)
        self._words = words
        self._plain_words = Words(form=target.form, template=DEFAULT)
        self._interval = max(interval.total_seconds(), _GATHER_SECONDS)
        self._client = client
        self._counted = counted
        self._outages = outages
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._news = asyncio.Event()
        self._unsent: tuple[Notice, ...] = ()

    def put(self, notice: Notice) -> None:
        """Never blocks."""
        if not self._pending.put(notice):
            self._counted.notified(self._target.form.value, "lost", 1)
        self._news.set()

    def settle(self, topic: Topic) -> None:
        self._pending.settle(topic)

    def forget(self, app: str) -> None:
        self._pending.forget(app)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            # A single one waits so long for its like; a storm is one message each interval.
            await self._sleep(_GATHER_SECONDS)
            while (due := self._pending.due_at()) is not None:
                if (wait := due - self._clock()) > 0:
                    # Not longer: what comes meanwhile may be due at once.
                    await self._sleep(min(wait, self._interval))
                    continue
                if news := self._pending.take(self._clock()):
                    await self._tell(news)
                    await self._sleep(self._interval)

    async def last_words(self) -> None:
        """What waits is tried once: the daemon ends."""
        news = (*self._unsent, *self._pending.take(float("inf")))
        if not news:
            return
        sent = False
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                sent = (await self._post(self._message(news)))[0] == ""
        self._count(news, sent=sent)

    async def _tell(self, news: tuple[Notice, ...]) -> None:
        self._unsent = news
        message = self._message(news)
        for attempt in range(_ATTEMPTS):
            problem, again, wait = await self._post(message)
            self._outages.report(self._target.name, problem or None, hint="see NOMAD_OPERATOR_NOTIFY_URLS")
            if not problem:
                self._count(news, sent=True)
                return
            if not again:
                break
            backoff = min(_FIRST_SECONDS * 2**attempt, _LONGEST_SECONDS) * (0.5 + self._random())
            await self._sleep(max(wait, backoff))
        self._count(news, sent=False)

    def _count(self, news: Sequence[Notice], *, sent: bool) -> None:
        self._unsent = ()
        self._counted.notified(self._target.form.value, "sent" if sent else "lost", len(news))

    def _message(self, news: Sequence[Notice]) -> Mapping[str, Any]:
        try:
            text = self._words.text(news)
        except TemplateProblem as problem:
            # What the template was not tried on: it is told in our words rather than not at all.
            text = f"{self._plain_words.text(news)}\n\n(the template failed: {problem})"
        return body(self._target.form, text, news)

    async def _post(self, message: Mapping[str, Any]) -> tuple[str, bool, float]:
        """What went wrong, empty if nothing; whether to try again; and the seconds that the receiver wants.

        The address never stands in the problem: httpx puts it into messages of its own.
        """
        try:
            async with self._client.stream("POST", self._target.url, json=message, timeout=_TIMEOUT_SECONDS) as answer:
                status, headers = answer.status_code, answer.headers
        except httpx.TimeoutException:
            return "no answer in time", True, 0.0
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"cannot be reached ({type(error).__name__})", True, 0.0
        if 200 <= status < 300:
            return "", False, 0.0
        return f"answered {status}", status in _AGAIN, _retry_after(headers.get("retry-after", ""))


class Notifier:
    """All receivers as one: implements `nomad_operator.news.of_apps.Desk`."""

    def __init__(self, *, receivers: Sequence[Receiver], client: httpx.AsyncClient) -> None:
        self._receivers = receivers
        self._client = client

    def put(self, notice: Notice) -> None:
        for one in self._receivers:
            one.put(notice)

    def settle(self, topic: Topic) -> None:
        for one in self._receivers:
            one.settle(topic)

    def forget(self, app: str) -> None:
        for one in self._receivers:
            one.forget(app)

    async def run(self) -> None:
        """Until it is cancelled; then what waits is tried once more, for two seconds at most."""
        try:
            async with asyncio.TaskGroup() as group:
                for one in self._receivers:
                    group.create_task(one.run(), name="notify")
        finally:
            await asyncio.gather(*(one.last_words() for one in self._receivers))

    async def aclose(self) -> None:
        await self._client.aclose()


def _retry_after(told: str) -> float:
    """Seconds; a date, or nonsense, is none. Source: RFC 9110, "Retry-After"; Discord sends a fraction."""
    try:
        seconds = float(told)
    except ValueError:
        return 0.0
    return min(max(seconds, 0.0), 300.0) if seconds == seconds else 0.0
