"""What goes wrong with the repository and with the state: nothing is stopped, and nothing is done twice."""

from __future__ import annotations

import json
import resource
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide, version_of
from tests.e2e.proxy import Proxy
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream


def _files(nomad: NomadSide, *names: str, version: str = "1") -> dict[str, str | bytes | None]:
    return {f"apps/{name}.nomad.hcl": nomad.job_file(name, version=version) for name in names}


def test_a_syntax_error_in_one_of_many_files_holds_back_that_one_alone(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    names = [nomad.name(short) for short in "abcd"]
    upstream.commit(_files(nomad, *names))
    process = operator().start()
    process.until_ready(*names)
    broken = nomad.job_file(names[0], version="2").replace("count = 1", "count = = 1")
    upstream.commit({**_files(nomad, *names, version="2"), f"apps/{names[0]}.nomad.hcl": broken})
    for name in names[1:]:
        nomad.until_running(name, "2")
    process.until_ready(*names[1:])
    app = process.until_app(names[0], reason="DesiredInvalid")
    assert f"{names[0]}.nomad.hcl" in str(process.status()["sources"]), app
    assert nomad.runs(names[0], "1")
    assert proxy.stops() == []
    # It is still held to its last good version, and the file removed meanwhile is not pruned: a rename may hide.
    nomad.stop(names[0])
    nomad.until_running(names[0], "1")
    upstream.commit({f"apps/{names[1]}.nomad.hcl": None})
    process.until_app(names[1], reason="DesiredUnreadable")
    assert nomad.runs(names[1])
    assert proxy.stops() == []


def test_with_the_repository_gone_the_last_revision_stays_in_force_also_over_a_restart(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    revision = upstream.commit(_files(nomad, web))
    process = operator().start()
    process.until_ready(web)
    away = upstream.folder.rename(upstream.folder.with_name("away"))
    process.until_told("dependency down", service="git")
    shown = process.until_app(web, ready="True", reason="Healthy")
    told = {one["type"]: one for one in shown["conditions"]}
    assert told["ObserveFailed"]["reason"] == "SourceUnavailable"
    assert "last good revision stays in force" in process.command("status", web).stdout
    nomad.edit(web, "by hand")
    nomad.until_running(web, "1")
    process.stop()
    process.start()
    process.until_ready(web)
    assert process.status()["operator"]["revision"] == revision
    assert process.status()["operator"]["sourceProblem"]
    nomad.edit(web, "again")
    until(lambda: len(proxy.registers(web)) == 3, what="drift is corrected", told=process.said)
    assert proxy.stops() == []
    away.rename(upstream.folder)
    upstream.commit(_files(nomad, web, version="2"))
    nomad.until_running(web, "2")
    process.until_told("dependency back", service="git")
    assert "ObserveFailed" not in str(process.app(web)["conditions"])


def test_after_its_state_was_lost_it_adopts_asks_and_never_reruns(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    same, edited, load = nomad.name("same"), nomad.name("edited"), nomad.name("load")
    files = _files(nomad, same, edited)
    files[f"apps/{load}.nomad.hcl"] = nomad.job_file(load, task="done", type="batch")
    upstream.commit(files)
    process = operator().start()
    process.until_ready(same, edited, load)
    process.stop()
    for file in process.folder.glob("state.db*"):
        file.unlink()
    nomad.edit(edited, "by hand")
    nomad.stop(load, purge=True)
    writes = len(proxy.writes())
    process.start()
    process.until_ready(same)
    process.until_app(edited, reason="AdoptionRequired")
    process.until_app(load, reason="AdoptionRequired")
    assert len(proxy.writes()) == writes
    assert version_of(nomad.job(edited)) == "by hand"
    assert nomad.job(load) is None


def test_a_state_removed_under_a_running_operator_ends_all_writes_until_a_restart(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web, new = nomad.name("web"), nomad.name("new")
    upstream.commit(_files(nomad, web))
    process = operator().start()
    process.until_ready(web)
    for file in process.folder.glob("state.db*"):
        file.unlink()
    upstream.commit({**_files(nomad, web, version="2"), **_files(nomad, new)})
    until(lambda: "removed or replaced" in process.said() + str(process.status()), what="it is told")
    assert [len(proxy.registers(name)) for name in (web, new)] == [1, 0]
    process.stop()
    process.start()
    # Nothing is remembered: what differs is asked about, what is not there is created.
    process.until_ready(new)
    process.until_app(web, reason="AdoptionRequired")
    assert [len(proxy.registers(name)) for name in (web, new)] == [1, 1]


@pytest.mark.parametrize("damage", ["corrupt", "newer", "read-only", "in use"])
def test_an_unusable_state_is_told_in_one_line_and_nothing_is_touched(
    damage: str, nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    upstream.commit(_files(nomad, web))
    process = operator().start()
    process.until_ready(web)
    if damage != "in use":
        process.stop()
    if damage == "corrupt":
        process.state.write_bytes(process.state.read_bytes()[:100] + b"nonsense" * 1000)
    elif damage == "newer":
        connection = sqlite3.connect(process.state)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
    elif damage == "read-only":
        # Also for root: a file system that takes no files.
        process.environment["NOMAD_OPERATOR_STATE_URL"] = "sqlite:////proc/nomad-operator/state.db"
    content = process.state.read_bytes()
    seen = len(proxy.seen)
    refused = process.command("run")
    assert refused.returncode == 1, refused.stderr
    assert refused.stderr.startswith("error: "), refused.stderr
    assert "\nhint: " in refused.stderr
    assert "Traceback" not in refused.stderr
    assert process.state.read_bytes() == content
    assert len(proxy.writes()) == 1
    if damage == "in use":
        process.until_ready(web)
    else:
        assert len(proxy.seen) == seen


def test_on_a_full_disk_nothing_is_changed_and_it_goes_on_by_itself_when_there_is_room(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web, new, old = nomad.name("web"), nomad.name("new"), nomad.name("old")
    upstream.commit(_files(nomad, web, old))
    process = operator().start()
    process.until_ready(web, old)
    journal = process.state.with_name("state.db-wal")
    before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (journal.stat().st_size, before[1]))
    # Git's own files are small; the journal of the state may not grow by a byte.
    upstream.commit({**_files(nomad, new), f"apps/{old}.nomad.hcl": None})
    nomad.edit(web, "by hand")
    process.until_told("dependency down", service="state")
    until(lambda: "StateUnavailable" in str(process.app(new)), what="the new app says so", told=process.said)
    until(lambda: "StateUnavailable" in str(process.app(web)), what="the other one too", told=process.said)
    assert "disk" in process.status()["operator"]["stateProblem"]
    assert "disk" in process.command("status").stdout
    assert 'dependency_up{service="state"} 0.0' in process.get("/metrics").text
    assert [len(proxy.registers(name)) for name in (web, new)] == [1, 0]
    assert proxy.stops() == []
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)
    process.until_told("dependency back", service="state")
    process.until_ready(new, web)
    assert [len(proxy.registers(name)) for name in (web, new)] == [2, 1]
    assert process.status()["operator"]["stateProblem"] == ""
    until(lambda: nomad.job(old)["Stop"], what="what was withdrawn is stopped", told=process.said)
    assert len(process.told("dependency down")) == len(process.told("dependency back")) == 1
    assert process.told("pass failed", app=f"default/{new}") == []


def test_once_ends_with_the_reason_where_the_state_cannot_be_written(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web, new = nomad.name("web"), nomad.name("new")
    upstream.commit(_files(nomad, web))
    process = operator().start()
    process.until_ready(web)
    process.stop()
    upstream.commit(_files(nomad, web, new))
    with closing(sqlite3.connect(process.state, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ended = process.command("once")
        other.execute("ROLLBACK")
    assert ended.returncode == 1, ended.stderr
    assert "error: the state" in ended.stderr and "locked by another program" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(proxy.registers(new)) == 0
    assert process.command("once").returncode == 0
    assert len(proxy.registers(new)) == 1


def test_killed_in_a_verification_and_back_after_an_hour_it_does_not_take_the_hour_for_a_lack_of_progress(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    upstream.commit(_files(nomad, web))
    process = operator().start()
    process.until_ready(web)
    # Nomad calls it healthy only after a while, and until then nothing of it counts.
    slow = nomad.job_file(web, version="2").replace('"300ms"', '"6s"')
    upstream.commit({f"apps/{web}.nomad.hcl": slow})
    process.until_app(web, step="Verifying")
    nomad.until_running(web, "2")
    process.kill()
    _an_hour_passes(process.state, f"app:default/{web}")
    process.start()
    process.until_ready(web)
    assert nomad.runs(web, "2")
    assert len(proxy.registers(web)) == 2
    assert process.app(web)["failed"] == []


def _an_hour_passes(state: Path, name: str) -> None:
    """For the record of an app: what happened lies an hour further back."""
    with closing(sqlite3.connect(state)) as connection:
        body = json.loads(connection.execute("SELECT body FROM documents WHERE name = ?", (name,)).fetchone()[0])
        attempt = body["record"]["attempt"]
        for field in ("started_at", "progress_at"):
            attempt[field] = (datetime.fromisoformat(attempt[field]) - timedelta(hours=1)).isoformat()
        connection.execute("UPDATE documents SET body = ? WHERE name = ?", (json.dumps(body), name))
        connection.commit()
