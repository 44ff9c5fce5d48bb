"""What people change by hand is put back: told by an event, and found by a resync when no event comes."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide, version_of
from tests.e2e.proxy import STREAM, Exchange, Proxy
from tests.e2e.waiting import holds, until
from tests.integration.git.git_world import Upstream


def _without_events(exchange: Exchange) -> None:
    """The stream is up and its heart beats, but what happens never arrives."""
    exchange.stream(change=lambda line: b"{}\n" if b'"Events"' in line else line)


@pytest.mark.parametrize("told_by", ["event", "resync"])
def test_stopped_scaled_edited_and_purged_jobs_are_restored_by_one_register_each(
    told_by: str, nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    names = {what: nomad.name(what) for what in ("stopped", "scaled", "edited", "purged")}
    upstream.commit({f"apps/{name}.nomad.hcl": nomad.job_file(name) for name in names.values()})
    if told_by == "resync":
        proxy.rule("GET", STREAM, _without_events)
    # Either the one or the other: the resync is an hour away, or the events are gone.
    process = operator(RESYNC_SECONDS="5" if told_by == "resync" else "3600").start()
    process.until_ready(*names.values())
    nomad.stop(names["stopped"])
    nomad.scale(names["scaled"], 2)
    nomad.edit(names["edited"], "by hand")
    nomad.stop(names["purged"], purge=True)
    for name in names.values():
        until(lambda name=name: len(proxy.registers(name)) == 2, what=f"{name} is restored", told=process.status)
        nomad.until_running(name, "1")
        process.until_ready(name)
        assert len(proxy.registers(name)) == 2
    assert nomad.job(names["scaled"])["TaskGroups"][0]["Count"] == 1
    told = [one["message"] for one in process.told("app", step="Correcting")]
    assert any("'by hand' → '1'" in message for message in told), told
    assert any("the job is gone" in message for message in told), told


def test_drift_that_is_only_told_is_left_as_it_is(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    process = operator(DRIFT="warn").start()
    process.until_ready(web)
    nomad.edit(web, "by hand")
    app = process.until_app(web, step="DriftTold")
    assert "by hand" in app["diff"]
    assert app["reason"] == "Drifted"
    assert len(proxy.registers(web)) == 1
    assert version_of(nomad.job(web)) == "by hand"


def test_a_suspended_app_is_left_alone_until_it_is_resumed(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    process = operator().start()
    process.until_ready(web)
    assert process.command("suspend", web).returncode == 0
    nomad.edit(web, "by hand")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web, version="2")})
    nomad.until_running(web, "by hand")
    # It holds over a restart, too.
    process.kill()
    process.start()
    process.until_app(web, reason="Suspended")
    assert version_of(nomad.job(web)) == "by hand"
    assert len(proxy.registers(web)) == 1
    assert process.command("resume", web).returncode == 0
    nomad.until_running(web, "2")
    process.until_ready(web)
    assert len(proxy.registers(web)) == 2


def test_what_somebody_keeps_changing_back_is_told_and_not_fought_over(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    process = operator(VERIFY_SOAK_SECONDS="0").start()
    process.until_ready(web)
    for corrected in range(1, 4):
        nomad.edit(web, "by hand")
        until(lambda corrected=corrected: len(proxy.registers(web)) == 1 + corrected, what="a correction")
        process.until_ready(web)
    nomad.edit(web, "by hand")
    process.until_app(web, reason="DriftContested")
    holds(lambda: len(proxy.registers(web)) == 4, seconds=0.5, what="no fourth correction")
    # A person who asks for it ends the contest.
    process.ask(web, "reconcile")
    nomad.until_running(web, "1")
