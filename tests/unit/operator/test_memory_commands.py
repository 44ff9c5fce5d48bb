"""`memory`: what people read, what reaches the daemon, and what happens where none runs."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from desired.operations.operation import Kind
from nomad_operator.cli import main
from nomad_operator.memory_desk import MemoryDesk
from prompts.memory.note import Note
from reconcilers.generate.lived import Lived, Said
from reconcilers.generate.recalled_apps import AppsRecalled
from reconcilers.repair.experience import Experience
from reconcilers.repair.learned import Where
from reconcilers.repair.relative import From, Step
from reconcilers.repair.remembered import Learned, Remembered
from tests.doubles.notes_in_memory import InMemory

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ONE = Remembered(
    key="e1-0", failure="oom_killed", signature="5f", text="killed \x1b[2J for want of memory",
    steps=(Step(Kind.MEMORY, ("group", "task"), From.TIMES, 200),), outcome=Learned.DURABLE, rung="model",
    source="model", cluster="one", app="default/shop", at=AT, approved=True, version="0.1.0", nomad_version="2.0.5",
)  # fmt: skip
TWO = replace(ONE, key="e2-0", outcome=Learned.FAILED, app="default/pay")
ELSEWHERE = replace(ONE, key="e3-0", cluster="two")


@pytest.fixture
def notes() -> InMemory:
    made = InMemory()
    made.notes = {one.key: one.note() for one in (ONE, TWO, ELSEWHERE)}
    made.notes["strange"] = Note("strange", "by a newer version", {"cluster": "one", "form": "9"})
    return made


def remembered(notes: InMemory) -> set[str]:
    return {key for key, note in notes.notes.items() if Remembered.of(note) is not None}


@pytest.fixture
def backend(backend: Any, notes: InMemory) -> Any:
    async def where() -> Where:
        return Where("one", "0.1.0", "2.0.5")

    backend.memories = MemoryDesk(experience=Experience(notes=notes, where=where), kept="/state/memory/qdrant")
    return backend


@pytest.fixture
def daemon(served: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("NOMAD_OPERATOR_ADDR", served.address)
    monkeypatch.setenv("NOMAD_OPERATOR_API_TOKEN", served.token)
    return str(served.address)


@pytest.mark.usefixtures("daemon")
def test_the_list_is_of_this_cluster_with_what_became_of_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["memory", "list"]) == 0
    told = capsys.readouterr().out
    assert "cluster one, kept in /state/memory/qdrant: 2 (durable 1, failed 1)" in told
    for words in ("e1-0", "oom_killed", "durable", "default/shop", "memory of the task: 200 % of the old value"):
        assert words in told
    assert "e3-0" not in told


@pytest.mark.usefixtures("daemon")
def test_one_is_shown_with_all_that_is_known_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["memory", "show", "e1-0"]) == 0
    told = capsys.readouterr().out
    for words in (
        "oom_killed of default/shop", "it held for half an hour, approved by a person", "200 % of the old value",
        "model: model", "for want of memory", "signature 5f", "by 0.1.0, on Nomad 2.0.5",
    ):  # fmt: skip
        assert words in told
    assert "\x1b" not in told


@pytest.mark.usefixtures("daemon")
def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["memory", "show", "e1-0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (one,) = told["memories"]
    assert told["cluster"] == "one" and told["kept"] == "/state/memory/qdrant"
    assert one["steps"] == [
        {"op": "memory", "at": ["group", "task"], "from": "times", "line": "memory of the task: 200 % of the old value"}
    ]
    assert (one["outcome"], one["approved"], one["nomadVersion"]) == ("durable", True, "2.0.5")


@pytest.mark.usefixtures("daemon")
def test_what_is_forgotten_is_gone(capsys: pytest.CaptureFixture[str], notes: InMemory) -> None:
    assert main(["memory", "forget", "e1-0"]) == 0
    assert "forgotten: 1" in capsys.readouterr().out
    assert remembered(notes) == {"e2-0", "e3-0"}
    assert main(["memory", "forget", "--all"]) == 0
    assert remembered(notes) == {"e3-0"}
    assert main(["memory", "forget", "--all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"forgotten": 0}


@pytest.mark.usefixtures("daemon")
@pytest.mark.parametrize("action", ["show", "forget"])
def test_what_is_not_there_is_named_and_nothing_is_done(
    action: str, capsys: pytest.CaptureFixture[str], notes: InMemory
) -> None:
    assert main(["memory", action, "e1-0", "e3-0"]) != 0
    assert "nothing is remembered as e3-0" in capsys.readouterr().err
    assert len(notes.notes) == 4


@pytest.mark.parametrize(
    "words", [["list", "e1"], ["show"], ["forget"], ["forget", "e1", "--all"], ["list", "--all"], ["sing"]]
)
def test_wrong_words_are_told(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["memory", *words]) == 2
    assert "error:" in capsys.readouterr().err


def test_forgetting_takes_the_token(daemon: str, notes: InMemory) -> None:
    answer = httpx.post(f"{daemon}/api/v1/memory/forget", json={"keys": ["e1-0"]})
    assert answer.status_code == 401
    assert "e1-0" in notes.notes


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"keys": []}', b'{"keys": [1]}', b'{"keys": "e1-0"}', b'{"keys": ["a"], "all": 1}']
)
def test_a_body_that_names_nothing_forgets_nothing(daemon: str, served: Any, notes: InMemory, body: bytes) -> None:
    headers = {"authorization": f"Bearer {served.token}"}
    answer = httpx.post(f"{daemon}/api/v1/memory/forget", content=body, headers=headers)
    assert answer.status_code == 400
    assert len(notes.notes) == 4


@pytest.mark.usefixtures("daemon")
def test_a_memory_that_is_away_is_told(capsys: pytest.CaptureFixture[str], notes: InMemory) -> None:
    notes.away = True
    assert main(["memory", "list"]) == 1
    assert "the memory is away" in capsys.readouterr().err


def test_a_daemon_without_a_memory_says_so(served: Any, backend: Any) -> None:
    """The fixture's daemon has one; here the part of the web alone."""
    from starlette.applications import Starlette

    from nomad_operator.web_memory import WebMemory

    app = Starlette(routes=WebMemory(memories=None, refused=lambda _request: None).routes())

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:
            return await client.get("/api/v1/memory")

    answer = asyncio.run(ask())
    assert "nothing is remembered here" in answer.json()["error"]


def test_where_no_daemon_runs_and_nothing_is_remembered_that_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("NOMAD_OPERATOR_LISTEN", f"127.0.0.1:{unused_tcp_port}")
    monkeypatch.setenv("NOMAD_OPERATOR_STATE_URL", f"sqlite://{tmp_path}/state.db")
    monkeypatch.setenv("NOMAD_OPERATOR_MEMORY", "off")
    assert main(["memory", "list"]) == 2
    assert "nothing is remembered here" in capsys.readouterr().err


def test_a_daemon_of_elsewhere_that_is_away_is_not_replaced_by_what_is_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("NOMAD_OPERATOR_ADDR", f"http://127.0.0.1:{unused_tcp_port}")
    assert main(["memory", "list"]) == 1
    assert "no nomad-operator answers" in capsys.readouterr().err


SHOP = Lived(
    "default/shop", "one", frozenset({"language python", "framework flask", "type service", "reads REDIS_URL"}),
    MappingProxyType({"env.REDIS_URL": Said("consul: {app}/redis", "person")}), AT, "0.1.0",
)  # fmt: skip


@pytest.mark.usefixtures("daemon")
def test_apps_that_run_healthy_are_listed_shown_and_forgotten(
    capsys: pytest.CaptureFixture[str], notes: InMemory
) -> None:
    notes.notes |= {one.key: one.note() for one in (SHOP, replace(SHOP, cluster="two"))}
    assert main(["memory", "list"]) == 0
    told = capsys.readouterr().out
    assert "apps that run healthy:" in told and "app-two" not in told and "python flask service" in told
    assert main(["memory", "show", "app-one/default/shop"]) == 0
    told = capsys.readouterr().out
    assert "env.REDIS_URL" in told and "consul: {app}/redis" in told and "person" in told
    assert main(["memory", "show", "app-one/default/shop", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["memories"] == [] and [Lived.read(one) for one in answer["apps"]] == [SHOP]
    assert main(["memory", "forget", "app-one/default/shop"]) == 0
    assert Lived.of(notes.notes["app-one/default/shop"]) is None
    assert Lived.of(notes.notes["app-two/default/shop"]) is not None


async def test_what_people_had_forgotten_of_an_app_is_not_remembered_again(notes: InMemory) -> None:
    async def where() -> Where:
        return Where("one")

    experience = Experience(notes=notes, where=where)
    await experience.remember_app(SHOP)
    assert await experience.apps() == (SHOP,)
    await experience.forget([SHOP.key])
    await experience.remember_app(SHOP)
    assert await experience.apps() == ()
    notes.away = True
    assert await experience.apps_like(SHOP.about, app="default/cart") == AppsRecalled()


def test_init_suggests_what_apps_like_it_say(
    daemon: str, notes: InMemory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No model is there, and the app that it is from is named."""
    notes.notes[SHOP.key] = SHOP.note()
    (tmp_path / "cart").mkdir()
    (tmp_path / "cart" / "requirements.txt").write_text("flask\n")
    (tmp_path / "cart" / "app.py").write_text("import flask, os\nos.environ['REDIS_URL']\n")
    main(["init", str(tmp_path / "cart"), "--no-questions", "--output", "-"])
    told = capsys.readouterr()
    assert "consul: cart/redis" in told.out and "memory: default/shop" in told.out
    main(["init", str(tmp_path / "cart"), "--no-questions", "--output", "-", "--skip-infra-check"])
    assert "default/shop" not in capsys.readouterr().out
