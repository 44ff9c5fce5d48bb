"""The event stream in virtual time: what Nomad and the network do to it, told as the lines that arrive and when."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from desired.app import AppKey
from desired.errors import DeadlineExceeded, Forbidden, Unavailable, Unsupported
from observers.nomad.connection import Connection
from observers.nomad.namespaces import watch_namespaces
from observers.nomad.stream import EventStream, doubling
from observers.nomad.stream_items import Connected, Disconnected, Event, Missed, StreamItem
from tests import virtual_time

TOKEN = "5f2f1c1e-secret-token"


def line(index: int, *keys: str, topic: str = "Job", namespace: str = "default") -> bytes:
    told = [
        {"Topic": topic, "Type": "JobRegistered", "Key": key, "Namespace": namespace, "Index": index, "Payload": {}}
        for key in keys
    ]
    return json.dumps({"Index": index, "Events": told}).encode() + b"\n"


BEAT = b"{}\n"


@dataclass(slots=True)
class Hang:
    """The connection stays open and says nothing more."""


@dataclass(slots=True)
class After:
    seconds: float
    piece: bytes


# One connection: pieces as they come; it ends after the last one.
Script = list[bytes | After | Hang | Exception]


@dataclass(slots=True)
class Body(httpx.AsyncByteStream):
    script: Script
    closed: Callable[[], None]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self.script:
            if isinstance(step, Hang):
                await asyncio.Event().wait()
            elif isinstance(step, Exception):
                raise step
            elif isinstance(step, After):
                await asyncio.sleep(step.seconds)
                yield step.piece
            else:
                yield step

    async def aclose(self) -> None:
        self.closed()


@dataclass(slots=True)
class Nomad(httpx.AsyncBaseTransport):
    """Answers each subscription with the next script, and ordinary reads with `jobs`."""

    scripts: list[Script | httpx.Response | Exception]
    jobs: httpx.Response | Exception = field(default_factory=lambda: httpx.Response(200, json=[]))
    asked: list[tuple[float, httpx.Request]] = field(default_factory=list)
    open_now: int = 0
    open_at_most: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((asyncio.get_running_loop().time(), request))
        if request.url.path != "/v1/event/stream":
            if isinstance(self.jobs, Exception):
                raise self.jobs
            return self.jobs
        if not self.scripts:
            await asyncio.Event().wait()
        script = self.scripts.pop(0)
        if isinstance(script, Exception):
            raise script
        if isinstance(script, httpx.Response):
            return script
        self.open_now += 1
        self.open_at_most = max(self.open_at_most, self.open_now)
        return httpx.Response(200, stream=Body(script, self._closed))

    def _closed(self) -> None:
        self.open_now -= 1

    @property
    def subscriptions(self) -> list[tuple[float, httpx.Request]]:
        return [(at, request) for at, request in self.asked if request.url.path == "/v1/event/stream"]


def stream_of(nomad: Nomad, **settings: Any) -> EventStream:
    connection = settings.pop("connection", None) or Connection(token=settings.pop("token", None))
    return EventStream(
        connection=connection,
        transport=nomad,
        delay=settings.pop("delay", lambda failures: timedelta(seconds=2 ** (failures - 1))),
        clock=lambda: asyncio.get_running_loop().time(),
        **settings,
    )


def follow(nomad: Nomad, *, seconds: float, **settings: Any) -> list[StreamItem]:
    """Everything that a consumer sees in that many seconds."""

    async def main() -> list[StreamItem]:
        found: list[StreamItem] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), aclosing(stream_of(nomad, **settings).items()) as items:
                async for item in items:
                    found.append(item)
        return found

    return virtual_time.run(main())


def keys(items: list[StreamItem]) -> list[str]:
    return [item.key.name for item in items if isinstance(item, Event) and item.key]


def kinds(items: list[StreamItem]) -> list[type]:
    return [type(item) for item in items]


def disconnections(items: list[StreamItem]) -> list[Disconnected]:
    return [item for item in items if isinstance(item, Disconnected)]


def test_the_consumer_lists_once_nomad_has_accepted_and_hears_events_after_that() -> None:
    nomad = Nomad([[BEAT, line(5, "web", "api"), BEAT, line(9, "web"), Hang()]])
    items = follow(nomad, seconds=10)
    assert items[0] == Connected("*", 0)
    assert [(item.key, item.index) for item in items[1:] if isinstance(item, Event)] == [
        (AppKey("default", "web"), 5),
        (AppKey("default", "api"), 5),
        (AppKey("default", "web"), 9),
    ]


def test_topics_are_always_named_and_never_all_of_them() -> None:
    """Without a name, or with `*`, Nomad wants a management token."""
    nomad = Nomad([[BEAT, Hang()]])
    follow(nomad, seconds=1, connection=Connection(token=TOKEN, region="eu"))
    request = nomad.asked[0][1]
    assert request.url.params.get_list("topic") == ["Allocation", "Deployment", "Evaluation", "Job"]
    assert request.url.params["namespace"] == "*" and request.url.params["region"] == "eu"
    assert "index" not in request.url.params and request.headers["X-Nomad-Token"] == TOKEN


def test_an_accepted_stream_that_stays_silent_is_a_refusal_and_the_reason_is_asked_for() -> None:
    nomad = Nomad([[Hang()]], jobs=httpx.Response(403, text="Permission denied"))
    items = follow(nomad, seconds=5.5, token=TOKEN)
    (gone,) = disconnections(items)
    assert kinds(items) == [Disconnected] and type(gone.error) is Forbidden
    assert [(at, request.url.path) for at, request in nomad.asked] == [(0, "/v1/event/stream"), (5, "/v1/jobs")]
    assert nomad.open_now == 0, "a refused connection is hung up on"


def test_a_token_that_may_list_but_not_read_events_is_told_what_it_lacks() -> None:
    (gone,) = disconnections(follow(Nomad([[Hang()]]), seconds=5.5, token=TOKEN))
    assert type(gone.error) is Forbidden and "read-job" in gone.error.hint and TOKEN not in str(gone.error)


def test_silence_without_a_token_is_not_blamed_on_one() -> None:
    (gone,) = disconnections(follow(Nomad([[Hang()]]), seconds=5.5))
    assert type(gone.error) is Unavailable


def test_when_the_question_for_the_reason_fails_too_that_is_the_reason() -> None:
    nomad = Nomad([[Hang()]], jobs=httpx.ConnectError("refused"))
    (gone,) = disconnections(follow(nomad, seconds=5.5, token=TOKEN))
    assert type(gone.error) is Unavailable


def test_two_heartbeats_missed_mean_a_dead_connection() -> None:
    nomad = Nomad([[BEAT, After(30, BEAT), After(30, line(4, "web")), Hang()], [BEAT, Hang()]])
    items = follow(nomad, seconds=130)
    (gone,) = disconnections(items)
    assert kinds(items) == [Connected, Event, Disconnected, Connected] and "65 s" in gone.error.message
    assert [at for at, _ in nomad.subscriptions] == [0, 60 + 65 + 1]


def test_heartbeats_alone_keep_a_connection_for_hours() -> None:
    nomad = Nomad([[BEAT, *[After(30, BEAT)] * 500, Hang()]])
    assert kinds(follow(nomad, seconds=500 * 30)) == [Connected]
    assert len(nomad.asked) == 1


def test_a_stream_goes_on_where_it_ended_and_tells_nothing_twice() -> None:
    nomad = Nomad(
        [
            [BEAT, line(5, "a"), line(7, "b"), line(7, "c")],
            [BEAT, line(7, "b"), line(7, "c"), line(8, "d"), Hang()],
        ]
    )
    items = follow(nomad, seconds=20)
    assert kinds(items) == [Connected, Event, Event, Event, Disconnected, Connected, Event]
    assert keys(items) == ["a", "b", "c", "d"]
    assert nomad.asked[1][1].url.params["index"] == "7"


def test_a_line_cut_off_in_the_middle_comes_whole_after_reconnecting() -> None:
    whole = line(6, "b")
    nomad = Nomad([[BEAT, line(5, "a"), whole[:20]], [BEAT, line(5, "a"), whole[:30], whole[30:], Hang()]])
    assert keys(follow(nomad, seconds=20)) == ["a", "b"]


def test_a_backlog_that_rolled_over_is_told() -> None:
    nomad = Nomad([[BEAT, line(5, "a")], [BEAT, line(300, "b"), Hang()]])
    items = follow(nomad, seconds=20)
    assert kinds(items) == [Connected, Event, Disconnected, Connected, Missed, Event]


def test_a_cluster_that_was_restored_to_an_older_state_is_listed_again() -> None:
    nomad = Nomad([[BEAT, line(500, "a")], [BEAT, After(1, line(40, "b")), line(41, "c"), Hang()]])
    items = follow(nomad, seconds=20)
    assert kinds(items) == [Connected, Event, Disconnected, Connected, Missed, Event, Event]
    assert keys(items) == ["a", "b", "c"]


def test_a_server_restarted_with_an_empty_buffer_is_listed_again() -> None:
    nomad = Nomad([[BEAT, line(5, "a")], httpx.ConnectError("refused"), [BEAT, Hang()]])
    items = follow(nomad, seconds=20)
    assert kinds(items) == [Connected, Event, Disconnected, Disconnected, Connected]


def test_lines_that_make_no_sense_are_told_and_survived() -> None:
    nomad = Nomad([[BEAT, b"not json\n", b'{"Events": 7}\n', b"[1]\n", b"\n", b"\xff\xfe\n", line(5, "a"), Hang()]])
    items = follow(nomad, seconds=5)
    assert kinds(items) == [Connected, Missed, Missed, Missed, Missed, Event]


def test_a_line_that_is_too_long_costs_a_listing_and_no_memory() -> None:
    piece = b"x" * 1024 * 1024
    nomad = Nomad([[BEAT, *[piece] * 20, b"\n", line(5, "a"), Hang()]])
    assert kinds(follow(nomad, seconds=5)) == [Connected, Missed, Event]


def test_failures_in_a_row_are_waited_out_longer_and_longer_until_one_connection_was_good() -> None:
    refused: list[Any] = [httpx.ConnectError("refused") for _ in range(4)]
    nomad = Nomad([*refused, [BEAT, After(20, BEAT)], [BEAT], [BEAT], [BEAT, Hang()]])
    gone = disconnections(follow(nomad, seconds=60))
    assert [one.retry_in.total_seconds() for one in gone] == [1, 2, 4, 8, 1, 2, 4]


def test_waits_are_doubled_capped_and_spread() -> None:
    shortest, longest = doubling(lambda: 0.0), doubling(lambda: 0.999999)
    seconds = [longest(failures).total_seconds() for failures in range(1, 200)]
    assert seconds == sorted(seconds) and max(seconds) <= 30 < max(seconds) + 0.01
    assert all(shortest(n).total_seconds() * 2 >= longest(n).total_seconds() for n in range(1, 200))


def test_an_answer_that_refuses_is_read_for_its_meaning() -> None:
    nomad = Nomad(
        [
            httpx.Response(500, text="EventBroker not configured"),
            httpx.Response(403, text=f"Permission denied for {TOKEN}"),
            httpx.Response(502, text="<html>"),
            [Hang()],
        ]
    )
    gone = disconnections(follow(nomad, seconds=8, token=TOKEN))
    assert [type(one.error) for one in gone] == [Unsupported, Forbidden, Unavailable]
    assert not any(TOKEN in one.error.message for one in gone)


def test_headers_that_never_come_are_not_waited_for() -> None:
    gone = disconnections(follow(Nomad([]), seconds=5.5))
    assert [type(one.error) for one in gone] == [DeadlineExceeded]


def test_a_connection_that_breaks_is_taken_up_again() -> None:
    breaks = [httpx.ReadError("reset"), httpx.RemoteProtocolError("cut"), ConnectionResetError()]
    nomad = Nomad([[BEAT, line(5, "a"), one] for one in breaks] + [[BEAT, line(5, "a"), line(6, "b"), Hang()]])
    items = follow(nomad, seconds=60)
    assert keys(items) == ["a", "b"] and len(disconnections(items)) == 3


@pytest.mark.parametrize(("seen", "used"), [(True, ["old", "new", "new"]), (False, ["old", "old", "new"])])
def test_a_token_renewed_in_its_file_is_used_at_the_latest_after_a_refusal(
    tmp_path: Path, seen: bool, used: list[str]
) -> None:
    """Also on a file system whose times are too coarse to show the change."""
    file = tmp_path / "token"
    file.write_text("old", encoding="utf-8")
    before = file.stat().st_mtime_ns
    nomad = Nomad([[BEAT], [Hang()], [BEAT, Hang()]])

    async def main() -> None:
        stream = stream_of(nomad, connection=Connection(token_file=file))
        async with asyncio.timeout(60), aclosing(stream.items()) as items:
            async for item in items:
                if isinstance(item, Disconnected):
                    file.write_text("new", encoding="utf-8")
                    changed = before + 1_000_000_000 if seen else before
                    os.utime(file, ns=(changed, changed))
                if isinstance(item, Connected) and len(nomad.subscriptions) == 3:
                    return

    virtual_time.run(main())
    assert [request.headers["X-Nomad-Token"] for _, request in nomad.subscriptions] == used


def test_several_namespaces_are_several_subscriptions_that_fail_apart() -> None:
    def by_namespace(request: httpx.Request) -> str:
        return request.url.params["namespace"]

    nomad = Nomad([[BEAT, line(5, "a"), Hang()], [BEAT], [BEAT, Hang()]])
    items = follow(nomad, seconds=10, namespaces=("team-b", "team-a", "team-b"))
    assert sorted(by_namespace(request) for _, request in nomad.subscriptions[:2]) == ["team-a", "team-b"]
    assert nomad.open_at_most == 2 and keys(items) == ["a"]
    (gone,) = disconnections(items)
    again = by_namespace(nomad.subscriptions[2][1])
    assert gone.namespace == again


def test_resubscribing_loses_no_event_and_tells_none_twice() -> None:
    class Buffer(Nomad):
        """Holds two thousand transactions, and delivers from the index that is asked for."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.asked.append((0, request))
            start = int(request.url.params.get("index", "1"))
            script: Script = [BEAT, *[line(index, f"job-{index}") for index in range(start, 2001)], Hang()]
            return httpx.Response(200, stream=Body(script, lambda: None))

    async def main() -> list[StreamItem]:
        stream, found = stream_of(nomad), []
        async with asyncio.timeout(100), aclosing(stream.items()) as items:
            async for item in items:
                found.append(item)
                if len(found) in (2, 700, 1400):
                    stream.resubscribe()
                if keys(found[-1:]) == ["job-2000"]:
                    break
        return found

    nomad = Buffer([])
    items = virtual_time.run(main())
    assert keys(items) == [f"job-{index}" for index in range(1, 2001)]
    assert len(nomad.asked) == 4 and set(kinds(items)) == {Connected, Event}


def test_resubscribing_does_not_wait_for_the_next_heartbeat() -> None:
    nomad = Nomad([[BEAT, Hang()], [BEAT, Hang()]])

    async def main() -> float:
        stream = stream_of(nomad)
        async with asyncio.timeout(100), aclosing(stream.items()) as items:
            await anext(items)
            asyncio.get_running_loop().call_later(3, stream.resubscribe)
            await anext(items)
        return asyncio.get_running_loop().time()

    assert virtual_time.run(main()) < 3.5
    assert nomad.open_now == 0 and nomad.open_at_most == 1


def test_a_slow_consumer_holds_the_stream_up_instead_of_filling_the_memory() -> None:
    delivered = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal delivered
        yield BEAT
        while True:
            delivered += 1
            yield line(delivered, f"job-{delivered}")

    class Endless(Nomad):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, content=endless())

    async def main() -> None:
        async with aclosing(stream_of(Endless([])).items()) as items:
            await anext(items)
            await asyncio.sleep(100)

    virtual_time.run(main())
    assert delivered < 1000


def test_closing_the_flow_hangs_up() -> None:
    nomad = Nomad([[BEAT, Hang()]])
    follow(nomad, seconds=3)
    assert nomad.open_at_most == 1 and nomad.open_now == 0


def test_every_subscription_is_counted() -> None:
    counted: list[tuple[str, str, int]] = []
    nomad = Nomad([[BEAT], httpx.ConnectError("refused"), [Hang()]])
    follow(nomad, seconds=20, on_request=lambda *one: counted.append(one[:3]))
    assert counted[:4] == [
        ("event/stream", "GET", 200),
        ("event/stream", "GET", 0),
        ("event/stream", "GET", 200),
        ("jobs", "GET", 200),
    ]


def test_a_new_namespace_is_noticed_and_one_unreadable_list_is_not_a_change() -> None:
    lists: list[Any] = [("a",), ("a",), Unavailable("down"), ("a",), ("a", "b"), ("a", "b"), ("b",)]
    changes: list[float] = []

    async def names() -> tuple[str, ...]:
        now = lists.pop(0) if lists else ("b",)
        if isinstance(now, Exception):
            raise now
        return now  # type: ignore[no-any-return]

    async def main() -> None:
        loop = asyncio.get_running_loop()
        watching: Coroutine[Any, Any, None] = watch_namespaces(
            names=names, changed=lambda: changes.append(loop.time()), sleep=asyncio.sleep, every=timedelta(seconds=60)
        )
        await asyncio.wait_for(watching, 900)

    with suppress(TimeoutError):
        virtual_time.run(main())
    assert changes == [240, 360]
