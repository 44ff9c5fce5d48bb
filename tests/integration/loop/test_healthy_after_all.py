"""A first version whose deployment failed for a cause that passes: it is verified by what runs, and not by flickers."""

from __future__ import annotations

from reconcilers.decision import Truth
from tests.integration.loop.cluster import Cluster, job

PATIENT = """update {
      min_healthy_time  = "30s"
      healthy_deadline  = "40s"
      progress_deadline = "50s"
    }
    restart {
      attempts = 100
      delay    = "5s"
      interval = "1h"
    }"""


def _world() -> str:
    return """
nodes: [{name: node-1}]
behaviours:
  - {command: "late", from_time: 100s}
  - {command: "late", runs_for: 1s, exit_code: 1, stderr: "dial tcp 10.0.0.9:5432: connect: connection refused\\n"}
  - {command: "loops", runs_for: 20s, exit_code: 1, stderr: "it crashed\\n"}
"""


def test_what_becomes_well_after_its_deployment_failed_is_verified() -> None:
    cluster = Cluster(world=_world())
    cluster.commit(job(command="late", update=PATIENT))
    assert cluster.live("web", minutes=1.5).ready is Truth.FALSE
    report = cluster.live("web", minutes=6)
    assert report.ready is Truth.TRUE
    record = cluster.records.get(report.key)
    assert record.last_good is not None and not record.failed
    assert cluster.registers == 1, "nothing was registered for it"
    # Nomad forgets the deployment, and goes on calling the allocation unhealthy.
    assert cluster.live("web", minutes=90).ready is Truth.TRUE


def test_what_runs_for_a_while_between_two_crashes_is_never_taken_for_well() -> None:
    cluster = Cluster(world=_world())
    cluster.commit(job(command="loops", update=PATIENT))
    cluster.live("web", minutes=2)
    told = []
    for _ in range(40):
        report = cluster.live("web", minutes=0.5)
        told.append(report.step)
        assert report.ready is Truth.FALSE
    assert set(told) == {told[0]}, "it is left, and not reopened again and again"
