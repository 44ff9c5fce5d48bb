"""Apps whose file is gone: stopped after the grace time, never purged, and never when something looks wrong."""

from __future__ import annotations

import json

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.proxy import Proxy
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream


def test_a_withdrawn_app_is_stopped_after_the_grace_time_and_comes_back_with_its_file(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    kept, gone, foreign = nomad.name("kept"), nomad.name("gone"), nomad.name("foreign")
    nomad.register(nomad.job_file(foreign))
    upstream.commit({f"apps/{name}.nomad.hcl": nomad.job_file(name) for name in (kept, gone)})
    process = operator(PRUNE_GRACE_SECONDS="2").start()
    process.until_ready(kept, gone)
    upstream.commit({f"apps/{gone}.nomad.hcl": None})
    process.until_app(gone, step="PruneHeld", reason="Withdrawn")
    assert not nomad.job(gone)["Stop"], "the grace time has not passed"
    until(lambda: nomad.job(gone)["Stop"], what="it is stopped")
    process.until_app(gone, reason="Pruned")
    assert len(proxy.stops()) == len(proxy.stops(gone)) == 1
    assert not any("purge=true" in one.query for one in proxy.stops())
    assert nomad.runs(kept)
    assert not nomad.job(foreign)["Stop"]
    # We stopped it, so it is ours when it comes back.
    upstream.commit({f"apps/{gone}.nomad.hcl": nomad.job_file(gone)})
    nomad.until_running(gone)
    process.until_ready(gone)


def test_most_apps_withdrawn_at_once_wait_for_a_person(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    names = [nomad.name(short) for short in "abcde"]
    upstream.commit({f"apps/{name}.nomad.hcl": nomad.job_file(name) for name in names})
    process = operator().start()
    process.until_ready(*names)
    upstream.commit({f"apps/{name}.nomad.hcl": None for name in names[:4]})
    for name in names[:4]:
        process.until_app(name, reason="PruneHeld")
    listed = process.command("prune", "--json")
    assert {one["key"] for one in json.loads(listed.stdout)["apps"]} == {f"default/{name}" for name in names[:4]}
    assert proxy.stops() == []
    confirmed = process.command("prune", "--confirm")
    assert confirmed.returncode == 0, confirmed.stderr
    assert "not pruned" not in confirmed.stdout, confirmed.stdout
    until(lambda: len(proxy.stops()) == 4, what="they are stopped", told=process.status)
    assert nomad.runs(names[4])


def test_an_emptied_folder_and_an_unreadable_file_prune_nothing(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    names = [nomad.name(short) for short in "abcd"]
    files = {f"apps/{name}.nomad.hcl": nomad.job_file(name) for name in names}
    upstream.commit(files)
    process = operator().start()
    process.until_ready(*names)
    # The README that is left makes it a folder that was read completely.
    upstream.commit(dict.fromkeys(files))
    for name in names:
        process.until_app(name, reason="PruneHeld")
    # Without any file git knows no folder.
    upstream.commit({"apps/README.md": None})
    until(lambda: "apps" in process.status()["operator"]["sourceProblem"], what="the folder is missed")
    # A rename may hide in a file that does not parse.
    first, *others = files
    upstream.commit({**{path: files[path] for path in others}, "apps/renamed.nomad.hcl": "job {"})
    until(lambda: process.status()["sources"], what="it is told")
    process.until_ready(*names[1:])
    assert "renamed.nomad.hcl" in process.app(names[0])["message"], first
    assert proxy.stops() == []
    assert all(nomad.runs(name) for name in names)
