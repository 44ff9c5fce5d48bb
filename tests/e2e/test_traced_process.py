"""The whole process with a Langfuse beside it: what it sends, and that one which hangs holds nothing up."""

from __future__ import annotations

import socket
import time

import pytest

from tests.doubles.langfuse_server import PUBLIC_KEY, SECRET_KEY, LangfuseDouble, langfuse_double
from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.operator_process import OperatorProcess
from tests.integration.git.git_world import Upstream


def with_langfuse(process: OperatorProcess, address: str) -> OperatorProcess:
    process.environment |= {
        "LANGFUSE_HOST": address, "LANGFUSE_PUBLIC_KEY": PUBLIC_KEY, "LANGFUSE_SECRET_KEY": SECRET_KEY
    }  # fmt: skip
    return process


def names(double: LangfuseDouble) -> dict[str, set[str]]:
    """Of each trace by its name: the spans of all of that name."""
    found: dict[str, set[str]] = {}
    for span in double.spans:
        found.setdefault(span.attributes["langfuse.trace.name"], set()).add(span.name)
    return found


def test_a_deployment_is_traced_from_git_to_nomad(nomad: NomadSide, upstream: Upstream, operator: Start) -> None:
    web = nomad.name("web")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    with langfuse_double() as double:
        done = with_langfuse(operator(), double.address).command("once")
        assert done.returncode == 0, done.stderr
        found = names(double)
        assert {"observe", "decide", "act", "report", "nomad: POST jobs"} <= found["pass"]
        assert {"git", "git: fetch"} <= found["git"]
        assert {span.attributes["session.id"] for span in double.spans} == {f"default/{web}", "git"}
        assert SECRET_KEY.encode() not in double.everything
    assert nomad.runs(web)


@pytest.mark.parametrize("where", ["hangs", "refuses connections"])
def test_a_langfuse_that_is_away_holds_nothing_up(
    nomad: NomadSide, upstream: Upstream, operator: Start, where: str
) -> None:
    web = nomad.name("web")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        if where == "hangs":
            deaf.listen(50)
        process = with_langfuse(operator(), f"http://127.0.0.1:{deaf.getsockname()[1]}").start()
        nomad.until_running(web)
        begun = time.monotonic()
        process.stop()
        # Two seconds are what traces, and what scores, may take at most.
        assert time.monotonic() - begun < 10
        if where != "hangs":
            down = [line["service"] for line in process.log if line.get("event") == "dependency down"]
            assert "traces to langfuse" in down
            assert len(set(down)) == len(down)
            assert SECRET_KEY not in process.said()
