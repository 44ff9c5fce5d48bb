"""What is asked of Langfuse and what it answers: the same on the double, on a real one, and for Langfuse's library."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from langfuse.api import LangfuseAPI
from langfuse.api.scores.types import CreateScoreRequest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from desired import spans
from desired.errors import Forbidden
from nomad_operator.langfuse.api import Langfuse
from nomad_operator.tracing.places import LangfusePlace, tracer
from nomad_operator.tracing.recorder import Recorded, Recorder
from nomad_operator.tracing.redaction import Redaction
from observers.reach.address import Reach
from observers.redaction import Placeholders
from prompts.prompt_text import read
from tests.conformance.langfuse.langfuse_target import Target
from tests.doubles.langfuse_server import PUBLIC_KEY, SECRET_KEY, LangfuseDouble, langfuse_double

MESSAGES = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "{{evidence}}"}]


@pytest.fixture
async def langfuse(target: Target) -> AsyncIterator[Langfuse]:
    client = target.client()
    yield client
    await client.aclose()


def document(target: Target, name: str, **changed: Any) -> dict[str, Any]:
    return {
        "name": f"nomad-operator-test/{target.mark}/{name}", "type": "chat", "prompt": MESSAGES,
        "config": {"temperature": 0.1}, "tags": ["test"],
    } | changed  # fmt: skip


async def test_what_is_written_is_read_by_label_and_by_version(target: Target, langfuse: Langfuse) -> None:
    """Also under a name with folders in it, which is one part of a path."""
    given = document(target, "read")
    version = await langfuse.create(given, labels=["candidate"], message="first")
    assert version == 1
    for body in (
        await langfuse.prompt(given["name"], label="candidate"), await langfuse.prompt(given["name"], version=1),
        await langfuse.prompt(given["name"], label="latest"),
    ):  # fmt: skip
        text = read(body, where="it")
        assert (text.name, text.version, text.config) == (given["name"], 1, {"temperature": 0.1})
        assert [(one.role, one.text) for one in text.messages] == [(one["role"], one["content"]) for one in MESSAGES]
        assert set(text.labels) == {"candidate", "latest"}


async def test_what_is_not_there_is_none(target: Target, langfuse: Langfuse) -> None:
    given = document(target, "none")
    assert await langfuse.prompt(given["name"], label="production") is None
    await langfuse.create(given, labels=[], message="")
    assert await langfuse.prompt(given["name"], label="production") is None
    assert await langfuse.prompt(given["name"], version=2) is None


async def test_a_label_is_of_one_version_at_a_time(target: Target, langfuse: Langfuse) -> None:
    given = document(target, "label")
    first = await langfuse.create(given, labels=["production"], message="")
    second = await langfuse.create(given | {"config": {}}, labels=[], message="")
    assert (await langfuse.prompt(given["name"], label="production"))["version"] == first  # type: ignore[index]
    for _ in range(2):
        await langfuse.label(given["name"], second, ["production"])
        assert (await langfuse.prompt(given["name"], label="production"))["version"] == second  # type: ignore[index]
    assert "production" not in (await langfuse.prompt(given["name"], version=first))["labels"]  # type: ignore[index]


async def test_all_versions_and_labels_are_listed(target: Target, langfuse: Langfuse) -> None:
    given = document(target, "list")
    await langfuse.create(given, labels=["production"], message="")
    await langfuse.create(given, labels=["candidate"], message="")
    (found,) = await langfuse.prompts(name=given["name"])
    assert (found.name, found.kind, found.versions) == (given["name"], "chat", (1, 2))
    assert set(found.labels) == {"production", "candidate", "latest"}
    assert given["name"] in [one.name for one in await langfuse.prompts()]


async def test_scores_are_taken_and_twice_is_once(target: Target, langfuse: Langfuse) -> None:
    score = {
        "id": f"{target.mark}-1", "traceId": "0" * 31 + "1", "name": f"test-{target.mark}", "value": 1,
        "dataType": "BOOLEAN", "timestamp": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    await langfuse.score([score])
    await langfuse.score([score])


async def test_a_trace_that_is_sent_is_read_back_with_its_generation_and_scores(
    target: Target, langfuse: Langfuse
) -> None:
    """As `prompts export` reads it. A real one takes a while."""
    since = datetime.now(UTC) - timedelta(minutes=5)
    kept: list[Recorded] = []
    with Recorder(tracer=tracer({}), take=kept.append).begun("pass", session="default/web", asked="x"):
        spans.acts("test")
        with spans.step("model", kind="generation", asked=MESSAGES) as told:
            told.answered({"mark": target.mark})
        trace = spans.under_way()
    reach = Reach(service="Langfuse", setting="LANGFUSE_HOST", address=target.host)
    place = LangfusePlace(reach=reach, public_key=target.public_key, secret_key=target.secret_key)
    place.send(Redaction(secrets=(), placeholders=Placeholders()).redacted(kept[0]))
    place._session.close()
    name = f"test-read-{target.mark}"
    await langfuse.score([
        {"id": f"{target.mark}-2", "traceId": trace, "name": name, "value": 1, "dataType": "BOOLEAN",
         "timestamp": datetime.now(UTC).isoformat()}
    ])  # fmt: skip

    async def found() -> list[dict[str, Any]]:
        asked = langfuse.observations(fields="core,basic,io", trace=trace, kind="GENERATION", since=since)
        return [one async for one in asked]

    async def scored() -> list[dict[str, Any]]:
        return [one async for one in langfuse.scores(name=name, since=since)]

    async with asyncio.timeout(60):
        while not (await found() and await scored()):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    (one,) = await found()
    assert (one["name"], one["traceId"], one["sessionId"]) == ("model", trace, "default/web")
    assert json.loads(one["output"]) == {"mark": target.mark}
    (score,) = await scored()
    assert (bool(score["value"]), score["subject"]["kind"], score["subject"]["id"]) == (True, "trace", trace)


async def test_wrong_keys_are_told(target: Target) -> None:
    client = target.client(secret_key="sk-lf-wrong")
    with pytest.raises(Forbidden, match="answered 401"):
        await client.prompt("repair", label="production")
    await client.aclose()


# -- the double, held to by Langfuse's own library


@pytest.fixture
def double() -> Iterator[LangfuseDouble]:
    with langfuse_double() as double:
        yield double


@pytest.fixture
def library(double: LangfuseDouble) -> Iterator[LangfuseAPI]:
    with httpx.Client() as http:
        yield LangfuseAPI(
            base_url=double.address, username=PUBLIC_KEY, password=SECRET_KEY, httpx_client=http,
            x_langfuse_public_key="", x_langfuse_sdk_name="", x_langfuse_sdk_version="",
        )  # fmt: skip


def test_langfuses_own_library_understands_every_answer_of_the_double(
    double: LangfuseDouble, library: LangfuseAPI
) -> None:
    double.write("repair", MESSAGES, labels=["production"], config={"temperature": 0.1})
    double.write("repair", MESSAGES, labels=["candidate"])
    prompt = library.prompts.get("repair", label="candidate")
    assert (prompt.version, sorted(prompt.labels)) == (2, ["candidate", "latest"])
    (listed,) = library.prompts.list().data
    assert (listed.name, listed.versions) == ("repair", [1, 2])
    assert library.prompt_version.update("repair", 1, new_labels=["candidate"]).version == 1
    assert library.prompts.get("repair", label="candidate").version == 1
    scores = [CreateScoreRequest(id="s1", trace_id="ab", name="healthy", value=1, data_type="BOOLEAN")]
    assert library.scores.create(request=scores).accepted == 1  # type: ignore[union-attr]
    (score,) = library.scores.get_many(name="healthy", fields="subject").data
    assert (score.value, score.subject.id) == (True, "ab")  # type: ignore[union-attr]
    assert library.projects.get().data[0].name == "ops"
    assert library.health.health().version == "4.60.0"


def test_what_is_sent_as_opentelemetry_can_be_read_as_observations(
    double: LangfuseDouble, library: LangfuseAPI
) -> None:
    exporter = OTLPSpanExporter(
        endpoint=f"{double.address}/api/public/otel/v1/traces",
        headers={"Authorization": httpx.BasicAuth(PUBLIC_KEY, SECRET_KEY)._auth_header},
    )
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    attributes = {"langfuse.observation.type": "generation", "langfuse.observation.input": json.dumps(MESSAGES)}
    with provider.get_tracer("test").start_as_current_span("model", attributes=attributes):
        pass
    provider.shutdown()
    (one,) = library.observations.get_many(type="GENERATION").data
    assert (one.name, one.input) == ("model", json.dumps(MESSAGES))


async def test_langfuses_own_library_and_ours_ask_the_same(double: LangfuseDouble, library: LangfuseAPI) -> None:
    """Method, path, query and body: what the library sends is what a real server takes."""
    score = {"id": "1", "traceId": "ab", "name": "healthy", "value": 1, "dataType": "BOOLEAN"}
    double.write("a/b", MESSAGES, labels=["production"])
    library.prompts.get("a%2Fb", label="production")
    library.prompts.get("a%2Fb", version=1)
    library.prompts.list(name="a/b", page=1, limit=100)
    library.prompt_version.update("a%2Fb", 1, new_labels=["candidate"])
    library.scores.create(request=[CreateScoreRequest.model_validate(score)])
    library.observations.get_many(fields="core", limit=50, type="GENERATION")
    library.scores.get_many(name="healthy", limit=100, fields="subject")
    theirs = [(one.method, one.path, one.body) for one in double.stub.asked]
    double.stub.asked.clear()
    ours = Target(double.address, PUBLIC_KEY, SECRET_KEY).client()
    await ours.prompt("a/b", label="production")
    await ours.prompt("a/b", version=1)
    await ours.prompts(name="a/b")
    await ours.label("a/b", 1, ["candidate"])
    await ours.score([score])
    assert [one async for one in ours.observations(fields="core", kind="GENERATION")] == []
    assert len([one async for one in ours.scores(name="healthy")]) == 1
    await ours.aclose()
    assert [(one.method, *_compared(one.path, one.body)) for one in double.stub.asked] == [
        (method, *_compared(path, body)) for method, path, body in theirs
    ]


def _compared(path: str, body: bytes) -> tuple[str, Any, Any]:
    parts = urlsplit(path)
    return parts.path, parse_qs(parts.query), json.loads(body) if body else None
