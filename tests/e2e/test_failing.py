"""A commit that does not work: tried once, put back, told, and never tried again by itself."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide, version_of
from tests.e2e.proxy import Proxy
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream


@pytest.mark.parametrize("revert", [True, False], ids=["nomad reverts", "the operator restores"])
def test_a_bad_commit_is_tried_once_and_the_fixing_one_goes_through(
    revert: bool, nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web, revert=revert)})
    process = operator(RESYNC_SECONDS="5").start()
    process.until_ready(web)
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web, task="bad", version="2", revert=revert)})
    app = process.until_app(web, reason="RolledBack", settled=True)
    assert app["ready"] == "False"
    assert [one["tries"] for one in app["failed"]] == [1]
    nomad.until_running(web, "1")
    # Git still asks for what failed: a resync, a restart and a comment do not try it again.
    process.kill()
    upstream.commit({"apps/web.nomad.hcl": "# why\n" + nomad.job_file(web, task="bad", version="2", revert=revert)})
    lists = len(proxy.asked("GET", "/v1/jobs"))
    process.start()
    until(lambda: len(proxy.asked("GET", "/v1/jobs")) > lists + 1, what="two resyncs")
    process.until_app(web, reason="RolledBack", settled=True)
    assert [version_of(one.body["Job"]) for one in proxy.registers(web)] == (["1", "2"] if revert else ["1", "2", "1"])
    assert len(nomad.deployments(web)) == 3
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web, version="3", revert=revert)})
    nomad.until_running(web, "3")
    process.until_ready(web)
    assert process.app(web)["reason"] == "Healthy"


def test_a_first_version_that_fails_is_left_as_written_for_a_person(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web, task="bad")})
    process = operator().start()
    process.until_app(web, reason="HeldFailed", settled=True)
    assert len(proxy.registers(web)) == 1
    assert not nomad.job(web)["Stop"]


def test_what_nomad_refuses_is_told_and_the_running_version_stays(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    process = operator().start()
    process.until_ready(web)
    refused = nomad.job_file(web, version="2").replace("memory = 10", "memory = 1")
    upstream.commit({"apps/web.nomad.hcl": refused})
    until(lambda: any(one["type"] == "ValidationFailed" for one in process.app(web)["conditions"]), what="it is told")
    assert nomad.runs(web, "1")
    assert len(proxy.registers(web)) == 1
