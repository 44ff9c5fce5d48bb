"""Delivery: soon, not too often, again where that may help, counted where it is lost, and nobody waits for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import structlog

from nomad_operator.log import Outages
from nomad_operator.metrics import Metrics
from nomad_operator.news.delivery import Notifier, Receiver
from nomad_operator.news.notice import Kind, Notice, Topic
from nomad_operator.news.target import targets
from nomad_operator.news.words import Words
from tests import virtual_time

AT = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "T0pSecretPath"


def notice(app: str, state: str = "False") -> Notice:
    return Notice(Kind.UNREADY, Topic(app, "ready"), state, AT, f"{app} {state}")


class Told:
    """A receiver that answers as it is told to; what it got, and when, in virtual seconds."""

    def __init__(self, *answers: int | Exception | dict[str, str]) -> None:
        self.answers = list(answers)
        self.got: list[tuple[float, dict[str, Any]]] = []
        self.tries: list[float] = []
        self.metrics = Metrics(version="1")

    async def handle(self, request: httpx.Request) -> httpx.Response:
        now = asyncio.get_running_loop().time()
        self.tries.append(now)
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, dict):
            return httpx.Response(429, headers=answer)
        if answer == 200:
            self.got.append((now, json.loads(request.content)))
        return httpx.Response(answer)

    def notifier(self, *, words: str = "{{ total }}: {{ shown[0].title }}", interval: float = 10) -> Notifier:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.handle))
        loop = asyncio.get_running_loop()
        (target,) = targets(f"https://chat.example/{SECRET}")
        receiver = Receiver(
            target=target, kinds=Kind, words=Words(form=target.form, template=words), client=client,
            interval=timedelta(seconds=interval), counted=self.metrics,
            outages=Outages(log=structlog.get_logger(), clock=loop.time), clock=loop.time, sleep=asyncio.sleep,
            random=lambda: 0.5,
        )  # fmt: skip
        return Notifier(receivers=[receiver], client=client)

    def counted(self, result: str) -> float:
        labels = {"form": "json", "result": result}
        return self.metrics.registry.get_sample_value("nomad_operator_notifications_total", labels) or 0.0


def story(told: Told, tell: Callable[[Notifier], Awaitable[None]], **options: Any) -> str:
    """Runs it in virtual time; what was logged."""

    async def run() -> None:
        notifier = told.notifier(**options)
        running = asyncio.create_task(notifier.run())
        await tell(notifier)
        running.cancel()
        await asyncio.wait([running])
        await notifier.aclose()

    with structlog.testing.capture_logs() as logs:
        virtual_time.run(run())
    return "\n".join(map(str, logs))


def test_one_notice_is_told_within_seconds() -> None:
    told = Told()

    async def tell(notifier: Notifier) -> None:
        notifier.put(notice("default/web"))
        await asyncio.sleep(5)

    story(told, tell)
    assert [(at, message["text"]) for at, message in told.got] == [(2.0, "1: default/web False")]
    assert (told.counted("sent"), told.counted("lost")) == (1, 0)


def test_a_storm_of_a_thousand_apps_is_one_message_and_what_follows_comes_with_the_next() -> None:
    told = Told()

    async def tell(notifier: Notifier) -> None:
        for number in range(1000):
            notifier.put(notice(f"default/{number:04}"))
        await asyncio.sleep(4)
        for number in range(1000, 1100):
            notifier.put(notice(f"default/{number:04}"))
            await asyncio.sleep(1)
        await asyncio.sleep(30)

    story(told, tell)
    assert told.got[0][1]["total"] == 1000
    assert sum(message["total"] for _, message in told.got) == 1100
    times = [at for at, _ in told.got]
    assert all(later - earlier >= 10 for earlier, later in pairwise(times))
    assert len(told.got) <= 13
    assert told.counted("sent") == 1100


def test_a_receiver_that_is_away_for_a_while_gets_it_later_and_that_is_said_once() -> None:
    told = Told(503, httpx.ConnectError("no"), httpx.ReadTimeout("slow"), 500, {"retry-after": "30"})

    async def tell(notifier: Notifier) -> None:
        notifier.put(notice("default/web"))
        await asyncio.sleep(120)

    logs = story(told, tell)
    assert [message["text"] for _, message in told.got] == ["1: default/web False"]
    waits = [later - earlier for earlier, later in pairwise(told.tries)]
    assert waits == [1, 2, 4, 8, 30]
    assert (told.counted("sent"), told.counted("lost")) == (1, 0)
    assert logs.count("dependency down") == 1 and logs.count("dependency back") == 1
    assert "json (chat.example)" in logs
    assert SECRET not in logs


def test_what_the_receiver_refuses_is_counted_as_lost_and_the_next_is_told() -> None:
    told = Told(404)

    async def tell(notifier: Notifier) -> None:
        notifier.put(notice("default/a"))
        notifier.put(notice("default/b"))
        await asyncio.sleep(30)
        notifier.put(notice("default/c"))
        await asyncio.sleep(30)

    logs = story(told, tell)
    assert [message["text"] for _, message in told.got] == ["1: default/c False"]
    assert (told.counted("sent"), told.counted("lost")) == (1, 2)
    assert "answered 404" in logs and SECRET not in logs


def test_a_receiver_that_is_never_there_costs_bounded_tries_and_all_is_counted() -> None:
    told = Told(*[httpx.ConnectError("no")] * 10_000)

    async def tell(notifier: Notifier) -> None:
        for number in range(100):
            notifier.put(notice(f"default/{number}"))
            await asyncio.sleep(60)
        await asyncio.sleep(3600)

    story(told, tell)
    assert (told.counted("sent"), told.counted("lost")) == (0, 100)
    assert len(told.tries) < 300


def test_putting_news_never_waits() -> None:
    """Also while the receiver hangs: whoever puts it is in the middle of a pass."""
    told = Told()

    async def hang(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(3600)
        return httpx.Response(200)

    told.handle = hang  # type: ignore[method-assign]

    async def tell(notifier: Notifier) -> None:
        await asyncio.sleep(1)
        before = asyncio.get_running_loop().time()
        for number in range(30_000):
            notifier.put(notice(f"default/{number}"))
        assert asyncio.get_running_loop().time() == before
        await asyncio.sleep(5)

    story(told, tell)
    assert told.counted("lost") == 30_000, "10,000 found no room; of the rest the daemon's end is the end"


def test_what_waits_when_the_daemon_ends_is_tried_once_more() -> None:
    told = Told()

    async def tell(notifier: Notifier) -> None:
        await asyncio.sleep(1)
        notifier.put(notice("default/web"))

    story(told, tell)
    assert [at for at, _ in told.got] == [1.0]
    failing = Told(503, 503, 503)

    async def tell_later(notifier: Notifier) -> None:
        notifier.put(notice("default/web"))
        await asyncio.sleep(2.5)

    story(failing, tell_later)
    assert (failing.counted("sent"), failing.counted("lost"), len(failing.tries)) == (0, 1, 2)


def test_a_template_that_fails_on_real_news_does_not_silence_them() -> None:
    told = Told()

    async def tell(notifier: Notifier) -> None:
        notifier.put(notice("default/web"))
        await asyncio.sleep(5)

    story(
        told, tell, words="{% if shown[0].app == 'default/web' and total == 1 %}{{ shown[0].commands[0] }}{% endif %}"
    )
    text = told.got[0][1]["text"]
    assert text.startswith("default/web False")
    assert "the template failed" in text
