"""The embedded Nomad reached as the operator reaches a real one: in process, and over a port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import httpx

from desired.app import AppKey
from desired.state import HclSource
from nomad_operator.embedded.server import serve
from nomad_operator.embedded.transport import HttpxTransport, session
from nomad_operator.embedded.world import World
from observers.nomad.client import NomadClient
from observers.nomad.connection import Connection
from observers.nomad.stream import EventStream
from observers.nomad.stream_items import Connected, Event
from tests.unit.embedded.embedded_cluster import Cluster, job

T = TypeVar("T")
KEY = AppKey("default", "web")
HCL = """
job "web" {
  group "web" {
    task "app" {
      driver = "docker"
      config { image = "app:1" }
    }
  }
}
"""


def in_place(work: Callable[[], T], /) -> Awaitable[T]:
    async def run() -> T:
        return work()

    return run()


async def test_the_operators_own_client_deploys_on_it_without_a_socket() -> None:
    cluster = Cluster()
    client = NomadClient(connection=Connection(), session=session(cluster.nomad), offload=in_place)
    body = await client.parse(HclSource(HCL))
    assert (await client.validate(body))[0] == ()
    plan = await client.plan(KEY, body)
    assert plan.index == 0
    await client.register(body, index=plan.index, submission=None)
    cluster.run(30)
    running = await client.running(KEY)
    assert running.job is not None
    assert [one.client_status for one in running.allocations] == ["running"]
    fleet = await client.fleet([KEY])
    assert fleet.entries[KEY].counts == {"running": 1}
    assert (await client.agent()).version == "2.0.5"
    await client.aclose()


async def test_the_operators_own_stream_follows_it_without_a_socket() -> None:
    cluster = Cluster()
    stream = EventStream(connection=Connection(), transport=HttpxTransport(cluster.nomad))
    async with asyncio.timeout(20), aclosing(stream.items()) as items:
        assert isinstance(await anext(items), Connected)
        cluster.register(job())
        event = await anext(items)
        assert isinstance(event, Event)
        assert event.key == KEY


async def test_a_blocking_query_lets_virtual_time_pass_until_something_changes() -> None:
    cluster = Cluster()
    cluster.register(job())
    async with httpx.AsyncClient(transport=HttpxTransport(cluster.nomad), base_url="http://nomad") as http:
        first = await http.get("/v1/jobs")
        index = first.headers["X-Nomad-Index"]
        second = await http.get("/v1/jobs", params={"index": index, "wait": "30s"})
    assert int(second.headers["X-Nomad-Index"]) > int(index)
    assert 0 < (cluster.nomad.now.timestamp() - 1767225600) < 30


async def test_on_a_port_it_answers_streams_and_wakes_blocking_queries() -> None:
    serving = await serve(World())
    try:
        async with asyncio.timeout(30), httpx.AsyncClient(base_url=serving.address, timeout=20) as http:
            index = (await http.get("/v1/jobs")).headers["X-Nomad-Index"]
            blocked = asyncio.create_task(http.get("/v1/jobs", params={"index": index, "wait": "20s"}))
            async with http.stream("GET", "/v1/event/stream", params={"topic": "Job"}) as stream:
                lines = stream.aiter_lines()
                assert await anext(lines) == "{}"
                registered = await http.post("/v1/jobs", json={"Job": job()})
                assert registered.status_code == 200
                assert '"JobRegistered"' in await anext(lines)
            woken: Any = (await blocked).json()
            assert [one["ID"] for one in woken] == ["web"]
            quoted = await http.get("/v1/job/no%2Fsuch%20job")
            assert (quoted.status_code, quoted.text) == (404, "job not found")
            assert quoted.headers["Content-Type"] == "text/plain; charset=utf-8"
    finally:
        await serving.stop()
