"""A copy that does not act shows the page of the one that does, says so, and says why where it cannot."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr

from nomad_operator.copies.follower import Follower
from nomad_operator.copies.mailbox import Outbox
from nomad_operator.metrics import Metrics
from nomad_operator.page.gate import HEADERS
from nomad_operator.page.hosts import Hosts
from nomad_operator.page.readers import Readers
from nomad_operator.page.site import Site
from nomad_operator.web_server import WebServer
from reconcilers.memory_store import MemoryStore
from tests.unit.page.shown_fleet import API_TOKEN, READ_TOKEN, FakeShown, app, web


@asynccontextmanager
async def following(leader: Mapping[str, str], *, read_token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    token = SecretStr(read_token) if read_token is not None else None
    follower = Follower(
        outbox=Outbox(store=MemoryStore(), new_id=lambda: "one"),
        leader=lambda: leader,
        missing=list,
        metrics=Metrics(version="0"),
        api_token=SecretStr(API_TOKEN),
        webhook_secret=None,
        host="here",
        site=Site(
            readers=Readers(read_token=token, api_token=SecretStr(API_TOKEN), now=lambda: 1000.0),
            hosts=Hosts(listens="", names=()),
        ),
    )
    transport = httpx.ASGITransport(app=follower.application())
    async with httpx.AsyncClient(transport=transport, base_url="http://follower") as client:
        yield client
    await follower.aclose()


@asynccontextmanager
async def leading(shown: FakeShown, *, read_token: str | None = None) -> AsyncIterator[Mapping[str, str]]:
    application = web(shown, read_token=read_token, alone=False).application()
    server = await WebServer.start(application, host="127.0.0.1", port=0)
    yield {"name": "leader", "host": "here", "address": server.address}
    await server.stop()


async def test_its_page_is_that_of_the_copy_that_acts_and_says_so() -> None:
    shown = FakeShown(app("default/web"), app("default/odd$(name)"))
    async with leading(shown) as leader, following(leader) as client:
        for path in ("/", "/apps/default/odd%24%28name%29", "/repairs", "/services", "/parts/fleet?key=default/web"):
            answer = await client.get(path)
            assert answer.status_code == 200, path
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS
            if not path.startswith("/parts/"):
                assert "you ask a copy that does not act" in answer.text
        assert (await client.get("/apps/default/none")).status_code == 404
        assert (await client.get("/assets/page.css")).headers["content-type"].startswith("text/css")


async def test_what_is_packed_stays_packed_and_what_is_known_is_not_sent_again() -> None:
    async with leading(FakeShown()) as leader, following(leader) as client:
        plain = await client.get("/", headers={"accept-encoding": "identity"})
        async with client.stream("GET", "/", headers={"accept-encoding": "gzip"}) as answer:
            assert answer.headers["content-encoding"] == "gzip"
            assert gzip.decompress(b"".join([piece async for piece in answer.aiter_raw()])) == plain.content
        again = await client.get("/", headers={"if-none-match": plain.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("leader", "said"),
    [
        ({}, "no copy acts yet"),
        ({"name": "one", "host": "there", "address": "http://127.0.0.1:1"}, "names no address"),
        ({"name": "one", "host": "here", "address": "http://127.0.0.1:1"}, "cannot be reached"),
    ],
)
async def test_where_the_acting_copy_cannot_be_asked_the_page_says_why(leader: Mapping[str, str], said: str) -> None:
    async with following(leader) as client:
        for path in ("/", "/apps/default/web", "/repairs"):
            answer = await client.get(path)
            assert answer.status_code == 503 and said in answer.text
            assert 'data-page="follower"' in answer.text and answer.headers["content-type"].startswith("text/html")
        assert said in (await client.get("/api/v1/status")).json()["error"]
        assert said in (await client.get("/parts/fleet")).json()["error"]


async def test_whoever_logs_in_at_one_copy_reads_at_all() -> None:
    async with (
        leading(FakeShown(), read_token=READ_TOKEN) as leader,
        following(leader, read_token=READ_TOKEN) as client,
    ):
        assert (await client.get("/")).headers["location"] == "/login"
        assert (await client.get("/api/v1/status")).status_code == 401
        await client.post("/login", data={"token": READ_TOKEN})
        assert "default/" in (await client.get("/")).text
        assert (await client.get("/api/v1/status")).json()["operator"]["leader"] is False
        client.cookies.clear()
        bearer = {"authorization": f"Bearer {READ_TOKEN}"}
        assert (await client.get("/api/v1/status", headers=bearer)).status_code == 200
