"""The commands that run the loop once, or not at all: what they print, change and answer with."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.proxy import Proxy
from tests.integration.git.git_world import Upstream


def test_once_deploys_everything_and_tells_whether_all_of_it_is_ready(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web, load, bad = nomad.name("web"), nomad.name("load"), nomad.name("bad")
    upstream.commit(
        {
            "apps/web.nomad.hcl": nomad.job_file(web),
            "apps/load.nomad.hcl": nomad.job_file(load, task="done", type="batch"),
        }
    )
    process = operator()
    first = process.command("once", "--json")
    assert first.returncode == 0, first.stderr
    assert {one["key"]: one["ready"] for one in json.loads(first.stdout)["apps"]} == {
        f"default/{web}": "True",
        f"default/{load}": "True",
    }
    upstream.commit({"apps/bad.nomad.hcl": nomad.job_file(bad, task="bad")})
    second = process.command("once")
    assert second.returncode == 1, second.stderr
    assert [len(proxy.registers(name)) for name in (web, load, bad)] == [1, 1, 1]
    assert nomad.runs(web)


def test_once_keeps_to_the_last_good_revision_but_does_not_call_it_done_while_git_is_away(
    nomad: NomadSide, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    process = operator()
    assert process.command("once").returncode == 0
    away = upstream.folder.rename(upstream.folder.with_name("away"))
    nomad.stop(web)
    done = process.command("once", "--json")
    assert done.returncode == 1
    [app] = json.loads(done.stdout)["apps"]
    assert (app["ready"], nomad.runs(web)) == ("True", True)
    assert "SourceUnavailable" in str(app["conditions"])
    away.rename(upstream.folder)
    assert process.command("once").returncode == 0


def test_an_app_of_a_namespace_that_is_not_watched_is_refused_and_not_deployed(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    process = operator()
    process.environment["NOMAD_OPERATOR_NAMESPACES"] = "team-a"
    done = process.command("once", "--json")
    assert done.returncode == 1
    [source] = json.loads(done.stdout)["sources"]
    assert "is not among those that are watched" in source["problem"]
    assert proxy.writes() == []


def test_plan_tells_the_difference_in_its_exit_code_and_changes_nothing(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start, tmp_path: Path
) -> None:
    web = nomad.name("web")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    process = operator()
    created = process.command("plan")
    assert (created.returncode, created.stdout[0]) == (3, "+"), created
    process.start()
    process.until_ready(web)
    assert process.command("plan").returncode == 0
    upstream.git("switch", "--quiet", "--create", "proposal")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web, version="2")})
    upstream.git("switch", "--quiet", "main")
    writes = len(proxy.writes())
    proposed = process.command("plan", "--ref", "proposal", "--json")
    assert proposed.returncode == 3, proposed.stderr
    (planned,) = json.loads(proposed.stdout)["apps"]
    assert planned["change"] == "update"
    assert '"1" => "2"' in planned["diff"]
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "web.nomad.hcl").write_text("job {", encoding="utf-8")
    assert process.command("plan", "--path", str(folder)).returncode == 1
    assert len(proxy.writes()) == writes
    process.until_ready(web)


def test_what_git_does_not_ask_for_keeps_once_from_nothing(
    nomad: NomadSide, upstream: Upstream, operator: Start
) -> None:
    """A pruned app, one that is left running, one suspended in git; but not one that a person has suspended."""
    web, old, kept = nomad.name("web"), nomad.name("old"), nomad.name("kept")
    asleep = f"apiVersion: nomad-operator/v1\nkind: App\nmetadata: {{name: {nomad.name('asleep')}}}\n"
    kept_file = f"apiVersion: nomad-operator/v1\nkind: App\nmetadata: {{name: {kept}}}\n"
    upstream.commit(
        {
            "apps/web.nomad.hcl": nomad.job_file(web),
            "apps/old.nomad.hcl": nomad.job_file(old),
            "apps/kept/job.nomad.hcl": nomad.job_file(kept),
            "apps/kept.yaml": f"{kept_file}spec: {{jobFile: kept/job.nomad.hcl, prune: false}}\n",
            "apps/asleep.yaml": f"{asleep}spec: {{image: busybox, suspend: true}}\n",
        }
    )
    process = operator()
    first = process.command("once")
    assert first.returncode == 0, first
    upstream.commit({"apps/old.nomad.hcl": None, "apps/kept/job.nomad.hcl": None, "apps/kept.yaml": None})
    for _ in range(2):  # with and without a stop to do
        done = process.command("once")
        assert (done.returncode, "1 of 2 apps ready · 2 withdrawn" in done.stdout) == (0, True), done
    assert not nomad.runs(old) and nomad.runs(kept)
    process.start()
    process.until_ready(web)
    process.ask(web, "suspend")
    process.stop()
    assert process.command("once").returncode == 1


def test_once_that_runs_out_of_time_shows_the_table_and_names_who_is_missing(
    nomad: NomadSide, upstream: Upstream, operator: Start
) -> None:
    web, load = nomad.name("web"), nomad.name("load")
    upstream.commit({"apps/load.nomad.hcl": nomad.job_file(load, task="done", type="batch")})
    process = operator(VERIFY_SOAK_SECONDS="600")
    assert process.command("once").returncode == 0
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    told = process.command("once", "--timeout", "4")
    assert told.returncode == 1
    assert f"default/{web} " in told.stdout and f"default/{load} " in told.stdout, told
    [error] = [line for line in told.stderr.splitlines() if line.startswith("error:")]
    assert error.startswith(f"error: not settled after 4 s: default/{web} ("), error
    assert load not in error
    assert "hint: a later `once` goes on" in told.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_once_that_is_told_to_stop_shows_how_far_it_came(
    nomad: NomadSide, upstream: Upstream, operator: Start, number: signal.Signals
) -> None:
    web = nomad.name("web")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    process = operator(VERIFY_SOAK_SECONDS="600").begin("once")
    process.until_told("app", step="Soaking")
    process.signal(number)
    assert process.wait() == 1
    assert f"error: not settled when {number.name} came: default/{web} (Soaking)" in process.said()


def test_once_that_runs_out_of_time_before_anything_was_read_says_so(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(nomad.name("web"))})
    process, over = operator(), threading.Event()
    proxy.rule("GET", "/v1/jobs", lambda exchange: over.wait(4) and None)
    told = process.command("once", "--timeout", "2", "--json")
    over.set()
    assert told.returncode == 1
    assert "error: not settled after 2 s: Nomad has not been read yet" in told.stderr
    assert json.loads(told.stdout)["apps"] == []
    refused = process.command("once", "--timeout", "0")
    assert (refused.returncode, "above 0" in refused.stderr) == (2, True)


def test_plan_of_one_app_only_counts_the_problems_of_others(
    nomad: NomadSide, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    broken = {f"apps/{name}.nomad.hcl": "job {" for name in ("a", "b")}
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web), **broken})
    one, every = operator().command("plan", web), operator(folder="other").command("plan")
    assert (one.returncode, every.returncode) == (3, 1)
    assert "note: 2 other files have problems" in one.stderr and "a.nomad.hcl" not in one.stderr
    assert "a.nomad.hcl" in every.stderr and "other file" not in every.stderr


def test_plan_without_nomad_is_one_error_and_without_git_the_last_good_revision(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    names = [nomad.name(short) for short in "abc"]
    upstream.commit({f"apps/{name}.nomad.hcl": nomad.job_file(name) for name in names})
    process = operator()
    assert process.command("once").returncode == 0
    proxy.down()
    away = process.command("plan")
    assert (away.returncode, away.stdout) == (1, "")
    assert [line.split(":")[0] for line in away.stderr.splitlines()] == ["error", "hint"], away.stderr
    proxy.up()
    upstream.folder.rename(upstream.folder.with_name("away"))
    stale = process.command("plan")
    assert stale.returncode == 1
    assert "3 apps: 3 without a change" in stale.stdout
    assert "note: this is the last good revision: " in stale.stderr and "poll tries" not in stale.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_says_what_it_follows_when_it_starts_and_why_it_stopped(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start, number: signal.Signals
) -> None:
    process = operator().start()
    [started] = process.told("started")
    assert process.log[0] == started
    assert {name: started[name] for name in ("nomad", "namespaces", "repository", "ref", "path", "mode")} == {
        "nomad": proxy.address, "namespaces": "*", "repository": f"file://{upstream.folder}", "ref": "main",
        "path": "apps", "mode": "act",
    }  # fmt: skip
    assert started["nomad_version"][0].isdigit()
    assert process.get("/healthz").status_code == 200, "it listens where it says"
    process.signal(number)
    assert process.wait() == 0
    assert (process.log[-1]["event"], process.log[-1]["reason"]) == ("stopped", number.name)


def test_run_starts_and_says_so_while_nomad_is_away(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    proxy.down()
    process = operator().start(ready=False)
    [started] = process.told("started")
    assert (started["nomad"], started["nomad_version"]) == (proxy.address, "")
    assert process.stop() == 0


def test_a_watched_namespace_that_is_not_there_is_told_by_whoever_watches_it(
    nomad: NomadSide, upstream: Upstream, operator: Start
) -> None:
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(nomad.name("web"))})
    process = operator(NAMESPACES="default,nowhere")
    planned = process.command("plan")
    assert planned.returncode == 3
    assert "note: there is no namespace nowhere" in planned.stderr
    once = process.command("once")
    assert (once.returncode, once.stderr.count("namespace not there")) == (0, 1), once.stderr
    process.start()
    [told] = process.told("namespace not there")
    assert (told["namespace"], "NOMAD_OPERATOR_NAMESPACES" in told["hint"]) == ("nowhere", True)
    doctor = process.command("doctor")
    assert doctor.returncode == 1
    assert "plan and register in nowhere: there is no namespace nowhere" in doctor.stdout
