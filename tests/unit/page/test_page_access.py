"""Who may read, by which name this copy may be asked, and what a browser is told about every answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from pydantic import SecretStr

from nomad_operator.page.gate import HEADERS
from nomad_operator.page.hosts import Hosts
from nomad_operator.page.readers import COOKIE, SESSION_SECONDS, Readers
from nomad_operator.page.site import site_of
from nomad_operator.settings import Settings
from tests.unit.page.shown_fleet import API_TOKEN, READ_TOKEN, FakeShown, web

GUARDED = ["/", "/apps/default/web", "/repairs", "/services", "/?q=x", "/parts/fleet", "/api/v1/status",
           "/api/v1/apps/default/web", "/api/v1/repairs", "/api/v1/explain/default/web", "/api/v1/memory",
           "/api/v1/prune", "/api/v1/events", "/no-such-page"]  # fmt: skip
OPEN = ["/healthz", "/readyz", "/metrics", "/login", "/assets/page.css", "/assets/page.js", "/assets/icon.svg"]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def asking(**options: Any) -> AsyncIterator[httpx.AsyncClient]:
    application = web(FakeShown(), **options).application()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=application), base_url="http://operator") as client:
        yield client


@pytest.mark.parametrize("path", GUARDED)
async def test_with_a_token_for_reading_nothing_is_told_without_it(path: str) -> None:
    async with asking(read_token=READ_TOKEN) as client:
        answer = await client.get(path)
        if path.startswith(("/api/", "/parts/")):
            assert answer.status_code == 401 and set(answer.json()) == {"error", "hint"}
            assert answer.headers["www-authenticate"] == "Bearer"
        else:
            assert answer.status_code == 303
            assert answer.headers["location"] == ("/login" if path == "/" else f"/login?next={quote(path, safe='')}")
        assert "default/web" not in answer.text and READ_TOKEN not in answer.text


@pytest.mark.parametrize("path", OPEN)
async def test_what_watches_the_process_and_the_way_in_stay_open(path: str) -> None:
    async with asking(read_token=READ_TOKEN) as client:
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("token", [READ_TOKEN, API_TOKEN])
async def test_either_token_reads(token: str) -> None:
    async with asking(read_token=READ_TOKEN) as client:
        bearer = {"authorization": f"Bearer {token}"}
        assert (await client.get("/api/v1/status", headers=bearer)).json()["apps"]
        assert "default/" in (await client.get("/", headers=bearer)).text


@pytest.mark.parametrize("path", [path for path in GUARDED if path not in ("/api/v1/events", "/api/v1/memory")])
async def test_without_a_token_that_is_set_everybody_reads(path: str) -> None:
    async with asking() as client:
        assert (await client.get(path)).status_code == (404 if "no-such" in path else 200)
        assert (await client.get("/login")).headers["location"] == "/"


async def test_the_token_for_reading_changes_nothing() -> None:
    async with asking(read_token=READ_TOKEN) as client:
        answer = await client.post(
            "/api/v1/apps/default/web/reconcile", headers={"authorization": f"Bearer {READ_TOKEN}"}
        )
        assert answer.status_code == 401


async def test_a_browser_gets_in_with_the_token_and_out_again() -> None:
    clock = Clock()
    async with asking(read_token=READ_TOKEN, now=clock) as client:
        wrong = await client.post("/login", data={"token": "guessed", "next": "/repairs"})
        assert wrong.status_code == 403 and 'role="alert"' in wrong.text and "guessed" not in wrong.text
        assert "set-cookie" not in wrong.headers
        answer = await client.post("/login", data={"token": READ_TOKEN, "next": "/repairs"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/repairs")
        cookie = answer.headers["set-cookie"]
        for word in ("HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={SESSION_SECONDS}"):
            assert word in cookie
        assert "Secure" not in cookie and READ_TOKEN not in cookie
        assert (await client.get("/repairs")).status_code == 200
        assert (await client.get("/api/v1/status")).status_code == 200
        left = await client.post("/logout")
        assert left.headers["location"] == "/login" and "Max-Age=0" in left.headers["set-cookie"]
        assert (await client.get("/repairs")).status_code == 303


async def test_behind_tls_the_cookie_is_for_tls_alone() -> None:
    async with asking(read_token=READ_TOKEN) as client:
        answer = await client.post("/login", data={"token": READ_TOKEN}, headers={"x-forwarded-proto": "https"})
        assert "Secure" in answer.headers["set-cookie"]


def readers(clock: Callable[[], float], token: str = READ_TOKEN) -> Readers:
    return Readers(read_token=SecretStr(token), api_token=SecretStr(API_TOKEN), now=clock)


def test_a_session_ends_and_cannot_be_made_or_prolonged() -> None:
    clock = Clock()
    one = readers(clock)
    session = one.session_for(READ_TOKEN)
    assert session is not None and one.session_for(API_TOKEN) == session and one.session_for("other") is None
    ends, _, signature = session.partition(".")
    assert one.may_read(authorization="", cookie=f"a=b; {COOKIE}={session}; c=d")
    for made in (f"{int(ends) + 1}.{signature}", f"{ends}.{'0' * 64}", f"{ends}.", signature, "", "²." + signature,
                 f"{ends}.{signature}x", "9" * 5000, READ_TOKEN):  # fmt: skip
        assert not one.may_read(authorization="", cookie=f"{COOKIE}={made}"), made
    assert not readers(clock, "another token").may_read(authorization="", cookie=f"{COOKIE}={session}")
    assert readers(clock).may_read(authorization="", cookie=f"{COOKIE}={session}"), "any copy believes it"
    clock.now += SESSION_SECONDS + 1
    assert not one.may_read(authorization="", cookie=f"{COOKIE}={session}")


@pytest.mark.parametrize(
    "after", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "repairs", "/\n/x"]
)
async def test_after_the_login_nobody_is_sent_elsewhere(after: str) -> None:
    async with asking(read_token=READ_TOKEN) as client:
        answer = await client.post("/login", data={"token": READ_TOKEN, "next": after})
        assert answer.headers["location"] == "/"
        client.cookies.clear()
        form = (await client.get("/login", params={"next": after})).text
        assert 'name="next" value="/"' in form


async def test_what_is_far_too_long_to_be_a_token_is_not_read() -> None:
    async with asking(read_token=READ_TOKEN) as client:
        assert (await client.post("/login", content=b"token=" + b"x" * 100_000)).status_code == 413


@pytest.mark.parametrize("path", ["/", "/apps/default/web", "/apps/default/none", "/repairs", "/services", "/healthz",
                                  "/assets/page.js", "/api/v1/status", "/nowhere"])  # fmt: skip
async def test_every_answer_forbids_what_a_page_of_ours_never_does(path: str) -> None:
    async with asking() as client:
        answer = await client.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("listens", "names", "host", "answers"),
    [
        ("127.0.0.1", (), "127.0.0.1:9650", True), ("127.0.0.1", (), "localhost:9650", True),
        ("127.0.0.1", (), "[::1]:9650", True), ("127.0.0.1", (), "operator.localhost", True),
        ("127.0.0.1", (), "10.0.0.5", True), ("127.0.0.1", (), "evil.example:9650", False),
        ("127.0.0.1", (), "", False), ("127.0.0.1", (), "127.0.0.1.evil.example", False),
        ("127.0.0.1", (), "[", False), ("::1", (), "evil.example", False), ("localhost", (), "evil.example", False),
        ("127.0.0.1", ("op.example.org",), "OP.example.org.", True), ("127.0.0.1", ("*",), "evil.example", True),
        ("0.0.0.0", (), "op.service.consul:9650", True), ("", (), "anything", True),
        ("0.0.0.0", ("op.example.org",), "evil.example", False),
        ("0.0.0.0", ("op.example.org",), "op.example.org:80", True),
    ],
)  # fmt: skip
def test_by_which_names_it_may_be_asked(listens: str, names: tuple[str, ...], host: str, answers: bool) -> None:
    assert Hosts(listens=listens, names=names).answers(host) is answers


async def test_a_page_of_somebody_elses_that_points_its_name_here_learns_nothing() -> None:
    async with asking(listens="127.0.0.1") as client:
        rebound = {"host": "evil.example:9650"}
        for path in ("/", "/api/v1/status", "/metrics", "/login", "/assets/page.js"):
            answer = await client.get(path, headers=rebound)
            assert answer.status_code == 421 and "NOMAD_OPERATOR_HOSTS" in answer.json()["hint"]
        assert (await client.get("/healthz", headers=rebound)).status_code == 200
        assert (await client.post("/hooks/git", headers=rebound)).status_code == 401, "it has to prove itself anyway"
        token = {**rebound, "authorization": f"Bearer {API_TOKEN}"}
        assert (await client.get("/api/v1/status", headers=token)).status_code == 200
        assert (await client.get("/", headers={"host": "127.0.0.1:9650"})).status_code == 200


def test_the_settings_say_who_may_read_and_by_which_names() -> None:
    shut = site_of(Settings(read_token=SecretStr("x"), listen="0.0.0.0:9650"), SecretStr("api"))
    assert not shut.readers.everybody and shut.readers.has_token("Bearer x") and shut.readers.has_token("Bearer api")
    assert site_of(Settings(), SecretStr("api")).readers.everybody
    assert Settings(hosts="a.example, b.example").hosts == ("a.example", "b.example")  # type: ignore[arg-type]
