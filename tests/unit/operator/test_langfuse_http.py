"""One request to Langfuse: whatever answers, or does not, is an error that says what to do, in bounded time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from desired.errors import DeadlineExceeded, Forbidden, OperatorError, RateLimited, Unavailable, Unsupported
from nomad_operator.langfuse.api import Langfuse
from nomad_operator.langfuse.http import LangfuseHttp
from observers.reach.address import Reach
from tests.unit.observers.nomad_stub import Exchange, Stub, serve

SECRET = "sk-lf-do-not-tell-41"


def client(address: str, seconds: float = 5.0) -> Langfuse:
    reach = Reach(
        service="Langfuse", setting="LANGFUSE_HOST", address=address, deadline=timedelta(seconds=seconds),
        connect_timeout=timedelta(seconds=seconds),
    )  # fmt: skip
    return Langfuse(http=LangfuseHttp(reach=reach, public_key="pk-lf-1", secret_key=SECRET))


async def asked(answer: Callable[[Stub, Exchange], None], seconds: float = 5.0) -> Any:
    with serve(answer) as stub:
        langfuse = client(stub.address, seconds)
        try:
            return await langfuse.prompt("repair", label="production")
        finally:
            await langfuse.aclose()


def says(status: int, body: Any = b"", **headers: str) -> Callable[[Stub, Exchange], None]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda _stub, exchange: exchange.say(status, raw, **headers)


def hangs(stub: Stub, exchange: Exchange) -> None:
    stub.released.wait(30)
    exchange.hang_up()


def drips(stub: Stub, exchange: Exchange) -> None:
    exchange.head(200, **{"Content-Length": "100000"})
    while not stub.released.wait(0.02):
        exchange.wfile.write(b" ")
        exchange.wfile.flush()
    exchange.hang_up()


def never_ends(stub: Stub, exchange: Exchange) -> None:
    exchange.head(200, Connection="close")
    while not stub.released.is_set():
        exchange.wfile.write(b" " * 65536)


ANSWERS: list[tuple[str, Callable[[Stub, Exchange], None], type[OperatorError], str]] = [
    ("401", says(401, {"message": "Invalid credentials"}), Forbidden, "answered 401 (Invalid credentials)"),
    ("403", says(403, {}), Forbidden, "answered 403"),
    ("429", says(429, {"message": "slow"}, Retry_After="7"), RateLimited, "answered 429"),
    ("500", says(500, {"error": "boom"}), Unavailable, "answered 500 (boom)"),
    ("502", says(502, b"<html>"), Unavailable, "answered 502"),
    ("redirect", says(302, b"", Location="http://127.0.0.1:1/"), Unavailable, "answered 302"),
    ("no API here", says(404, b"<html>not found</html>"), Unsupported, "answered 404"),
    ("refusal", says(400, {"message": "bad\nlabel"}), Unsupported, "answered 400 (bad label)"),
    ("page", says(200, b"<html>login</html>"), Unavailable, "not JSON"),
    ("nested", says(200, b"[" * 200_000), Unavailable, "not JSON"),
    ("silence", hangs, DeadlineExceeded, "no complete answer within 0.3 s"),
    ("drips", drips, DeadlineExceeded, "no complete answer within 0.3 s"),
    ("hangs up", lambda _stub, exchange: exchange.hang_up(), Unavailable, "the connection broke"),
    ("resets", lambda _stub, exchange: exchange.reset(), Unavailable, "the connection broke"),
]


@pytest.mark.parametrize(("answer", "kind", "told"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
async def test_what_goes_wrong_is_an_error_of_the_tree(
    answer: Callable[[Stub, Exchange], None], kind: type[OperatorError], told: str
) -> None:
    with pytest.raises(kind) as error:
        await asked(answer, 0.3 if answer in (hangs, drips) else 5.0)
    assert told in error.value.message
    assert error.value.hint
    assert SECRET not in f"{error.value.message} {error.value.hint}"


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(OperatorError):
        await asked(never_ends)


async def test_a_host_that_is_not_there_is_told() -> None:
    langfuse = client("http://127.0.0.1:1")
    with pytest.raises(Unavailable, match="refused"):
        await langfuse.prompt("repair", label="production")
    await langfuse.aclose()


async def test_what_langfuse_says_is_not_there_is_none() -> None:
    assert await asked(says(404, {"message": "Prompt not found"})) is None


async def test_a_page_that_names_itself_as_the_next_ends(asyncio_timeout: float = 5.0) -> None:
    with serve(says(200, {"data": [{"id": "1"}], "meta": {"cursor": "same"}})) as stub:
        langfuse = client(stub.address)
        async with asyncio.timeout(asyncio_timeout):
            assert len([one async for one in langfuse.observations(fields="core")]) == 2
        await langfuse.aclose()


async def test_a_name_is_one_part_of_the_path() -> None:
    with serve(says(404, {"message": "none"})) as stub:
        langfuse = client(stub.address)
        await langfuse.prompt("a/b ?#c", label="x&y")
        assert stub.asked[0].path == "/api/public/v2/prompts/a%2Fb%20%3F%23c?label=x%26y"
        await langfuse.aclose()
