"""Apps that leave things to their code, with the real process: facts, questions, answers, and other repositories."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.model_endpoint import Body, ModelEndpoint, answer, failure, model_endpoint
from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.nomads import nomad_side
from tests.e2e.operator_process import OperatorProcess
from tests.e2e.proxy import Proxy
from tests.e2e.waiting import holds, until
from tests.integration.git.git_world import HttpServer, Upstream, free_port

CODE = {
    "Dockerfile": 'FROM python:3.12\nEXPOSE 8000\nCMD ["python", "app.py"]\n',
    "app.py": 'import os\nprint(os.getenv("LOG_LEVEL", "info"))\n',
}


@pytest.fixture
def nomad() -> Iterator[NomadSide]:
    """The embedded one: what is generated runs images, and the real agent of the tests need not have Docker."""
    with nomad_side("embedded") as side:
        yield side


def _in(folder: str, files: dict[str, str]) -> dict[str, str]:
    return {f"{folder}/{name}": text for name, text in files.items()}


def _manifest(name: str, *lines: str) -> str:
    quick = "job: {update: {min_healthy_time: 300ms}}"
    said = "".join(f"  {line}\n" for line in (*lines, quick))
    return f"apiVersion: nomad-operator/v1\nkind: App\nmetadata: {{name: {name}}}\nspec:\n{said}"


def _task(nomad: NomadSide, name: str) -> dict[str, Any]:
    task: dict[str, Any] = (nomad.job(name) or {})["TaskGroups"][0]["Tasks"][0]
    return task


def test_a_new_question_leaves_what_runs_alone_and_its_answer_is_deployed(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    api = nomad.name("api")
    source, image = "source: {path: services/api}", "image: example/good:1"
    upstream.commit({**_in("services/api", CODE), "apps/api.yaml": _manifest(api, source, image)})
    process = operator().start()
    process.until_ready(api)
    ports = (nomad.job(api) or {})["TaskGroups"][0]["Networks"][0]["DynamicPorts"]
    assert [port["To"] for port in ports] == [8000]
    values = {one["id"]: one["source"] for one in process.app(api)["values"]}
    assert values["ports.http"] == "dockerfile: Dockerfile:2"
    assert values["image"] == "api.yaml"

    greeting = 'import os\nprint(os.environ["GREETING"])\n'
    revision = upstream.commit({"services/api/app.py": greeting})
    asked = process.until_app(api, reason="QuestionsOpen")
    [question] = asked["questions"]
    assert question["id"] == "env.GREETING" and "fixed" in question["choices"] and "app.py:2" in question["question"]
    assert "stays in force until it is answered" in asked["message"]
    assert process.status()["operator"]["revision"] == revision
    shown = process.command("status", api)
    assert "spec.env.GREETING" in shown.stdout
    planned = process.command("plan", "--json")
    assert "env.GREETING" in json.dumps(json.loads(planned.stdout)), planned.stdout
    holds(lambda: len(proxy.registers(api)) == 1, seconds=1, what="nothing is registered while it is asked")
    assert nomad.job(api) is not None and (nomad.job(api) or {})["Status"] == "running"

    upstream.commit({"apps/api.yaml": _manifest(api, source, image, "env: {GREETING: {fixed: hello}}")})
    process.until_ready(api)
    assert _task(nomad, api)["Env"]["GREETING"] == "hello"
    assert len(proxy.registers(api)) == 2
    # The same again from the other end: nothing is different by now, also for a process of its own.
    planned = process.command("plan", "--json")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert process.stop() == 0


def test_a_commit_beside_the_code_changes_nothing(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    api = nomad.name("api")
    manifest = _manifest(api, "source: {path: services/api}", "image: example/good:1")
    upstream.commit({**_in("services/api", CODE), "apps/api.yaml": manifest})
    process = operator().start()
    process.until_ready(api)
    revision = upstream.commit({"README.md": "more words", "services/other/app.py": "import os\nos.environ['X']\n"})
    until(lambda: process.status()["operator"]["revision"] == revision, what="the commit is in force")
    process.until_ready(api)
    assert len(proxy.registers(api)) == 1


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[Upstream, HttpServer]]:
    """Another repository, behind a server of its own."""
    shop = Upstream(tmp_path / "served" / "team" / "shop.git")
    shop.commit(_in("services/shop", CODE))
    server = HttpServer(tmp_path / "served")
    yield shop, server
    server.close()


def _conditions(process: OperatorProcess, name: str) -> dict[str, str]:
    return {one["type"]: one["message"] for one in process.app(name).get("conditions", [])}


def test_another_repository_is_followed_and_its_server_may_go_away(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start, elsewhere: tuple[Upstream, HttpServer]
) -> None:
    shop, server = elsewhere
    name = nomad.name("shop")
    url = server.url("team/shop.git")
    source = f"source: {{git: {url!r}, ref: main, path: services/shop}}"
    upstream.commit({"apps/shop.yaml": _manifest(name, source, "image: example/good:1")})
    process = operator(SOURCE_POLL_SECONDS="5", GIT_TOKEN="t0p-s3cr3t-token-of-the-main-one").start()
    process.until_ready(name)

    shop.commit({"services/shop/Dockerfile": "FROM python:3.12\nEXPOSE 9000\n"})
    until(lambda: len(proxy.registers(name)) == 2, what="the commit there is registered", told=process.said)
    process.until_ready(name)
    ports = (nomad.job(name) or {})["TaskGroups"][0]["Networks"][0]["DynamicPorts"]
    assert [port["To"] for port in ports] == [9000]

    server.status = 503
    until(lambda: "ObserveFailed" in _conditions(process, name), what="it is told", told=process.said)
    assert "last good revision of its source stays in force" in _conditions(process, name)["ObserveFailed"]
    app = process.app(name)
    assert (app["ready"], app["reason"]) == ("True", "Healthy")
    # Started again with the server away, it knows what it knew.
    assert process.stop() == 0
    process.start()
    process.until_ready(name)
    assert process.command("plan").returncode == 0
    assert len(proxy.registers(name)) == 2

    server.status = None
    until(lambda: "ObserveFailed" not in _conditions(process, name), what="it is back", told=process.said)
    # Its ref goes: the same.
    shop.git("branch", "-m", "main", "trunk")
    until(lambda: "ObserveFailed" in _conditions(process, name), what="the ref is missed", told=process.said)
    assert "main" in _conditions(process, name)["ObserveFailed"]
    assert process.app(name)["ready"] == "True" and len(proxy.registers(name)) == 2
    assert all(header is None for header in server.seen), "the token of the main repository is for its server alone"


def test_what_cannot_be_fetched_costs_its_own_app_alone(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    away, web = nomad.name("away"), nomad.name("web")
    source = f"source: {{git: 'http://127.0.0.1:{free_port()}/team/shop.git'}}"
    upstream.commit(
        {
            "apps/away.yaml": _manifest(away, source, "image: example/good:1"),
            "apps/web.yaml": _manifest(web, "image: example/good:1"),
        }
    )
    process = operator().start()
    process.until_ready(web)
    app = process.until_app(away, reason="DesiredUnreadable")
    assert "/team/shop.git" in app["message"]
    assert proxy.registers(away) == []
    # Nothing hides in it: what is taken away elsewhere is pruned all the same.
    upstream.commit({"apps/web.yaml": None})
    until(lambda: (nomad.job(web) or {"Stop": True})["Stop"], what="it is stopped", told=process.said)


def test_once_waits_for_what_is_fetched(
    nomad: NomadSide, upstream: Upstream, operator: Start, elsewhere: tuple[Upstream, HttpServer]
) -> None:
    _, server = elsewhere
    name = nomad.name("shop")
    source = f"source: {{git: {server.url('team/shop.git')!r}, path: services/shop}}"
    upstream.commit({"apps/shop.yaml": _manifest(name, source, "image: example/good:1")})
    done = operator().command("once", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["apps"][0]["ready"] == "True"


def test_places_on_the_operators_machine_are_not_read_for_a_commit(
    nomad: NomadSide, upstream: Upstream, operator: Start, tmp_path: Path
) -> None:
    """The main repository is behind a server; a manifest names a folder on the disk of the operator."""
    name = nomad.name("spy")
    private = Upstream(tmp_path / "private")
    private.commit(CODE)
    served = Upstream(tmp_path / "main" / "apps.git")
    source = f"source: {{git: 'file://{private.folder}'}}"
    served.commit({"apps/spy.yaml": _manifest(name, source, "image: example/good:1")})
    server = HttpServer(tmp_path / "main")
    process = operator(GIT_URL=server.url("apps.git")).start()
    app = process.until_app(name, ready="False")
    assert "on the operator's own machine" in app["message"]
    process.stop()
    server.close()


@pytest.fixture
def model() -> Iterator[ModelEndpoint]:
    with model_endpoint(failure(500)) as endpoint:
        yield endpoint


def _says(body: Body) -> dict[str, Any]:
    """What the readme and the words say, to whichever question it is."""
    asked = body["response_format"]["json_schema"]
    names = asked["schema"]["required"]
    if asked["name"] == "intent":
        return {"answers": [{"id": "resources.memory", "answer": "512", "words": "half a gigabyte of memory"}]}
    rests = {"path": "README.md", "line": 1, "recalled": None, "reason": "the readme says so"}
    said = {name: {"answer": "fixed: hello", **rests} for name in names if name == "env.GREETING"}
    return {**dict.fromkeys(names), **({"variables": []} if "variables" in names else {}), **said}


def test_a_model_answers_for_code_while_nobody_looks_and_the_same_after_a_restart(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start, model: ModelEndpoint
) -> None:
    api = nomad.name("api")
    code = {
        "Dockerfile": "FROM python:3.12\nEXPOSE 8000\n", "app.py": 'import os\nprint(os.environ["GREETING"])\n',
        "README.md": "Start it with GREETING=hello.\n",
    }  # fmt: skip
    said = ("source: {path: services/api}", "image: example/good:1", 'prompt: "half a gigabyte of memory, please"')
    upstream.commit({**_in("services/api", code), "apps/api.yaml": _manifest(api, *said)})
    process = operator(MODEL="qwen3")
    process.environment["OPENAI_BASE_URL"] = model.base_url
    model.say(answer(_says))
    process.start().until_ready(api)
    task = _task(nomad, api)
    assert task["Env"]["GREETING"] == "hello" and task["Resources"]["MemoryMB"] == 512
    values = {one["id"]: one["source"] for one in process.app(api)["values"]}
    assert values["env.GREETING"] == "model: README.md:1" and values["resources.memory"] == "prompt"
    assert len(proxy.registers(api)) == 1, "nothing was deployed before the words were read"
    asked = len(model.questions)

    process.stop()
    model.say(failure(500))
    process.start().until_ready(api)
    upstream.commit({"README.md": "Something else.\n"})
    until(lambda: process.app(api).get("ready") == "True", what="it stays", told=lambda: process.app(api))
    assert len(proxy.registers(api)) == 1 and len(model.questions) == asked
