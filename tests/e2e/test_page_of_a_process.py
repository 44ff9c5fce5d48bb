"""The page of a real operator: what it draws is what the operator really tells, from the first second to a repair."""

from __future__ import annotations

import os
import re

import httpx
import pytest

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.operator_process import OperatorProcess
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream


def text(answer: httpx.Response) -> str:
    """What stands on a page, without its tags."""
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]*>", " ", answer.text).replace("&#39;", "'").replace("&#34;", '"').split())


def until_said(process: OperatorProcess, path: str, said: str) -> None:
    until(lambda: said in text(process.get(path)), what=f"{path} says {said}", told=lambda: text(process.get(path)))


def test_every_page_tells_a_failure_its_repair_and_what_can_be_typed(
    nomad: NomadSide, upstream: Upstream, operator: Start
) -> None:
    good, broken = nomad.name("good"), nomad.name("broken")
    upstream.commit({
        f"apps/{good}.nomad.hcl": nomad.job_file(good),
        f"apps/{broken}.nomad.hcl": nomad.job_file(broken).replace("memory = 10", "memory = 1"),
        "apps/wrong.yaml": "apiVersion: nomad-operator/v1\nkind: App\nmetadata: {name: wrong}\nspec: {imagee: x}\n",
    })  # fmt: skip
    process = operator().start(ready=False)
    assert process.get("/").status_code == 200, "also before anything was read"
    process.until_told("episode over", outcome="repaired")
    process.until_ready(good, broken)
    until_said(process, "/", "2 of 3 apps ready")
    assert "2 problems in files wrong.yaml" in text(process.get("/"))
    story = text(process.get(f"/apps/default/{broken}"))
    for said in ("resources_below_minimum", "What was tried", "it stayed healthy", "Differs from git by repairs",
                 f"nomad-operator repairs revert default/{broken}"):  # fmt: skip
        assert said in story, story
    repairs = text(process.get("/repairs"))
    assert "resources_below_minimum" in repairs and "1 repaired, half an hour is not over" in repairs
    until_said(process, "/services", "Not set vault")
    assert "Up git" in text(process.get("/services"))


def test_with_a_token_for_reading_the_commands_read_on_and_strangers_do_not(
    nomad: NomadSide, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    upstream.commit({f"apps/{web}.nomad.hcl": nomad.job_file(web)})
    process = operator(READ_TOKEN="a-token-for-reading").start()
    process.until_ready(web)
    address = str(process.get("/healthz").url).removesuffix("/healthz")
    with httpx.Client(base_url=address, trust_env=False) as stranger:
        assert stranger.get("/api/v1/status").status_code == 401
        assert stranger.get("/").headers["location"] == "/login"
        assert stranger.get("/metrics").status_code == 200
        rebound = stranger.get("/metrics", headers={"host": "evil.example"})
        assert rebound.status_code == 421
    for command in (("status",), ("status", web), ("repairs", "list"), ("explain", web), ("prune",)):
        told = process.command(*command)
        assert told.returncode == 0, told.stderr
    del process.environment["NOMAD_OPERATOR_READ_TOKEN"], process.environment["NOMAD_OPERATOR_API_TOKEN"]
    refused = process.command("status")
    assert refused.returncode == 1 and "token" in refused.stderr and "hint:" in refused.stderr


@pytest.mark.skipif(os.environ.get("NOMAD_TEST_ADDR") is not None, reason="one Nomad is enough for this")
def test_git_that_is_away_is_said_on_every_page(nomad: NomadSide, upstream: Upstream, operator: Start) -> None:
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(nomad.name("web"))})
    process = operator(GIT_URL=f"file://{upstream.folder}-gone").start(ready=False)
    until_said(process, "/", "Git cannot be read")
    assert "Not everything has been read yet" in text(process.get("/"))
    until_said(process, "/services", "Down git")
