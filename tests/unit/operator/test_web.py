"""The daemon's HTTP port: what it answers, to whom, and what it refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from desired.errors import UsageError
from nomad_operator.metrics import Metrics
from nomad_operator.web import Web
from nomad_operator.web_events import Broadcast
from nomad_operator.web_server import WebServer

TOKEN = "a-token-that-is-long-enough"
BEARER = {"authorization": f"Bearer {TOKEN}"}


def _client(backend: Any) -> httpx.AsyncClient:
    web = Web(backend=backend, metrics=Metrics(version="0"), api_token=SecretStr(TOKEN))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=web.application()), base_url="http://operator")


@pytest.fixture
async def client(backend: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(backend) as client:
        yield client


def _is_refusal(response: httpx.Response) -> bool:
    answer = response.json()
    return set(answer) == {"error", "hint"} and bool(answer["error"]) and "\n" not in answer["error"] + answer["hint"]


async def test_it_lives_before_it_is_ready_and_says_what_is_missing(client: httpx.AsyncClient, backend: Any) -> None:
    backend.not_read = ["git has not been read yet"]
    assert (await client.get("/healthz")).status_code == 200
    response = await client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"ready": False, "missing": ["git has not been read yet"]})
    backend.not_read = []
    assert (await client.get("/readyz")).status_code == 200


async def test_metrics_are_served_in_both_forms_without_a_redirect(client: httpx.AsyncClient) -> None:
    plain = await client.get("/metrics")
    assert plain.status_code == 200
    assert plain.headers["content-type"].startswith("text/plain")
    assert "nomad_operator_queue_depth 0.0" in plain.text
    openmetrics = await client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
    assert openmetrics.text.endswith("# EOF\n")


async def test_reading_needs_no_token(client: httpx.AsyncClient, backend: Any) -> None:
    assert (await client.get("/api/v1/status")).json() == backend.status()
    assert (await client.get("/api/v1/apps/default/web")).json()["key"] == "default/web"
    assert (await client.get("/api/v1/apps/web")).json()["key"] == "default/web"
    assert (await client.get("/api/v1/apps/nosuch")).json()["error"] == "no app nosuch"
    assert (await client.get("/api/v1/prune")).json() == backend.prune_candidates()


@pytest.mark.parametrize("path", ["default/team/deep", "default/team%2Fdeep"])
async def test_a_job_name_may_hold_slashes(client: httpx.AsyncClient, backend: Any, path: str) -> None:
    assert (await client.get(f"/api/v1/apps/{path}")).json()["key"] == "default/team/deep"
    response = await client.post(f"/api/v1/apps/{path}/reconcile", headers=BEARER)
    assert response.status_code == 200
    assert backend.asked == [("default/team/deep", "reconcile")]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": TOKEN},
        {"authorization": "Bearer "},
        {"authorization": f"Bearer {TOKEN}x"},
        {"x-forwarded-for": "127.0.0.1"},
    ],
)
@pytest.mark.parametrize(
    "path", ["/api/v1/apps/default/web/reconcile", "/api/v1/apps/default/none/x", "/api/v1/prune", "/hooks/git"]
)
async def test_whatever_changes_something_needs_the_token(
    client: httpx.AsyncClient, backend: Any, path: str, headers: dict[str, str]
) -> None:
    response = await client.post(path, headers=headers)
    assert response.status_code == 401
    assert _is_refusal(response)
    assert TOKEN not in response.text
    assert (backend.asked, backend.confirmed, backend.woken) == ([], False, 0)


async def test_a_wrong_token_is_called_wrong(client: httpx.AsyncClient) -> None:
    wrong = await client.post("/api/v1/prune", headers={"authorization": "Bearer no"})
    assert "the token that was sent is not the API token" in wrong.json()["error"]
    assert "needs the API token" in (await client.post("/api/v1/prune")).json()["error"]


async def test_with_the_token_commands_arrive(client: httpx.AsyncClient, backend: Any) -> None:
    for verb in ("reconcile", "resume"):
        assert (await client.post(f"/api/v1/apps/default/web/{verb}", headers=BEARER)).status_code == 200
    assert (await client.post("/api/v1/prune", headers=BEARER)).json()["apps"][0]["confirmed"] is True
    assert backend.asked == [("default/web", "reconcile"), ("default/web", "resume")]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/apps/default/none", 404),
        ("GET", "/api/v1/apps/bad_namespace/web", 404),
        ("POST", "/api/v1/apps/default/none/reconcile", 404),
        ("POST", "/api/v1/apps/default/web/frobnicate", 404),
        ("POST", "/api/v1/apps/default/web/adopt", 409),
        ("POST", "/api/v1/apps/default/web/suspend", 500),
        ("GET", "/api/v2", 404),
        ("DELETE", "/api/v1/status", 405),
    ],
)
async def test_what_cannot_be_done_is_one_line_and_a_hint(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await client.request(method, path, headers=BEARER)
    assert response.status_code == status
    assert _is_refusal(response)
    assert "secret" not in response.text


async def test_events_arrive_as_they_happen_with_heartbeats_between(backend: Any) -> None:
    web = Web(backend=backend, metrics=Metrics(version="0"), api_token=SecretStr(TOKEN), heartbeat_seconds=0.05)
    server = await WebServer.start(web.application(), host="127.0.0.1", port=0)
    try:
        async with (
            httpx.AsyncClient(base_url=server.address, trust_env=False) as client,
            client.stream("GET", "/api/v1/events") as response,
        ):
            assert response.headers["content-type"].startswith("text/event-stream")
            lines = response.aiter_lines()
            assert await anext(lines) == ": connected"
            seen = []
            while ": heartbeat" not in seen:
                seen.append(await anext(lines))
            backend.broadcast.publish({"app": "default/web", "message": "a\nb"})
            while not seen[-1].startswith("data: "):
                seen.append(await anext(lines))
            assert seen[-2] == "event: transition"
            assert json.loads(seen[-1].removeprefix("data: ")) == {"app": "default/web", "message": "a\nb"}
            backend.broadcast.close()
            assert "event: end" in [line async for line in lines]
    finally:
        await server.stop()


async def test_a_client_that_goes_away_is_forgotten(backend: Any) -> None:
    web = Web(backend=backend, metrics=Metrics(version="0"), api_token=SecretStr(TOKEN), heartbeat_seconds=0.02)
    server = await WebServer.start(web.application(), host="127.0.0.1", port=0)
    try:
        async with (
            httpx.AsyncClient(base_url=server.address, trust_env=False) as client,
            client.stream("GET", "/api/v1/events") as response,
        ):
            await anext(response.aiter_lines())
            assert len(backend.broadcast._listeners) == 1
        async with asyncio.timeout(5):
            while backend.broadcast._listeners:  # noqa: ASYNC110 (the server's own coroutine ends it)
                await asyncio.sleep(0.01)
    finally:
        await server.stop()


async def test_a_listener_that_does_not_keep_up_is_dropped_and_the_others_hear_everything() -> None:
    broadcast = Broadcast()
    with broadcast.subscribe() as slow, broadcast.subscribe() as quick:
        heard = 0
        for number in range(3000):
            broadcast.publish({"number": number})
            assert await quick.next() == {"number": number}
        while await slow.next() is not None:
            heard += 1
        assert 0 < heard < 3000
    broadcast.publish({})


async def test_a_port_that_is_taken_is_a_told_problem(backend: Any) -> None:
    web = Web(backend=backend, metrics=Metrics(version="0"), api_token=SecretStr(TOKEN))
    server = await WebServer.start(web.application(), host="127.0.0.1", port=0)
    try:
        port = int(server.address.rpartition(":")[2])
        with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{port}") as caught:
            await WebServer.start(web.application(), host="127.0.0.1", port=port)
        assert "NOMAD_OPERATOR_LISTEN" in caught.value.hint
    finally:
        await server.stop()


@pytest.mark.parametrize("body", [{"rollback": "yes"}, {"rollback": 1}, {"rollback": None}, {"rolback": True}])
async def test_a_kill_switch_that_is_asked_for_unclearly_is_refused_and_nothing_is_done(
    body: dict[str, Any], client: httpx.AsyncClient, backend: Any
) -> None:
    response = await client.post("/api/v1/repairs/stop", headers=BEARER, json=body)
    assert response.status_code == 400
    assert _is_refusal(response)
    assert next(iter(body)) in response.json()["error"]
    assert not backend.repairs_stopped


@pytest.mark.parametrize(
    ("body", "rolled_back"), [({"rollback": True}, True), ({"rollback": False}, False), ({}, False)]
)
async def test_stopping_repairs_puts_back_what_was_tried_only_where_that_is_asked_for(
    body: dict[str, Any], rolled_back: bool, client: httpx.AsyncClient, backend: Any
) -> None:
    response = await client.post("/api/v1/repairs/stop", headers=BEARER, json=body)
    assert response.status_code == 200
    assert backend.repairs_stopped
    assert backend.rolled_back is rolled_back


class _Plainly:
    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def of(self, story: Any) -> str:
        self.asked.append(story)
        return "It ran out of memory." if story["episode"] else "never asked"


async def test_a_story_has_plain_words_where_somebody_has_them(backend: Any) -> None:
    plainly = _Plainly()
    web = Web(backend=backend, metrics=Metrics(version="0"), api_token=SecretStr(TOKEN), plainly=plainly)
    transport = httpx.ASGITransport(app=web.application())
    key = next(iter(backend.apps))
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://operator") as client,
        _client(backend) as without,
    ):
        assert (await client.get(f"/api/v1/explain/{key}")).json()["plainly"] is None
        assert plainly.asked == []  # nothing has failed
        backend.explain = lambda key: {"key": str(key), "open": True, "episode": {"class": "oom_killed"}}
        told = (await client.get(f"/api/v1/explain/{key}")).json()
        assert told["plainly"] == {"text": "It ran out of memory.", "by": "model"}
        assert (await without.get(f"/api/v1/explain/{key}")).json()["plainly"] is None
