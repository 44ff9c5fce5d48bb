"""`init` as people meet it: at a terminal with Ctrl-C and a second go, through pipes, and up to a healthy job."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.pty_session import CTRL_D, PtySession, environment
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream

SAMPLES = Path(__file__).parents[1] / "samples"
FLASK = "flask-api"
Sit = Callable[..., PtySession]


@pytest.fixture(autouse=True)
def code(tmp_path: Path) -> None:
    """The code in a folder that is called as the app is."""
    shutil.copytree(SAMPLES / FLASK / "code", tmp_path / FLASK)


@pytest.fixture
def sit(tmp_path: Path) -> Iterator[Sit]:
    """Somebody sits down at a terminal and types a command."""
    sessions: list[PtySession] = []

    def begin(*arguments: str, **options: object) -> PtySession:
        sessions.append(PtySession(*arguments, folder=tmp_path, **options))  # type: ignore[arg-type]
        return sessions[-1]

    yield begin
    for one in sessions:
        one.kill()


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_ctrl_c_loses_no_answer_and_the_next_init_goes_on(sit: Sit, tmp_path: Path, term: str) -> None:
    first = sit("init", FLASK, "--skip-infra-check", term=term)
    first.expect("dockerfile [Dockerfile]: ").send("")
    first.expect("env.SECRET_KEY [vault: secret/data/flask-api/config#secret_key]: ").send("")
    first.expect("env.DB_HOST: ").send("db.cluster")
    first.expect("env.REDIS_URL [consul: flask-api/config/redis_url]: ").interrupt()
    assert "kept in apps/.flask-api.answers" in first.screen
    assert first.end() == 130
    assert not (tmp_path / "apps" / "flask-api.yaml").exists()

    second = sit("init", FLASK, "--skip-infra-check", term=term)
    second.expect("going on with 3 answers")
    second.expect("env.REDIS_URL [consul: flask-api/config/redis_url]: ").send("")
    assert "env.DB_HOST: " not in second.screen
    second.expect("values [take]: ").send("")
    second.expect("review [write]: ").send("")
    second.expect("apps/flask-api.yaml")
    assert second.end() == 0
    spec = yaml.safe_load((tmp_path / "apps" / "flask-api.yaml").read_text())["spec"]
    assert spec["env"]["DB_HOST"] == {"fixed": "db.cluster"}
    assert spec["env"]["SECRET_KEY"] == {"vault": "secret/data/flask-api/config#secret_key"}
    assert [path.name for path in (tmp_path / "apps").iterdir()] == ["flask-api.yaml"]


def test_the_end_of_input_at_a_terminal_keeps_the_answers_too(sit: Sit, tmp_path: Path) -> None:
    session = sit("init", FLASK, "--skip-infra-check")
    session.expect("dockerfile [Dockerfile]: ").send("")
    session.expect("env.SECRET_KEY [").key(CTRL_D)
    session.expect("kept in apps/.flask-api.answers")
    assert session.end() == 1


def test_a_process_that_is_killed_has_lost_nothing(sit: Sit, tmp_path: Path) -> None:
    session = sit("init", FLASK, "--skip-infra-check")
    session.expect("dockerfile [Dockerfile]: ").send("")
    session.expect("env.SECRET_KEY [").send("")
    session.expect("env.DB_HOST: ")
    session.kill()
    assert "env.SECRET_KEY = vault:" in (tmp_path / "apps" / ".flask-api.answers").read_text()


def test_a_line_that_is_edited_begins_with_what_is_there(sit: Sit, tmp_path: Path) -> None:
    """Variable by variable: a source is chosen, its path is there to be edited, and a field of it."""
    session = sit("init", FLASK, "--skip-infra-check")
    session.expect("dockerfile [Dockerfile]: ").send("")
    session.expect("env.SECRET_KEY [").send("vault")
    session.expect("env.SECRET_KEY: secret/data/flask-api/config#secret_key").send("2")
    session.expect("env.DB_HOST: ").send("back").expect("env.SECRET_KEY: ").send("")
    session.expect("env.DB_HOST: ").send("none")
    session.expect("env.REDIS_URL [").send("")
    session.expect("values [take]: ").send("variables")
    session.expect("env.DB_PASSWORD [").send("fixed")
    session.expect("! ").send("")
    session.expect("env.DB_USER [").send("fixed: shop")
    session.expect("env.GREETING [").send("")
    session.expect("env.SECRET_KEY [").send("")
    session.expect("env.APP_HOST [").send("")
    session.expect("env.REDIS_URL [").send("")
    session.expect("values [take]: ").send("")
    session.expect("review [write]: ").send("")
    assert session.end() == 0
    env = yaml.safe_load((tmp_path / "apps" / "flask-api.yaml").read_text())["spec"]["env"]
    assert env["SECRET_KEY"] == {"vault": "secret/data/flask-api/config#secret_key"}
    assert (env["DB_USER"], "DB_HOST" in env) == ({"fixed": "shop"}, False)


def test_a_terminal_that_is_narrow_shows_every_source(sit: Sit) -> None:
    session = sit("init", str(SAMPLES / "video-transcription" / "code"), "--skip-infra-check", columns=60)
    session.expect("dockerfile [Dockerfile]: ").send("").expect("vault.role [none]: ").send("")
    session.expect("values [take]: ").interrupt()
    assert session.end() == 130
    assert "vault: secret/data/video-transcription/s3#access_key" in session.screen
    assert "build_yaml: build.yaml:21" in session.screen


def test_a_service_that_is_away_is_told_and_people_decide(sit: Sit, tmp_path: Path) -> None:
    away = {"VAULT_ADDR": "http://127.0.0.1:9", "VAULT_TOKEN": "x"}
    session = sit("init", FLASK, settings=away)
    session.expect("dockerfile [Dockerfile]: ").send("")
    session.expect("! ").expect("go on [yes]: ").send("no")
    session.expect("nomad-operator doctor")
    assert session.end() == 1
    session = sit("init", FLASK, settings=away)
    session.expect("go on [yes]: ").send("").expect("env.SECRET_KEY [").interrupt()
    assert session.end() == 130


def test_results_alone_are_on_standard_output(tmp_path: Path) -> None:
    typed = "\n\ndb.cluster\n\n\n\n"
    done = subprocess.run(
        [sys.executable, "-m", "nomad_operator", "init", FLASK, "--skip-infra-check"], cwd=tmp_path, input=typed,
        env=environment(tmp_path), text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "apps/flask-api.yaml\n"), done.stderr
    assert "\x1b" not in done.stderr


def test_bytes_that_are_no_text_end_nothing(tmp_path: Path) -> None:
    typed = b"\n\xff\xfe\n\n\x1b[A\ndb.cluster\n\n\n\n"
    done = subprocess.run(
        [sys.executable, "-m", "nomad_operator", "init", FLASK, "--skip-infra-check"], cwd=tmp_path, input=typed,
        env=environment(tmp_path), capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b"apps/flask-api.yaml\n"), done.stderr


def test_sigterm_while_it_asks_leaves_the_answers(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "nomad_operator", "init", FLASK, "--skip-infra-check"], cwd=tmp_path,
        env=environment(tmp_path), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(b"\n\n")
    process.stdin.flush()
    kept = tmp_path / "apps" / ".flask-api.answers"
    until(lambda: kept.exists() and "SECRET_KEY" in kept.read_text(), what="an answer is kept")
    process.send_signal(signal.SIGTERM)
    process.stdin.close()
    assert process.wait(20) != 0
    assert kept.exists()


COMPOSE = """\
services:
  {web}:
    image: {image}
    command: httpd -f -p 8080 -h /etc
    ports: ["8080"]
    environment: {{GREETING: hello, CACHE_URL: "http://{cache}:8080"}}
    depends_on: [{cache}]
    healthcheck: {{test: [CMD, wget, -q, "-O-", "http://localhost:8080/hostname"], interval: 1s}}
  {cache}:
    image: {image}
    command: httpd -f -p 8080 -h /etc
    expose: ["8080"]
"""


@pytest.mark.slow
def test_what_init_writes_is_valid_and_becomes_healthy_jobs(
    nomad: NomadSide, upstream: Upstream, operator: Start, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Two apps of a compose file, one of which asks Nomad's catalog for the other."""
    real, image = request.node.callspec.params["nomad"] == "real", "example/web:1"
    if real:
        # Any that has sh and httpd; nothing is pulled for a test.
        image = os.environ.get("NOMAD_TEST_IMAGE", "")
        if not image:
            pytest.skip("a real Nomad with Docker, and an image of busybox there (NOMAD_TEST_IMAGE)")
    web, cache = nomad.name("web"), nomad.name("cache")
    code = tmp_path / "code"
    code.mkdir()
    (code / "compose.yaml").write_text(COMPOSE.format(web=web, cache=cache, image=image))
    process = operator()
    done = process.command("init", str(code), "--no-questions", "--prompt", "two instances, 32 MB", "--output", "apps/")
    assert (done.returncode, done.stdout) == (0, f"apps/{web}.yaml\napps/{cache}.yaml\n"), done.stderr
    written = {path.name: path.read_text() for path in (process.folder / "apps").iterdir()}
    assert process.command("validate", "--server", "apps").returncode == 0
    upstream.commit({f"apps/{name}": text for name, text in written.items()})
    once = process.command("once", within=120)
    assert once.returncode == 0, once.stdout + once.stderr
    assert nomad.runs(web) and nomad.runs(cache)
    assert nomad.job(web)["TaskGroups"][0]["Count"] == 2


def test_the_page_about_init_shows_what_one_sees(sit: Sit) -> None:
    """Every line of its screens is shown in this run, in this order."""
    typed = ("init", FLASK, "--skip-infra-check", "--prompt", "two instances, at api.cluster")
    first = sit(*typed, columns=118)
    first.expect("dockerfile [Dockerfile]: ").send("")
    first.expect("env.SECRET_KEY [").send("vault: secret/data/flask-api/app#secret_key")
    first.expect("env.DB_HOST: ").send("db.cluster")
    first.expect("env.REDIS_URL [").interrupt()
    assert first.end() == 130
    second = sit(*typed, columns=118)
    second.expect("env.REDIS_URL [").send("").expect("values [take]: ").send("").expect("review [write]: ").send("")
    assert second.end() == 0
    screen = f"{first.screen}\n{second.screen}"
    page = (Path(__file__).parents[2] / "docs" / "init.md").read_text(encoding="utf-8")
    at = 0
    for block in re.findall(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            found = screen.find(line, at)
            assert found >= 0, f"{line!r} is not shown:\n{screen}"
            at = found + len(line)
