"""What goes wrong between the operator and Nomad, and at Nomad: it waits, goes on, and never acts twice."""

from __future__ import annotations

import threading

import pytest

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide, version_of
from tests.e2e.nomads import EMBEDDED_TASKS, EmbeddedServer
from tests.e2e.proxy import (
    STREAM,
    Act,
    Exchange,
    Proxy,
    answers,
    cut_in_the_middle,
    held_until,
    lost_on_the_way_back,
    lost_on_the_way_there,
    passed_on,
    silent_stream,
)
from tests.e2e.waiting import holds, until
from tests.integration.git.git_world import Upstream


def _files(nomad: NomadSide, *names: str, version: str = "1") -> dict[str, str | bytes | None]:
    return {f"apps/{name}.nomad.hcl": nomad.job_file(name, version=version) for name in names}


def test_nomad_away_for_a_while_is_one_line_in_the_log_and_what_happened_meanwhile_is_found(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web, other, new = nomad.name("web"), nomad.name("other"), nomad.name("new")
    upstream.commit(_files(nomad, web, other))
    process = operator(RESYNC_SECONDS="3600").start()
    process.until_ready(web, other)
    proxy.down()
    revision = upstream.commit({**_files(nomad, new), **_files(nomad, web, version="2")})
    nomad.edit(other, "by hand")
    until(lambda: process.status()["operator"]["revision"] == revision, what="git is followed all the same")
    process.until_told("dependency down", service="nomad")
    assert process.status()["operator"]["nomadProblem"]
    assert all(any(one["type"] == "ObserveFailed" for one in app["conditions"]) for app in process.status()["apps"])
    assert 'dependency_up{service="nomad"} 0.0' in process.get("/metrics").text
    # Its buffer was emptied: no event of what happened meanwhile ever comes.
    proxy.rule("GET", STREAM, _without_events)
    proxy.up()
    for name, version in ((web, "2"), (other, "1"), (new, "1")):
        until(lambda name=name, version=version: nomad.runs(name, version), within=60, what=name, told=process.said)
        process.until_ready(name, within=60)
    assert [len(proxy.registers(name)) for name in (web, other, new)] == [2, 2, 1]
    assert proxy.stops() == []
    process.until_told("dependency back", service="nomad")
    assert not process.status()["operator"]["nomadProblem"]
    assert len(process.told("dependency down")) == len(process.told("dependency back")) == 1
    assert process.told("pass failed") == []


def test_a_nomad_that_hangs_is_told_within_seconds_and_what_hung_is_done_once(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    """No connection breaks, as with a process that was stopped or a machine that stands still."""
    web = nomad.name("web")
    upstream.commit(_files(nomad, web))
    process = operator(RESYNC_SECONDS="3600").start()
    process.until_ready(web)
    until(lambda: proxy.asked("GET", "/v1/status/leader"), what="it is known that this is answered", told=process.said)
    released = threading.Event()
    hangs = proxy.rule("*", "/v1/.*", held_until(released))
    upstream.commit(_files(nomad, web, version="2"))
    process.until_told("dependency down", service="nomad", within=25)
    assert any(one["type"] == "ObserveFailed" for one in process.app(web)["conditions"])
    proxy.heal(hangs)
    released.set()
    until(lambda: nomad.runs(web, "2"), what="it goes on", told=process.said)
    process.until_ready(web)
    process.until_told("dependency back", service="nomad")
    assert len(proxy.registers(web)) == 2
    assert len(process.told("dependency down")) == 1


def _without_events(exchange: Exchange) -> None:
    exchange.stream(change=lambda line: b"{}\n" if b'"Events"' in line else line)


def test_a_nomad_restored_from_an_older_snapshot_is_brought_to_what_git_says(
    upstream: Upstream, operator: Start, proxy: Proxy, nomad: NomadSide
) -> None:
    """Indexes go back, one job is older, one is not there at all."""
    if not _embedded(nomad):
        pytest.skip("a real Nomad is not restored by a test")
    old, lost = nomad.name("old"), nomad.name("lost")
    upstream.commit(_files(nomad, old, lost))
    process = operator(RESYNC_SECONDS="3600").start()
    process.until_ready(old, lost)
    upstream.commit(_files(nomad, old, version="2"))
    process.until_app(old, ready="True", settled=True)
    until(lambda: nomad.runs(old, "2"), what="the second version")
    process.until_ready(old)
    restored = EmbeddedServer()
    side = NomadSide(restored.address, **EMBEDDED_TASKS)
    try:
        side.register(nomad.job_file(old))
        side.until_running(old)
        assert side.index() < nomad.index()
        before = len(proxy.registers())
        proxy.upstream = restored.address
        proxy.cut()
        until(lambda: side.runs(old, "2"), what="brought up again", told=process.said)
        side.until_running(lost)
        process.until_ready(old, lost)
        assert len(proxy.registers()) - before == 2
        assert proxy.stops() == []
    finally:
        side.close()
        process.end()
        restored.stop()


def _embedded(nomad: NomadSide) -> bool:
    return "example/good" in nomad.job_file("x")


def test_whatever_becomes_of_a_register_it_is_accepted_exactly_once(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    faults: dict[str, Act] = {
        "there": lost_on_the_way_there,
        "back": lost_on_the_way_back,
        "cut": cut_in_the_middle,
        "500": answers(500, "rpc error: No cluster leader"),
        "429": answers(429, "slow down", Retry_After="1"),
    }
    happened: dict[str, int] = {}

    def faulty(exchange: Exchange) -> None:
        if exchange.method == "GET":
            return passed_on(exchange)
        short = str(exchange.body["Job"]["ID"]).removeprefix(nomad.prefix)
        happened[short] = happened.get(short, 0) + 1
        return faults[short](exchange) if happened[short] == 1 else passed_on(exchange)

    proxy.rule("*", "/v1/jobs", faulty)
    names = [nomad.name(short) for short in faults]
    upstream.commit(_files(nomad, *names))
    process = operator().start()
    process.until_ready(*names, within=60)
    for name in names:
        assert nomad.job(name)["Version"] == 0, name
        assert nomad.runs(name, "1")
    assert happened == {"there": 2, "back": 1, "cut": 1, "500": 2, "429": 2}


@pytest.mark.parametrize("fault", ["500", "429", "cut", "refused"])
def test_reads_that_fail_are_tried_again_and_nothing_is_decided_on_half_an_answer(
    fault: str, nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    acts: dict[str, Act] = {
        "500": answers(500, "rpc error: No cluster leader"),
        "429": answers(429, "slow down"),
        "cut": cut_in_the_middle,
        "refused": lost_on_the_way_there,
    }
    names = [nomad.name(short) for short in "ab"]
    upstream.commit(_files(nomad, *names))
    process = operator(RESYNC_SECONDS="5").start()
    process.until_ready(*names)
    broken = proxy.rule("*", "/v1/(jobs|jobs/statuses|job/[^/]+(/allocations|/deployment|/plan)?)", acts[fault])
    nomad.edit(names[0], "by hand")
    process.until_told("dependency down", service="nomad")
    # Half an answer must not look like an app that is gone, nor like a job that is not there.
    assert {one["key"] for one in process.status()["apps"]} == {f"default/{name}" for name in names}
    proxy.heal(broken)
    until(lambda: len(proxy.registers(names[0])) == 2, within=60, what="the drift is corrected", told=process.said)
    process.until_ready(*names)
    assert [len(proxy.registers(name)) for name in names] == [2, 1]
    assert proxy.stops() == []


def test_one_slow_register_holds_nobody_else_back(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    slow, quick = nomad.name("slow"), nomad.name("quick")
    released = threading.Event()

    def hold(exchange: Exchange) -> None:
        mine = exchange.method != "GET" and exchange.body["Job"]["ID"] == slow
        (held_until(released) if mine else passed_on)(exchange)

    proxy.rule("*", "/v1/jobs", hold)
    upstream.commit(_files(nomad, slow, quick))
    process = operator().start()
    process.until_ready(quick)
    assert nomad.job(slow) is None
    released.set()
    process.until_ready(slow)
    assert nomad.job(slow)["Version"] == 0


def test_while_only_the_parser_is_down_nothing_is_withdrawn_and_drift_is_still_corrected(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web, renamed, new = nomad.name("web"), nomad.name("renamed"), nomad.name("new")
    upstream.commit(_files(nomad, web, renamed))
    process = operator().start()
    process.until_ready(web, renamed)
    broken = proxy.rule("*", "/v1/jobs/parse", answers(500, "the parser is out of order"))
    moved = {f"apps/{renamed}.nomad.hcl": None, "apps/moved.nomad.hcl": "# moved\n" + nomad.job_file(renamed)}
    revision = upstream.commit({**_files(nomad, new), **moved})
    until(lambda: process.status()["operator"]["revision"] == revision, what="the commit is read")
    assert {one["path"] for one in process.status()["sources"]} >= {f"{new}.nomad.hcl", "moved.nomad.hcl"}
    nomad.edit(web, "by hand")
    until(lambda: len(proxy.registers(web)) == 2, what="drift is corrected", told=process.said)
    assert nomad.runs(renamed)
    assert proxy.stops() == []
    proxy.heal(broken)
    process.until_ready(web, renamed, new)
    assert process.app(renamed)["source"]["path"] == "moved.nomad.hcl"
    assert len(proxy.registers(renamed)) == 1


def test_a_silent_event_stream_is_told_and_the_resync_does_the_work(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    proxy.rule("GET", STREAM, silent_stream)
    upstream.commit(_files(nomad, web))
    process = operator(RESYNC_SECONDS="5").start()
    process.until_ready(web)
    process.until_told("dependency down", service="nomad event stream")
    nomad.stop(web)
    nomad.until_running(web, "1")
    assert len(proxy.registers(web)) == 2
    proxy.heal()
    proxy.cut()
    process.until_told("dependency back", service="nomad event stream", within=60)


def test_a_token_that_expires_stops_everything_and_harms_nothing(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web, gone = nomad.name("web"), nomad.name("gone")
    upstream.commit(_files(nomad, web, gone))
    process = operator(RESYNC_SECONDS="5").start()
    process.until_ready(web, gone)
    # An expired token: every call 403, and the stream answers 200 and then nothing. What is open is hung up on.
    proxy.rule("*", "/v1/.*", answers(403, "ACL token expired"))
    proxy.rule("GET", STREAM, silent_stream)
    proxy.cut()
    nomad.edit(web, "by hand")
    upstream.commit({f"apps/{gone}.nomad.hcl": None})
    process.until_told("dependency down", service="nomad")
    assert "403" in process.said() or "token" in process.said()
    assert process.get("/healthz").status_code == 200
    assert len(proxy.registers()) == 2
    assert proxy.stops() == []
    proxy.heal()
    proxy.cut()
    until(lambda: nomad.runs(web, "1"), within=60, what="it goes on", told=process.said)
    until(lambda: len(proxy.stops(gone)) == 1, within=60, what="pruned", told=process.said)


def test_two_operators_with_states_of_their_own_leave_each_others_jobs_alone(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    shared, mine, theirs = nomad.name("shared"), nomad.name("mine"), nomad.name("theirs")
    files = {name: nomad.job_file(name) for name in (shared, mine, theirs)}
    upstream.commit({f"apps/{name}.nomad.hcl": files[name] for name in (shared, mine)})
    upstream.commit({f"other/{name}.nomad.hcl": files[name] for name in (theirs,)})
    upstream.commit({f"other/{shared}.nomad.hcl": nomad.job_file(shared, version="theirs")})
    first = operator(RESYNC_SECONDS="5").start()
    first.until_ready(shared, mine)
    second = operator(folder="second", GIT_PATH="other", RESYNC_SECONDS="5").start()
    second.until_ready(theirs)
    second.until_app(shared, reason="AdoptionRequired")
    # What the second one never applied it does not stop, and what is the first one's it does not know.
    upstream.commit({f"other/{shared}.nomad.hcl": None})
    until(lambda: second.app(shared).get("step") != "AdoptionRequired", what="it is withdrawn", told=second.status)
    holds(lambda: not proxy.stops(), seconds=0.5, what="nothing is stopped")
    assert version_of(nomad.job(shared)) == "1"
    assert [len(proxy.registers(name)) for name in (shared, mine, theirs)] == [1, 1, 1]
    first.until_ready(shared, mine)
