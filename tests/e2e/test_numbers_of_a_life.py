"""The numbers of the real process: each step of a life moves what it is about, and nothing that it is not about."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.operator_process import OperatorProcess
from tests.e2e.proxy import Proxy
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream

# They count the work itself, which goes on in every step.
ALWAYS = {
    "reconcile_total", "reconcile_duration_seconds_count", "queue_wait_seconds_count", "queue_depth",
    "event_lag_seconds_count", "nomad_requests_total", "resync_nomad_requests", "apps", "app_info",
}  # fmt: skip


def numbers(process: OperatorProcess) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(process.get("/metrics").text):
        for sample in family.samples:
            name = sample.name.removeprefix("nomad_operator_")
            if name == sample.name or name.endswith(("_bucket", "_sum", "_created")) or name in ALWAYS:
                continue
            labels = f"{{{','.join(sample.labels.values())}}}" if sample.labels else ""
            found[f"{name}{labels}"] = sample.value
    return found


def moved(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {
        name: after.get(name, 0.0) - before.get(name, 0.0)
        for name in before.keys() | after.keys()
        if after.get(name, 0.0) != before.get(name, 0.0)
    }


def test_each_step_moves_its_own_numbers(nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start) -> None:
    web = nomad.name("web")
    process = operator(WEBHOOK_SECRET="hush", GIT_POLL_SECONDS="3600").start()
    until(lambda: numbers(process).get("event_stream_up") == 1, what="the stream is heard", told=process.said)
    start = numbers(process)
    assert (start["leader"], start["dependency_up{git}"], start["dependency_up{nomad}"]) == (1, 1, 1)
    assert start["repairs_stopped"] == start["commit_to_healthy_seconds_count"] == 0

    # A commit, of which a webhook tells.
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    process.post("/hooks/git", json={}, headers={"x-gitlab-token": "hush", "x-gitlab-event": "Push Hook"})
    process.until_ready(web)
    healthy = numbers(process)
    # The first write of the state says that it can be written.
    assert {name: by for name, by in moved(start, healthy).items() if name != "dependency_up{state}"} == {
        "webhook_deliveries_total{accepted,gitlab}": 1,
        "commit_to_registered_seconds_count": 1, "commit_to_healthy_seconds_count": 1,
    }  # fmt: skip

    # Nothing happens.
    assert process.get("/readyz").status_code == 200
    assert moved(healthy, numbers(process)) == {}

    # Somebody changes the job by hand.
    nomad.register(nomad.job_file(web, version="by hand"))
    until(lambda: numbers(process).get("drift_total{corrected}") == 1, what="it is corrected", told=process.said)
    until(lambda: nomad.runs(web, "1"), what="it is as desired again")
    process.until_ready(web)
    corrected = numbers(process)
    assert moved(healthy, corrected) == {"drift_total{corrected}": 1}

    # The kill switch, and a file with a mistake.
    assert process.command("repairs", "stop").returncode == 0
    assert moved(corrected, numbers(process)) == {"repairs_stopped": 1}
    assert process.command("repairs", "start").returncode == 0
    upstream.commit({"apps/bad.yaml": "apiVersion: nomad-operator/v1\nkind: App\nmetadata: {}\n"})
    process.post("/hooks/git", headers={"authorization": "Bearer hush"})
    until(lambda: numbers(process).get("source_problems") == 1, what="the file is told", told=process.said)
    mistaken = numbers(process)
    assert moved(corrected, mistaken) == {"source_problems": 1, "webhook_deliveries_total{accepted,other}": 1}

    # Nomad goes away.
    proxy.down()
    until(lambda: numbers(process)["dependency_up{nomad}"] == 0, what="Nomad is missed", told=process.said)
    until(lambda: numbers(process)["event_stream_up"] == 0, what="the stream is missed", told=process.said)
    assert moved(mistaken, numbers(process)) == {"dependency_up{nomad}": -1, "event_stream_up": -1}
    assert process.stop() == 0
