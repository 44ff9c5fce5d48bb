"""How long it takes from a commit until what is wrong has its name, where Nomad's own deadlines are minutes away.

A pass comes when the operator asked for one, or when an allocation or a deployment has moved, as events bring it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.integration.loop.cluster import Cluster, job, key, run

WORLD = """
nodes: [{name: node-1, cpu: 8000, memory: 16384, disk: 100000}]
behaviours:
  - {command: "unset", runs_for: 2s, exit_code: 1, stderr: "DATABASE_URL is not set\\n"}
  - {command: "refused", runs_for: 2s, exit_code: 1, stderr: "dial tcp 10.9.9.9:5432: connect: connection refused\\n"}
  - {command: "silent", runs_for: 2s, exit_code: 3}
  - {command: "ends", runs_for: 2s}
  - {command: "hungry", needs_memory: 9000}
  - {command: "shell", runs_for: 2s, exit_code: 127, stderr: "sh: curl: not found\\n"}
  - {command: "nobody", start_error: "Failed to start container 1: Error response from daemon: unable to find user x"}
  - {command: "elsewhere", listens: [8080], stdout: "listening on port 8080\\n"}
  - {command: "no-path", health: [{path: "*", status: 404}]}
"""
SLOW = """update {
      min_healthy_time  = "2s"
      healthy_deadline  = "9m"
      progress_deadline = "10m"
    }
    restart {
      attempts = 10
      delay    = "2s"
      interval = "10m"
      mode     = "delay"
    }"""
CHECK = """network {
      port "http" { to = 9999 }
    }
    service {
      name     = "web"
      provider = "nomad"
      port     = "http"
      check {
        type     = "http"
        path     = "/healthz"
        interval = "5s"
        timeout  = "1s"
      }
    }"""


@dataclass(frozen=True)
class Kind:
    failure: str
    seconds: float
    job: str


def kind(failure: str, seconds: float, *, of: str = "", instead: tuple[str, str] = ("", ""), **options: str) -> object:
    text = job(command=of or "serve", update=SLOW, **options)  # type: ignore[arg-type]
    if "network {" in text:
        text = text.replace('image   = "app:1"', 'image   = "app:1"\n        ports   = ["http"]')
    return pytest.param(Kind(failure, seconds, text.replace(*instead) if instead[0] else text), id=of or failure)


NOWHERE = 'constraint {\n    attribute = "${attr.cpu.arch}"\n    value = "sparc"\n  }'


@pytest.mark.parametrize(
    "kind",
    [
        kind("crash_config_missing", 6, of="unset"),
        kind("crash_dependency", 6, of="refused"),
        kind("crash", 6, of="silent"),
        kind("exited_early", 10, of="ends"),
        kind("oom_killed", 5, of="hungry"),
        kind("shell_command_not_found", 10, of="shell"),
        kind("user_unknown", 5, of="nobody"),
        kind("check_wrong_port", 20, of="elsewhere", group=CHECK),
        kind("check_wrong_path", 20, of="no-path", group=CHECK),
        kind("memory_exhausted", 2, instead=("memory = 64", "memory = 64000")),
        kind("cpu_exhausted", 2, instead=("cpu    = 100", "cpu    = 100000")),
        kind("disk_exhausted", 2, group="ephemeral_disk {\n size = 900000\n }"),
        kind("driver_missing", 2, instead=('driver = "docker"', 'driver = "podman"')),
        kind("datacenter_unknown", 2, more='datacenters = ["nowhere"]'),
        kind("constraint_unsatisfied", 2, more=NOWHERE),
    ],
)
def test_what_is_wrong_is_named_within_seconds(kind: Kind) -> None:
    cluster = Cluster(world=WORLD)
    cluster.commit(kind.job)
    took = _seconds_until_named(cluster, kind.failure)
    assert took is not None, cluster.reports.get(key("web"))
    assert took <= kind.seconds


def _seconds_until_named(cluster: Cluster, failure: str) -> float | None:
    begin, due, seen = cluster.now, cluster.now, ""
    while cluster.now - begin < timedelta(minutes=3):
        found = cluster.running("web")
        moved = str((found.deployment, [(one.client_status, one.healthy, one.tasks) for one in found.allocations]))
        if cluster.now >= due or moved != seen:
            seen = moved
            result = run(cluster.reconciler.reconcile(key("web")))
            again = getattr(result, "retry_in", None) or getattr(result, "recheck_in", None) or timedelta(0)
            due = cluster.now + again
            report, record = cluster.reports.get(key("web")), cluster.records.get(key("web"))
            episode = record.episode or record.last_episode
            told = report.diagnosis if report is not None and report.diagnosis else episode and episode.diagnosis
            if told and told.failure.value == failure:
                return (cluster.now - begin).total_seconds()
        cluster.let(timedelta(milliseconds=500))
    return None
