"""From a commit to a healthy job, with the real process."""

from __future__ import annotations

import signal

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide, version_of
from tests.e2e.proxy import Proxy
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream


def test_a_committed_job_file_becomes_a_healthy_job_with_one_register(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    revision = upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    process = operator().start()
    app = process.until_app(web, ready="True", settled=True)
    assert nomad.runs(web, "1")
    assert len(proxy.registers(web)) == 1
    assert app["source"] == {"path": "web.nomad.hcl", "revision": revision}
    # The next commit goes the same way, and a third one that changes only a comment is not a new spec.
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web, version="2")})
    until(lambda: nomad.runs(web, "2"), what="the second version")
    process.until_ready(web)
    upstream.commit({"apps/web.nomad.hcl": "# a word\n" + nomad.job_file(web, version="2")})
    revision = upstream.git("rev-parse", "HEAD")
    until(lambda: process.status()["operator"]["revision"] == revision, what="the comment is read")
    process.until_ready(web)
    assert len(proxy.registers(web)) == 2
    assert process.stop() == 0


def test_a_webhook_registers_the_commit_long_before_the_next_poll(
    nomad: NomadSide, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    process = operator(GIT_POLL_SECONDS="3600", WEBHOOK_SECRET="hush").start()
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    refused = process.post("/hooks/git", json={}, headers={"authorization": "Bearer wrong"})
    assert refused.status_code == 401
    assert process.post("/hooks/git", json={}, headers={"x-gitlab-token": "hush"}).status_code == 202
    nomad.until_running(web)
    process.until_ready(web)


def test_a_job_that_is_as_desired_is_adopted_without_a_write_and_another_one_is_asked_about(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    same, other = nomad.name("same"), nomad.name("other")
    nomad.register(nomad.job_file(same))
    nomad.register(nomad.job_file(other, version="by hand"))
    nomad.until_running(same)
    upstream.commit({f"apps/{name}.nomad.hcl": nomad.job_file(name) for name in (same, other)})
    process = operator().start()
    process.until_ready(same)
    asked = process.until_app(other, reason="AdoptionRequired")
    assert "by hand" in asked["diff"]
    assert proxy.writes() == []
    taken = process.command("adopt", other)
    assert taken.returncode == 0, taken.stderr
    process.until_ready(other)
    assert version_of(nomad.job(other)) == "1"
    assert [len(proxy.registers(name)) for name in (same, other)] == [0, 1]


def test_a_batch_job_runs_once_and_is_not_run_again_after_nomad_has_forgotten_it(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    load = nomad.name("load")
    upstream.commit({"apps/load.nomad.hcl": nomad.job_file(load, task="done", type="batch")})
    process = operator(RESYNC_SECONDS="5").start()
    process.until_app(load, ready="True", reason="Completed")
    nomad.stop(load, purge=True)
    lists = len(proxy.asked("GET", "/v1/jobs"))
    until(lambda: len(proxy.asked("GET", "/v1/jobs")) > lists + 1, what="two resyncs")
    assert nomad.job(load) is None
    assert process.app(load)["ready"] == "True"
    assert len(proxy.registers(load)) == 1


def test_sigterm_ends_it_cleanly_and_a_restart_writes_nothing(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    names = [nomad.name(short) for short in ("a", "b", "c")]
    upstream.commit({f"apps/{name}.nomad.hcl": nomad.job_file(name) for name in names})
    process = operator().start()
    process.until_ready(*names)
    assert process.stop() == 0
    before = len(proxy.writes())
    process.start()
    process.until_ready(*names)
    process.signal(signal.SIGINT)
    assert process.wait() == 0
    assert len(proxy.writes()) == before == 3


def test_observe_tells_what_it_would_do_and_writes_nothing(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web, gone = nomad.name("web"), nomad.name("gone")
    upstream.commit({f"apps/{name}.nomad.hcl": nomad.job_file(name) for name in (web, gone)})
    process = operator().start()
    process.until_ready(web, gone)
    process.stop()
    upstream.commit({"apps/new.nomad.hcl": nomad.job_file(nomad.name("new")), f"apps/{gone}.nomad.hcl": None})
    nomad.edit(web, "by hand")
    nomad.until_running(web, "by hand")
    index, writes = nomad.index(), len(proxy.writes())
    process.environment["NOMAD_OPERATOR_MODE"] = "observe"
    process.start()
    process.until_app(nomad.name("new"), reason="ObserveOnly")
    process.until_app(web, reason="ObserveOnly")
    process.until_app(gone, reason="ObserveOnly")
    assert process.stop() == 0
    assert len(proxy.writes()) == writes
    assert nomad.job(nomad.name("new")) is None
    assert version_of(nomad.job(web)) == "by hand"
    assert not nomad.job(gone)["Stop"]
    assert nomad.index() >= index
