"""Every page in every state: it is drawn, says what it has to, and whatever others wrote stays text."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from nomad_operator.doctor import Finding
from nomad_operator.log import Outage
from nomad_operator.page.pages import PASSED_ON
from nomad_operator.page.shown_text import finalized, shown
from nomad_operator.service_look import Look
from tests.unit.page.shown_fleet import (
    AT,
    HOSTILE,
    FakeShown,
    app,
    attempt,
    condition,
    episode,
    full,
    open_episode,
    operation,
    past,
    waiting,
    web,
)

VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """A page as elements: fails on tags that do not match, gathers what a test asks for."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> after {self.open[-3:]}"

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@asynccontextmanager
async def asking(fleet: FakeShown, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=web(fleet, **options).application())
    async with httpx.AsyncClient(transport=transport, base_url="http://operator") as client:
        yield client


async def page(fleet: FakeShown, path: str, *, status: int = 200, **headers: str) -> Page:
    async with asking(fleet) as client:
        answer = await client.get(path, headers=headers)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return Page(answer.text)


def rich() -> FakeShown:
    """One app of each kind, and something at every place where something may stand."""
    kept = {**operation(), "reason": "why", "rung": "rule", "verifiedAt": AT, "written": "branch repairs/web"}
    named = ("QuestionsOpen", "AdoptionRequired", "Suspended")
    kinds = {name: [condition("Ready"), condition(name)] for name in named}
    withdrawn = {"at": AT, "step": "Withdrawn", "ready": "Unknown", "reason": "Withdrawn", "message": ""}
    failed = {"specHash": "cd" * 32, "reason": "NoProgress", "message": "still", "at": AT, "tries": 1, "retryAt": AT}
    question = {"id": "env.A.source", "question": "Where is A?", "choices": ["vault", "fixed"], "default": "vault"}
    value = {"id": "count", "value": "2", "source": "Dockerfile:3", "reason": "it says so"}
    waits = [condition("Ready", "False"), condition("AwaitingApproval"), condition("Stalled")]
    fleet = FakeShown(
        app("default/web", overlay=[kept], lastEpisode=episode(), diff='+/- Job: "web"\n+ Count: 1\n- Count: 2\n~ x'),
        app(
            "default/mill", "False", "AwaitingApproval", "a repair waits", conditions=waits, failed=[failed],
            episode={**open_episode(), "waiting": waiting()},
        ),
        app(
            "default/asks", "False", "QuestionsOpen", conditions=kinds["QuestionsOpen"], questions=[question],
            values=[value],
        ),
        app("default/there", "False", "AdoptionRequired", conditions=kinds["AdoptionRequired"]),
        app("default/asleep", "True", "Suspended", suspended=True, conditions=kinds["Suspended"]),
        app(
            "default/going", "Unknown", "Withdrawn", step="Withdrawn", lastGood=None,
            transitions=[{**withdrawn, "app": "default/going"}],
        ),
        app("default/unseen", "Unknown", "ObserveFailed", "Nomad is away"),
        app("ops/team/$(deep)", "False", "RolledBack"),
    )  # fmt: skip
    fleet.stories["default/web"] = {
        "key": "default/web", "open": False, "episode": full(), "now": None, "overlay": [kept],
        "writeBack": {"branch": "repairs/web", "commit": "f" * 40, "told": "pushed", "patch": "+ memory = 64"},
    }  # fmt: skip
    tries = [
        attempt(state="guarded", told="the image would change", number=1),
        attempt(state="waiting", number=2, endedAt=None),
        attempt(state="open", pending=True, number=3, endedAt=None, **{"class": "crash"}),
    ]  # fmt: skip
    fleet.stories["default/mill"] = {
        "key": "default/mill", "open": True, "now": None, "overlay": [], "writeBack": None,
        "episode": {**open_episode(tries=tries, choices=["more memory", "less data"]), "waiting": waiting()},
    }  # fmt: skip
    fleet.stories["default/unseen"] = {
        "key": "default/unseen", "open": False, "episode": None, "overlay": [], "writeBack": None,
        "now": {"class": "crash", "cause": "unknown", "message": "it ends", "hint": "look", "certain": False},
    }  # fmt: skip
    fleet.earlier["default/web"] = [full(id="e0", outcome="exhausted", told="no rung knows a repair", tries=[])]
    fleet.ended = [
        past(durable=True), past(durable=None), past(outcome="exhausted", rung="none", operations=[]),
        past(durable=False, undone="person"), past(outcome="not_ours", operations=[], **{"class": "node_lost"}),
    ]  # fmt: skip
    fleet.sources = [{"path": "apps/bad.yaml", "problem": "3:1: no such key", "key": "default/web"}]
    return fleet


PATHS = ["/", "/?state=waits", "/?q=nothing+like+it", "/parts/fleet", "/parts/fleet?key=default/web",
         "/repairs", "/services",
         *(f"/apps/{key}" for key in ("default/web", "default/mill", "default/asks", "default/there", "default/asleep",
                                      "default/going", "default/unseen", "ops/team/%24%28deep%29"))]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
async def test_every_page_is_whole_and_can_be_walked_by_headings_and_landmarks(path: str) -> None:
    found = await page(rich(), path)
    if path.startswith("/parts/"):
        return
    names = [name for name, _ in found.elements]
    assert names.count("h1") == 1 and names.count("main") == 1 and names.count("title") >= 1
    levels = [int(name[1]) for name in names if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1
    ids = [one["id"] for _, one in found.elements if "id" in one]
    assert len(ids) == len(set(ids))
    labelled = [one["aria-labelledby"] for _, one in found.elements if "aria-labelledby" in one]
    assert set(labelled) <= set(ids)
    assert names.count("table") == names.count("caption")
    assert all(one.get("aria-label") or one.get("aria-labelledby") for one in found.all("section") + found.all("nav"))
    assert {one.get("for") for one in found.all("label")} <= set(ids)


@pytest.mark.parametrize("path", PATHS)
async def test_nothing_comes_from_elsewhere_and_nothing_is_inline(path: str) -> None:
    for tag, attributes in (await page(rich(), path)).elements:
        for name, value in attributes.items():
            assert not name.startswith("on") and name != "style", (tag, name)
            if name in ("href", "src", "action"):
                assert re.match(r"/(?!/)|#", value), (tag, value)
        assert tag != "style" and (tag != "script" or attributes["src"].startswith("/assets/"))


async def test_the_fleet_says_what_counts() -> None:
    fleet = await page(rich(), "/")
    assert "2 of 7 apps ready" in fleet.text
    assert "Waits for you 3" in fleet.text
    assert "1 problem in files" in fleet.text and "apps/bad.yaml 3:1: no such key" in fleet.text
    assert "the only copy" in fleet.text and "0123456789ab" in fleet.text
    rows = [one["data-key"] for one in fleet.all("tr") if "data-key" in one]
    assert len(rows) == 8 and rows[0] == "default/asks", "what is not ready stands first"
    links = [one["href"] for one in fleet.all("a")]
    assert "/apps/ops/team/%24%28deep%29" in links
    assert not [word for word in fleet.words if "None" in word]


async def test_before_everything_was_read_it_says_what_is_missing() -> None:
    fleet = FakeShown()
    fleet.apps, fleet.not_read = {}, ["git has not been read yet: no route to host", "Nomad has not been read yet"]
    found = await page(fleet, "/")
    assert "Not everything has been read yet git has not been read yet: no route to host" in found.text
    assert "No app is known yet" in found.text
    fleet.not_read = []
    assert "There are no apps" in (await page(fleet, "/")).text
    assert "No app is like that" in (await page(fleet, "/?q=x")).text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("sourceProblem", "cannot be reached", "Git cannot be read cannot be reached"),
        ("nomadProblem", "timed out", "What stands here is what was seen last"),
        ("stateProblem", "disk full", "The state cannot be written disk full"),
        ("repairs", "stopped", "Repairs are stopped"),
        ("mode", "observe", "It only observes"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/apps/default/web", "/repairs", "/services"])
async def test_what_is_true_of_all_apps_stands_on_every_page(path: str, field: str, value: str, said: str) -> None:
    fleet = FakeShown()
    assert said not in (await page(fleet, path)).text
    fleet.operator[field] = value
    assert said in (await page(fleet, path)).text


async def test_a_copy_says_what_it_is() -> None:
    assert "you ask a copy that does not act" in (await page(FakeShown(), "/", **{PASSED_ON: "1"})).text
    async with asking(FakeShown(), alone=False) as client:
        assert "this copy acts" in (await client.get("/")).text


@pytest.mark.parametrize(
    ("key", "commands"),
    [
        ("default/mill", ["nomad-operator repairs approve default/mill --proposal c2150dc37b64349b",
                          "nomad-operator repairs reject default/mill"]),
        ("default/there", ["nomad-operator plan default/there", "nomad-operator adopt default/there"]),
        ("default/asleep", ["nomad-operator resume default/asleep"]),
        ("default/going", ["nomad-operator prune"]),
        ("default/web", ["nomad-operator repairs revert default/web", "nomad-operator reconcile default/web"]),
        ("ops/team/$(deep)", ["nomad-operator reconcile 'ops/team/$(deep)'"]),
    ],
)  # fmt: skip
async def test_each_decision_has_its_command_to_copy(key: str, commands: list[str]) -> None:
    found = await page(rich(), f"/apps/{key}")
    copied = [one["data-copy"] for one in found.all("button") if "data-copy" in one]
    assert copied[: len(commands)] == commands


async def test_commands_on_the_page_are_commands() -> None:
    import shlex

    from nomad_operator.cli import parser

    for path in PATHS:
        for one in (await page(rich(), path)).all("button"):
            if "data-copy" in one:
                parser().parse_args(shlex.split(one["data-copy"])[1:])


async def test_an_app_tells_its_story_its_diff_and_its_past() -> None:
    web_page = (await page(rich(), "/apps/default/web")).text
    for said in ("oom_killed", "task app: Terminated: OOM Killed", "it stayed healthy",
                 "because it was killed for want of memory",
                 "+ Count: 1", "Failures before", "no rung knows a repair", "branch repairs/web",
                 "commit ffffffffffff"):  # fmt: skip
        assert said in web_page, said
    diff = [one.get("class") for one in (await page(rich(), "/apps/default/web")).all("span")]
    assert [one for one in diff if one in ("added", "removed", "changed")] == ["changed", "added", "removed", "changed"]
    mill = (await page(rich(), "/apps/default/mill")).text
    for said in ("It waits for you", "the guard: the image would change", "turned down by the guard", "more memory",
                 "mode is propose", "chosen, not written yet", "The open failure"):  # fmt: skip
        assert said in mill, said
    assert "spec.env.A.source Where is A? vault, fixed" in (await page(rich(), "/apps/default/asks")).text
    assert "nothing is done about it yet" in (await page(rich(), "/apps/default/unseen")).text


async def test_an_app_that_is_not_there_is_said_to_be_not_there() -> None:
    assert "No app default/none" in (await page(rich(), "/apps/default/none", status=404)).text
    assert "No app" in (await page(rich(), "/apps/bad_namespace/x", status=404)).text


async def test_repairs_are_told_with_what_is_not_known() -> None:
    found = await page(rich(), "/repairs")
    assert "Fix rate 33 % 1 of 3 failures" in found.text
    assert "Precision 50 % 1 of 2 that were tried" in found.text
    assert "not known" in found.text and "What else happened earlier is not known here" in found.text
    assert len([one for one in found.all("rect") if one.get("class", "").startswith("bar ")]) >= 4
    empty = await page(FakeShown(), "/repairs")
    assert "No failure has ended that is known here" in empty.text and "No repair waits" in empty.text


async def test_services_are_those_that_were_met_and_those_that_were_asked() -> None:
    fleet = FakeShown()
    assert "being asked now, for the first time" in (await page(fleet, "/services")).text
    fleet.outages = {"nomad": Outage(40.0, "connection refused"), "source git://x main": Outage(90.0, "away")}
    fleet.look = Look(datetime(2026, 1, 2, 3, 59, tzinfo=UTC), [
        Finding("vault", True, "http://vault:8200", "OpenBao 2.4", seconds=0.012),
        Finding("consul", False, "http://consul:8500", "refused", "start it", seconds=0.001),
        Finding("qdrant", None, "", "not set (QDRANT_URL)", required=False),
        Finding("fabio: tags", False, "http://fabio", "one tag is odd", required=False),
    ], False)  # fmt: skip
    found = (await page(fleet, "/services")).text
    for said in ("Down nomad connection refused start it 2026-01-02 03:59:00 UTC", "Up git", "source git://x main",
                 "Up vault OpenBao 2.4", "12 ms", "Fails consul", "Not set qdrant", "Told fabio: tags"):  # fmt: skip
        assert said in found, said
    fleet.not_read = ["git has not been read yet"]
    assert "Not read yet git" in (await page(fleet, "/services")).text


def everywhere_hostile() -> FakeShown:
    def hostile(value: Any) -> Any:
        kept = {"key", "class", "outcome", "state", "ready", "rung", "type", "status", "step", "app", "id", "mode"}
        if isinstance(value, dict):
            return {name: one if name in kept else hostile(one) for name, one in value.items()}
        if isinstance(value, list):
            return [hostile(one) for one in value]
        if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]+Z|on|spec", value):
            return HOSTILE
        return value

    fleet = rich()
    fleet.apps = {key: hostile(one) for key, one in fleet.apps.items()}
    for name in ("stories", "earlier", "ended", "sources"):
        setattr(fleet, name, hostile(getattr(fleet, name)))
    fleet.operator = {**hostile(fleet.operator), "mode": "act", "repairs": "on"}
    fleet.not_read = [HOSTILE]
    fleet.outages = {"nomad": Outage(1.0, HOSTILE), HOSTILE: Outage(1.0, "x")}
    fleet.look = Look(None, [Finding(HOSTILE, False, HOSTILE, HOSTILE, HOSTILE)], False)
    odd = "default/</script><img src=x onerror=alert(1)>\u202e"
    fleet.apps[odd] = app(odd, "False", "RolledBack")
    return fleet


ODD = "%3C%2Fscript%3E%3Cimg%20src=x%20onerror=alert(1)%3E%E2%80%AE"
HOSTILE_PATHS = ["/apps/default/%3Cscript%3E", "/?q=%3Cscript%3E%22%E2%80%AE", f"/apps/default/{ODD}"]


@pytest.mark.parametrize("path", [*PATHS, *HOSTILE_PATHS])
async def test_what_others_wrote_stays_text(path: str) -> None:
    async with asking(everywhere_hostile()) as client:
        html = (await client.get(path)).text
    found = Page(html)
    tags = {name for name, _ in found.elements}
    assert "img" not in tags and not [one for one in found.all("script") if "src" not in one]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", html)
    assert not [name for _, attributes in found.elements for name in attributes if name.startswith("on")]


@given(st.text())
def test_no_character_that_moves_or_hides_text_gets_through(text: str) -> None:
    told = shown(text)
    told.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\ufeff]", told)
    assert shown(told) == told
    assert text != told or text.isprintable() or set(text) - set(map(chr, range(32, 127)))


def test_what_is_spelled_out_is_recognisable_and_the_rest_is_left_alone() -> None:
    assert shown("a\x1b[31m\u202eb") == "a\\x1b[31m\\u202eb"
    assert shown("naïve → ✓ 日本語 עברית 👩‍💻\n\t") == "naïve → ✓ 日本語 עברית 👩‍💻\n\t"
    assert finalized(None) == "" and finalized(3) == 3
    assert finalized(Markup("<b>\u202e")) == "<b>\u202e", "markup of our own is not others' words"


async def test_a_page_that_has_not_changed_is_not_sent_again() -> None:
    fleet = rich()
    async with asking(fleet) as client:
        first = await client.get("/")
        again = await client.get("/", headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == "private, no-cache"
        fleet.becomes("default/web", "False", "NoProgress")
        assert (await client.get("/", headers={"if-none-match": first.headers["etag"]})).status_code == 200


async def test_pages_are_compressed_for_who_can_read_that() -> None:
    fleet = FakeShown(*(app(f"default/app-{place:04}") for place in range(1000)))
    async with asking(fleet) as client:
        plain = await client.get("/", headers={"accept-encoding": "identity"})
        async with client.stream("GET", "/", headers={"accept-encoding": "gzip"}) as answer:
            packed = b"".join([piece async for piece in answer.aiter_raw()])
        assert gzip.decompress(packed) == plain.content and len(packed) < len(plain.content) / 10
        assert "accept-encoding" in plain.headers["vary"]


async def test_own_files_may_be_kept_for_ever_by_their_content() -> None:
    async with asking(rich()) as client:
        found = Page((await client.get("/")).text)
        (style,) = [one["href"] for one in found.all("link") if one["rel"] == "stylesheet"]
        answer = await client.get(style)
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"].startswith("text/css")
        assert "url(http" not in answer.text and "@import" not in answer.text
        old = await client.get(style.partition("?")[0] + "?v=old")
        assert old.headers["cache-control"] == "no-cache"
        again = await client.get(style, headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304
        for path in ("/assets/nothing.css", "/assets/..%2Fpages.py", "/assets/../pages.py"):
            assert (await client.get(path)).status_code == 404


async def test_nothing_can_be_changed_by_a_page() -> None:
    async with asking(rich()) as client:
        for path in ("/", "/apps/default/web", "/repairs", "/services", "/parts/fleet"):
            for method in ("POST", "PUT", "DELETE", "PATCH"):
                assert (await client.request(method, path)).status_code == 405
