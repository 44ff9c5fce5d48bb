"""The real process carries a repair back to git, also when it is killed in the middle of that: one commit, always."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from nomad_operator.embedded.world import Behaviour, Node, World
from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.nomads import EMBEDDED_TASKS, EmbeddedServer
from tests.e2e.operator_process import OperatorProcess
from tests.e2e.waiting import holds, until
from tests.integration.git.git_world import Upstream
from tests.integration.loop.cluster import FAST, job

WORLD = World(
    nodes=(Node(name="node-1", cpu=100_000, memory=100_000),),
    behaviours=(Behaviour(command="hungry", needs_memory=200), Behaviour()),
)
WEB = job(command="hungry", memory=128, update=FAST)
BRANCH = "nomad-operator/repair/default/web"


@pytest.fixture
def nomad() -> Iterator[NomadSide]:
    server = EmbeddedServer(world=WORLD)
    side = NomadSide(server.address, **EMBEDDED_TASKS)
    yield side
    side.close()
    server.stop()


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    made = Upstream(tmp_path / "upstream")
    made.git("config", "receive.denyCurrentBranch", "ignore")
    made.commit({"apps/web.nomad.hcl": WEB})
    return made


def ref(upstream: Upstream, name: str) -> str:
    return upstream.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{name}")


def ours(upstream: Upstream) -> int:
    return int(upstream.git("rev-list", "--count", "--author=nomad-operator", "--all"))


def test_a_push_moves_main_and_the_app_is_as_git_says(operator: Start, upstream: Upstream) -> None:
    process = operator(WRITE_BACK="push", GIT_POLL_SECONDS="3600").start()
    until(lambda: ours(upstream), what="a commit of ours", told=process.said)
    until(lambda: process.app("web").get("overlay") == [], what="no overlay", told=lambda: process.app("web"))
    process.until_ready("web")
    assert "memory = 256" in upstream.git("show", "main:apps/web.nomad.hcl")
    assert process.status()["operator"]["revision"] == ref(upstream, "main")
    holds(lambda: ours(upstream) == 1, seconds=1)


@pytest.mark.parametrize(
    ("way", "hook"), [("branch", "post-receive"), ("push", "pre-receive"), ("push", "post-receive")]
)
def test_killed_in_the_middle_of_the_push_there_is_one_commit_in_the_end(
    operator: Start, upstream: Upstream, way: str, hook: str, tmp_path: Path
) -> None:
    """The server's hook kills the operator: before its branch has moved, or after, when nobody knows of that yet."""
    process = operator(WRITE_BACK=way)
    place = upstream.folder / ".git" / "hooks" / hook
    end = "exit 1" if hook == "pre-receive" else "exit 0"
    place.write_text(f"#!/bin/sh\nkill -9 $(cat {tmp_path / 'pid'})\n{end}\n")
    place.chmod(0o755)
    process.start(ready=False)
    (tmp_path / "pid").write_text(str(process.pid))
    assert process.wait(within=40) == -signal.SIGKILL
    place.unlink()
    until(lambda: ours(upstream) == (1 if hook == "post-receive" else 0), what="the hook is over")
    process.start()
    if way == "push":
        until(lambda: process.app("web").get("overlay") == [], what="no overlay", told=process.said)
    else:
        until(lambda: _written(process), what="the overlay names the commit", told=lambda: process.app("web"))
    process.until_ready("web")
    assert ours(upstream) == 1
    assert ref(upstream, BRANCH if way == "branch" else "main") != ""


def _written(process: OperatorProcess) -> bool:
    overlay = process.app("web").get("overlay") or [{}]
    return "on nomad-operator/repair" in str(overlay[0].get("written"))


def test_a_server_that_declines_holds_back_nothing_and_is_told_once(operator: Start, upstream: Upstream) -> None:
    hook = upstream.folder / ".git" / "hooks" / "update"
    hook.write_text("#!/bin/sh\necho 'only on Mondays' >&2\nexit 1\n")
    hook.chmod(0o755)
    process = operator(WRITE_BACK="push").start()
    process.until_told("dependency down", service="write-back of default/web")
    process.until_ready("web")
    upstream.commit({"apps/other.nomad.hcl": job("other")})
    process.until_ready("other")
    told = process.command("explain", "web").stdout
    assert "not written so far" in told and "only on Mondays" in told
    assert len(process.told("dependency down")) == 1


def test_once_ends_when_the_repair_is_in_git(operator: Start, upstream: Upstream) -> None:
    process = operator(WRITE_BACK="branch")
    ended = process.command("once")
    assert ended.returncode == 0, ended.stderr
    assert ref(upstream, BRANCH) != ""


def test_a_daemon_that_only_observes_writes_nothing(operator: Start, upstream: Upstream) -> None:
    assert operator().command("once").returncode == 0
    process = operator(WRITE_BACK="push", MODE="observe").start()
    assert process.until_app("web", ready="True")["overlay"]
    holds(lambda: ours(upstream) == 0, seconds=1)
    process.stop()
    acting = operator(WRITE_BACK="push").start()
    until(lambda: ours(upstream) == 1, what="a commit of ours", told=acting.said)
