"""What the client makes of a network and of servers that are not as they should be."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, unquote

import pytest

from desired.app import AppKey
from desired.errors import (
    Conflict,
    DeadlineExceeded,
    Forbidden,
    InvalidDesired,
    OperatorError,
    RateLimited,
    Rejected,
    TransientError,
    Unavailable,
    Unsupported,
)
from desired.state import HclSource
from observers.nomad.client import NomadClient
from observers.nomad.connection import Connection
from observers.nomad.session import open_session
from tests.unit.observers.nomad_stub import Exchange, Stub, serve

KEY = AppKey("default", "web")
BODY = {"ID": "web", "Namespace": "default"}
SOON = timedelta(seconds=0.4)
TOKEN = "5f2f1c1e-secret-token"


@asynccontextmanager
async def client_of(stub: Stub, **settings: object) -> AsyncIterator[NomadClient]:
    connection = Connection(address=stub.address, **settings)  # type: ignore[arg-type]
    client = NomadClient(connection=connection)
    try:
        yield client
    finally:
        await client.aclose()


def always(status: int, body: str = "", **headers: str) -> Callable[[Stub, Exchange], None]:
    return lambda stub, exchange: exchange.say(status, body, **headers)


def page(stub: Stub, exchange: Exchange) -> None:
    exchange.say(200, "<html>sign in</html>", Content_Type="text/html")


def cut(stub: Stub, exchange: Exchange) -> None:
    exchange.head(200, Content_Length="1000", Content_Type="application/json")
    exchange.wfile.write(b'{"ID": "web", ')
    exchange.hang_up()


def cut_chunk(stub: Stub, exchange: Exchange) -> None:
    exchange.head(200, Transfer_Encoding="chunked")
    exchange.wfile.write(b"40\r\n{")
    exchange.hang_up()


def cut_gzip(stub: Stub, exchange: Exchange) -> None:
    whole = gzip.compress(json.dumps({"ID": "web"}).encode())
    exchange.say(200, whole[: len(whole) // 2], Content_Encoding="gzip")


def not_gzip(stub: Stub, exchange: Exchange) -> None:
    exchange.say(200, "{}", Content_Encoding="gzip")


def nothing(stub: Stub, exchange: Exchange) -> None:
    exchange.hang_up()


def reset(stub: Stub, exchange: Exchange) -> None:
    exchange.reset()


def silent(stub: Stub, exchange: Exchange) -> None:
    stub.released.wait(30)
    exchange.hang_up()


def drip(stub: Stub, exchange: Exchange) -> None:
    exchange.head(200, Content_Length="100000")
    while not stub.released.wait(0.02):
        exchange.wfile.write(b" ")


@pytest.mark.parametrize(
    "answer",
    [page, cut, cut_chunk, cut_gzip, not_gzip, nothing, reset, always(200, "[]"), always(200, "{}")],
    ids=lambda answer: getattr(answer, "__name__", "other"),
)
async def test_half_an_answer_is_neither_a_job_nor_the_absence_of_one(answer: Callable[[Stub, Exchange], None]) -> None:
    with serve(answer) as stub:
        async with client_of(stub) as client:
            with pytest.raises(Unavailable) as raised:
                await client.running(KEY)
    assert "default/web" in raised.value.message and raised.value.hint


@pytest.mark.parametrize("answer", [silent, drip])
async def test_a_read_ends_at_its_deadline_even_if_bytes_keep_coming(answer: Callable[[Stub, Exchange], None]) -> None:
    with serve(answer) as stub:
        async with client_of(stub, read_deadline=SOON) as client:
            async with asyncio.timeout(5):
                with pytest.raises(DeadlineExceeded) as raised:
                    await client.job(KEY)
    assert "may or may not" not in raised.value.message


async def test_a_call_that_ran_out_of_time_gives_its_connection_back() -> None:
    """Its thread ends, too, although the server goes on: with one connection the next call would never be sent."""

    def drip_at_first(stub: Stub, exchange: Exchange) -> None:
        if len(stub.asked) <= 2:
            drip(stub, exchange)
        exchange.say(404, "job not found")

    with serve(drip_at_first) as stub:
        async with client_of(stub, max_connections=1, read_deadline=SOON, write_deadline=SOON) as client:
            with pytest.raises(DeadlineExceeded):
                await client.job(KEY)
            with pytest.raises(DeadlineExceeded, match="may or may not have happened"):
                await client.register(BODY, index=7, submission=None)
            assert await client.job(KEY) is None


def test_a_session_of_our_making_never_opens_more_connections_than_allowed_whoever_uses_it() -> None:
    gate = threading.Barrier(2)

    def answer(stub: Stub, exchange: Exchange) -> None:
        if len(stub.asked) <= 2:
            gate.wait(10)
        exchange.say(200, "{}")

    with serve(answer) as stub:
        session = open_session(Connection(address=stub.address, max_connections=2))
        with ThreadPoolExecutor(12) as threads:
            list(threads.map(lambda _: session.get(stub.address, timeout=20).content, range(40)))
        session.close()
    assert stub.open_at_most == stub.connections == 2


@pytest.mark.parametrize("answer", [silent, drip, cut, reset, nothing, page, always(502, "bad gateway")])
async def test_a_write_that_breaks_says_that_it_may_have_happened(answer: Callable[[Stub, Exchange], None]) -> None:
    with serve(answer) as stub:
        async with client_of(stub, write_deadline=SOON) as client:
            with pytest.raises(TransientError) as raised:
                await client.register(BODY, index=7, submission=None)
    assert "may or may not have happened" in raised.value.message


async def test_a_refused_write_certainly_did_not_happen() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = NomadClient(connection=Connection(address=f"http://127.0.0.1:{unused.getsockname()[1]}"))
        with pytest.raises(Unavailable) as raised:
            await client.register(BODY, index=7, submission=None)
        await client.aclose()
    assert "may or may not" not in raised.value.message and "refused" in raised.value.message


async def test_a_name_that_does_not_resolve_is_told_as_such() -> None:
    client = NomadClient(connection=Connection(address="http://nomad.invalid:4646"))
    with pytest.raises(Unavailable, match="cannot be resolved"):
        await client.job(KEY)
    await client.aclose()


async def test_only_nomads_own_word_for_it_means_that_a_job_does_not_exist() -> None:
    with serve(always(404, "job not found")) as stub:
        async with client_of(stub) as client:
            assert await client.job(KEY) is None
            assert (await client.running(KEY, checks=True)).checks == ()
    for text in ("", "404 page not found", "<html>job not found</html>", "Namespace not found"):
        with serve(always(404, text)) as stub:
            async with client_of(stub) as client:
                with pytest.raises(Unavailable):
                    await client.job(KEY)


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (500, "rpc error: No cluster leader", Unavailable),
        (500, "rpc error: Permission denied", Forbidden),
        (403, "Permission denied", Forbidden),
        (401, "Unauthorized", Forbidden),
        (500, "ACL token expired", Forbidden),
        (403, "Job registration, dispatch, and scale are disabled by the scheduler configuration", Unavailable),
        (500, "Enforcing job modify index 0: job already exists", Conflict),
        (500, "rpc error: Enforcing job modify index 5: job does not exist", Conflict),
        (500, 'cannot update job from type "service" to "batch"', Rejected),
        (500, "1 error occurred:\n\t* Missing job task groups\n\n", Rejected),
        # A name that people chose must not lead into another class.
        (500, "1 error occurred:\n\t* job named No cluster leader: Permission denied, EOF\n\n", Rejected),
        (413, "", Rejected),
        (500, "raft: leadership lost while committing log", Unavailable),
        (500, "context deadline exceeded", DeadlineExceeded),
        (504, "", DeadlineExceeded),
        (500, "EOF", Unavailable),
        (503, "upstream down", Unavailable),
        (301, "", Unavailable),
        (501, "not here", Unsupported),
    ],
)
async def test_the_text_decides_what_an_answer_means(status: int, text: str, kind: type[OperatorError]) -> None:
    with serve(always(status, text, Location="http://127.0.0.1:1/elsewhere")) as stub:
        async with client_of(stub) as client:
            with pytest.raises(OperatorError) as raised:
                await client.register(BODY, index=7, submission=None)
    assert type(raised.value) is kind
    assert len(stub.asked) == 1


async def test_too_many_connections_is_a_rate_limit_with_the_wait_that_was_named() -> None:
    text = "Your IP is issuing too many concurrent connections, please rate limit your calls\n"
    with serve(always(429, text, Retry_After="7")) as stub:
        async with client_of(stub) as client:
            with pytest.raises(RateLimited) as raised:
                await client.fleet([KEY])
    assert raised.value.retry_after == timedelta(seconds=7)


async def test_every_mistake_of_a_job_file_is_told_with_its_place() -> None:
    text = (
        'Failed to parse job: input.hcl:9,9-12: Unsupported argument; An argument named "nme" is not expected here.\n'
        'input.hcl:11,11-12,1: Unsupported block type; Blocks of type "x" are not expected here.'
    )
    with serve(always(400, text)) as stub:
        async with client_of(stub) as client:
            with pytest.raises(InvalidDesired) as raised:
                await client.parse(HclSource("job"))
    assert [(one.path, one.line, one.column) for one in raised.value.problems] == [
        ("input.hcl", 9, 9),
        ("input.hcl", 11, 11),
    ]


async def test_what_nomad_quotes_of_a_job_file_is_told_without_its_secrets() -> None:
    job = 'job "x" {\n  env {\n    DB_PASSWORD = "Hunter2Geheim"\n  }\n}\n'
    said = 'Failed to parse job: input.hcl:3,5-9: Invalid value; "Hunter2Geheim", password=Zx81Qw77 are not expected.'
    with serve(always(400, said)) as stub:
        async with client_of(stub) as client:
            with pytest.raises(InvalidDesired) as raised:
                await client.parse(HclSource(job))
    (told,) = (one.message for one in raised.value.problems)
    assert "Hunter2Geheim" not in told and "Zx81Qw77" not in told
    assert told.startswith("Invalid value: ") and told.endswith("are not expected.")


async def test_a_parser_that_is_down_says_nothing_about_the_file() -> None:
    for status, text in ((500, "No cluster leader"), (502, "bad gateway"), (200, "<html>")):
        with serve(always(status, text)) as stub:
            async with client_of(stub) as client:
                with pytest.raises(Unavailable):
                    await client.parse(HclSource("job"))


@pytest.mark.parametrize("name", ["a/b c#1?x=1&namespace=other", "caf\u00e9 %2e", "x;y", "a/../b"])
async def test_whatever_a_job_is_called_that_job_is_asked_for(name: str) -> None:
    with serve(always(404, "job not found")) as stub:
        async with client_of(stub) as client:
            assert await client.job(AppKey("team-a", name)) is None
    path, _, query = stub.asked[0].path.partition("?")
    assert path.count("/") == 3 and unquote(path.removeprefix("/v1/job/")) == name
    assert parse_qs(query) == {"namespace": ["team-a"]}


@pytest.mark.parametrize("name", [".", ".."])
async def test_an_id_that_http_cannot_name_is_refused_rather_than_mistaken(name: str) -> None:
    with serve(always(200, "[]")) as stub:
        async with client_of(stub) as client:
            with pytest.raises(Unsupported):
                await client.stop(AppKey("default", name))
    assert stub.asked == []


async def test_two_hundred_calls_at_once_use_no_more_connections_than_allowed_and_keep_them() -> None:
    gate = threading.Barrier(8)

    def answer(stub: Stub, exchange: Exchange) -> None:
        if len(stub.asked) <= 8:
            gate.wait(10)  # all eight are in use at the same time, or this breaks
        exchange.say(404, "job not found")

    with serve(answer) as stub:
        async with client_of(stub, max_connections=8) as client:
            await asyncio.gather(*(client.job(AppKey("default", f"web-{n}")) for n in range(200)))
    assert len(stub.asked) == 200
    assert stub.open_at_most == stub.connections == 8


async def test_a_call_that_found_no_free_connection_in_time_was_not_sent() -> None:
    with serve(silent) as stub:
        async with client_of(
            stub, max_connections=1, write_deadline=SOON, read_deadline=timedelta(seconds=20)
        ) as client:
            blocking = asyncio.create_task(client.job(KEY))
            await stub.until(lambda stub: bool(stub.asked))
            with pytest.raises(DeadlineExceeded, match="not sent"):
                await client.stop(KEY)
            stub.released.set()
            with pytest.raises(Unavailable):
                await blocking
    assert [asked.method for asked in stub.asked] == ["GET"]


async def test_a_server_that_was_restarted_is_asked_anew() -> None:
    def once(stub: Stub, exchange: Exchange) -> None:
        exchange.say(404, "job not found")
        exchange.hang_up()

    with serve(once) as stub:
        async with client_of(stub, max_connections=1) as client:
            for _ in range(3):
                await stub.until(lambda stub: not stub.open_now)
                assert await client.job(KEY) is None
    assert stub.connections == 3


async def test_every_request_is_counted_by_its_template_and_never_by_an_id() -> None:
    counted: list[tuple[str, str, int]] = []
    with serve(always(404, "job not found")) as stub:
        client = NomadClient(
            connection=Connection(address=stub.address),
            on_request=lambda endpoint, method, status, seconds: counted.append((endpoint, method, status)),
        )
        await client.job(KEY)
        with pytest.raises(Unavailable):
            await client.plan(KEY, BODY)
        await client.aclose()
    with pytest.raises(Unavailable):
        client = NomadClient(
            connection=Connection(address=stub.address),
            on_request=lambda endpoint, method, status, seconds: counted.append((endpoint, method, status)),
        )
        await client.stop(KEY)
    await client.aclose()
    assert counted == [("job", "GET", 404), ("job/plan", "POST", 404), ("job", "DELETE", 0)]


async def test_the_token_is_sent_and_never_told(tmp_path: Path) -> None:
    echo = always(500, f"strange words with {TOKEN} inside")
    with serve(echo) as stub:
        async with client_of(stub, token=TOKEN) as client:
            with pytest.raises(Unavailable) as raised:
                await client.job(KEY)
    assert stub.asked[0].headers["X-Nomad-Token"] == TOKEN
    error: BaseException | None = raised.value
    while error is not None:
        assert TOKEN not in str(error) and TOKEN not in repr(error)
        error = error.__cause__
    assert TOKEN not in repr(Connection(token=TOKEN))


async def test_a_renewed_token_file_is_read_before_forbidden_is_believed(tmp_path: Path) -> None:
    file = tmp_path / "nomad_token"
    file.write_text("old-token\n", encoding="utf-8")

    def answer(stub: Stub, exchange: Exchange) -> None:
        if exchange.asked.headers.get("X-Nomad-Token") == "new-token":
            exchange.say(404, "job not found")
        else:
            file.write_text("new-token\n", encoding="utf-8")
            exchange.say(403, "Permission denied")

    with serve(answer) as stub:
        async with client_of(stub, token_file=file) as client:
            assert await client.job(KEY) is None
            file.unlink()
            assert await client.job(KEY) is None
    assert [asked.headers["X-Nomad-Token"] for asked in stub.asked] == ["old-token", "new-token", "new-token"]


async def test_a_token_file_that_never_was_is_named(tmp_path: Path) -> None:
    with serve(always(200)) as stub:
        async with client_of(stub, token_file=tmp_path / "missing") as client:
            with pytest.raises(Forbidden, match="missing"):
                await client.job(KEY)
    assert stub.asked == []


async def test_nothing_of_the_environment_is_used_behind_our_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """python-nomad fills what it is not given from NOMAD_*, requests from .netrc and proxies."""
    monkeypatch.setenv("NOMAD_TOKEN", "from-the-environment")
    monkeypatch.setenv("NOMAD_REGION", "mars")
    monkeypatch.setenv("NOMAD_NAMESPACE", "elsewhere")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n", encoding="utf-8")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serve(always(404, "job not found")) as stub:
        async with client_of(stub) as client:
            await client.job(KEY)
    assert stub.asked[0].headers.keys().isdisjoint({"X-Nomad-Token", "Authorization"})
    assert stub.asked[0].path == "/v1/job/web?namespace=default"


async def test_a_redirect_is_not_followed_with_our_token() -> None:
    def away(stub: Stub, exchange: Exchange) -> None:
        exchange.say(307, "", Location=f"{elsewhere.address}/v1/job/web")

    with serve(always(404, "job not found")) as elsewhere, serve(away) as stub:
        async with client_of(stub, token=TOKEN) as client:
            for attempt in (client.job(KEY), client.stop(KEY), client.register(BODY, index=0, submission=None)):
                with pytest.raises(Unavailable):
                    await attempt
    assert len(stub.asked) == 3 and elsewhere.asked == []


async def test_a_cancelled_call_that_still_waits_is_never_sent() -> None:
    with serve(silent) as stub:
        async with client_of(stub, max_connections=1) as client:
            blocking = asyncio.create_task(client.job(KEY))
            await stub.until(lambda stub: bool(stub.asked))
            waiting = asyncio.create_task(client.stop(KEY))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            stub.released.set()
            await asyncio.gather(blocking, return_exceptions=True)
    assert waiting.cancelled()
    assert [asked.method for asked in stub.asked] == ["GET"]


def test_one_client_serves_one_loop_after_another() -> None:
    """A command makes a loop of its own for each thing it waits for."""
    with serve(always(404, "job not found")) as stub:
        client = NomadClient(connection=Connection(address=stub.address))
        assert asyncio.run(client.job(KEY)) is None
        assert asyncio.run(client.job(KEY)) is None
        asyncio.run(client.aclose())
    assert stub.connections == 1
