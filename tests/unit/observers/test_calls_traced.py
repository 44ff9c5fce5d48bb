"""Calls to services as spans: what was asked and how it ended; never what a service of secrets answered."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider

from desired import spans
from desired.app import AppKey
from desired.errors import OperatorError
from desired.git_command import GitCommand
from observers.images import ImageRegistries
from observers.nomad.client import NomadClient
from observers.nomad.connection import Connection
from observers.reach.address import Reach
from observers.reach.blocking import Blocking
from reconcilers.ports import Submission
from tests.unit.observers.fake_registry import FakeRegistry
from tests.unit.observers.nomad_stub import Exchange, Stub, serve

TRACER = TracerProvider(shutdown_on_exit=False).get_tracer("test")
Work = Callable[[], Any]


async def traced(work: Work) -> tuple[dict[str, dict[str, Any]], spans.Trace]:
    """The attributes of each span by its name, of what was done within one trace."""
    begun = spans.begun(TRACER, "pass", session="default/web", asked=None)
    with begun as (trace, _), contextlib.suppress(OperatorError):
        await work()
    return {one.name: dict(one.attributes or {}) for one in trace.ended[:-1]}, trace  # type: ignore[attr-defined]


async def test_a_call_to_vault_tells_what_was_asked_and_nothing_that_came_back() -> None:
    run = Blocking(reach=Reach(service="Vault", setting="VAULT_ADDR", address="http://vault:8200"))
    found, _ = await traced(lambda: run("list secret/web", lambda: {"data": {"password": "hunter2"}}))
    assert found == {
        "vault: call": {
            spans.KIND: "span", spans.INPUT: '{"for": "list secret/web"}', "peer.service": "vault"
        }
    }  # fmt: skip


async def test_a_call_that_takes_too_long_is_told_as_such() -> None:
    reach = Reach(service="Consul", setting="X", address="http://c:1", deadline=timedelta(seconds=0.01))
    found, _ = await traced(lambda: Blocking(reach=reach)("list keys", lambda: __import__("time").sleep(0.2)))
    told = found["consul: call"]
    assert told[spans.LEVEL] == "WARNING"
    assert "no complete answer within" in told[spans.WORDS]


async def test_a_registry_is_asked_by_path_and_answers_by_status_and_size() -> None:
    registry = FakeRegistry(token="t0p-secret")
    registry.image("team/app")
    registries = ImageRegistries(transport=httpx.MockTransport(registry.answer))
    found, trace = await traced(lambda: registries.facts("registry.example/team/app"))
    await registries.aclose()
    told = found["registry: GET"]
    assert json.loads(told[spans.INPUT])["registry"] == "registry.example"
    assert json.loads(told[spans.OUTPUT])["status"] == 200
    assert "t0p-secret" not in str([one.attributes for one in trace.ended])  # type: ignore[attr-defined]


async def test_git_is_told_by_its_first_word_and_how_it_ended() -> None:
    git = GitCommand(environment=os.environ)
    url = "https://user:hunter2@127.0.0.1:1/x"
    found, _ = await traced(
        lambda: git.run(["ls-remote", url], deadline=timedelta(seconds=10), doing="look at the repository")
    )
    told = found["git: ls-remote"]
    assert json.loads(told[spans.INPUT]) == {"for": "look at the repository"}
    assert json.loads(told[spans.OUTPUT])["exit"] != 0
    assert "hunter2" not in str(found)


@pytest.fixture
async def nomad() -> AsyncIterator[NomadClient]:
    def answer(_stub: Stub, exchange: Exchange) -> None:
        if exchange.asked.path.startswith("/v1/jobs"):
            exchange.say(200, json.dumps({"EvalID": "e1", "JobModifyIndex": 7, "Warnings": ""}))
        else:
            exchange.say(500, "no cluster leader")

    with serve(answer) as stub:
        client = NomadClient(connection=Connection(address=stub.address, token="nomad-t0ken-1"))
        yield client
        await client.aclose()


async def test_a_job_that_is_registered_is_told_and_what_it_was_made_from_is_not(nomad: NomadClient) -> None:
    """Of the text of a job file nobody knows what is secret in it."""
    body = {"ID": "web", "Name": "web", "Namespace": "default", "Type": "service"}
    submission = Submission('job "web" { password = "hunter2" }', "hcl2", "x = 1", ())
    found, trace = await traced(lambda: nomad.register(body, index=0, submission=submission))
    told = found["nomad: POST jobs"]
    assert json.loads(told[spans.INPUT])["Job"] == body
    assert json.loads(told[spans.OUTPUT])["job_modify_index"] == 7
    assert trace.jobs == [body]
    assert "hunter2" not in str(found) and "nomad-t0ken-1" not in str(found)


async def test_what_nomad_refuses_is_told_with_its_words(nomad: NomadClient) -> None:
    found, _ = await traced(lambda: nomad.job(AppKey("default", "web")))
    (told,) = found.values()
    assert told[spans.LEVEL] == "WARNING"
    assert "leader" in told[spans.WORDS]
    assert spans.OUTPUT not in told
