"""A service that Nomad has given up for good starts again with a version that allows another try, and is asked once."""

from __future__ import annotations

from desired.errors import Unavailable
from desired.policy import Policy, Repair, RepairMode
from reconcilers.decision import Truth
from tests.integration.loop.cluster import Cluster, job

WORLD = """
nodes: [{name: node-1}]
behaviours:
  - {command: "late", from_time: 100s}
  - {command: "late", runs_for: 1s, exit_code: 1, stderr: "dial tcp 10.0.0.9:5432: connect: connection refused\\n"}
"""
_OFF = Policy(repair=Repair(mode=RepairMode.OFF))


def policies(mode: str, reschedule: str) -> str:
    return f"""update {{
      min_healthy_time  = "1s"
      healthy_deadline  = "20s"
      progress_deadline = "30s"
    }}
    restart {{
      attempts = 1
      interval = "30s"
      delay    = "3s"
      mode     = "{mode}"
    }}
    reschedule {{
      {reschedule}
    }}"""


NEVER = policies("fail", "attempts  = 0\n      unlimited = false")
ALWAYS = policies("delay", 'unlimited      = true\n      delay          = "5s"\n      delay_function = "constant"')


def _given_up() -> Cluster:
    cluster = Cluster(world=WORLD)
    cluster.commit(job(command="late", update=NEVER), policy=_OFF)
    assert cluster.live("web", minutes=3).ready is Truth.FALSE
    assert cluster.running("web").job.status == "dead"  # type: ignore[union-attr]
    return cluster


def _asked(cluster: Cluster) -> int:
    return cluster.writes["POST job/evaluate"]


def test_a_version_with_other_policies_alone_is_started() -> None:
    cluster = _given_up()
    cluster.commit(job(command="late", update=ALWAYS), policy=_OFF)
    assert cluster.live("web", minutes=4).ready is Truth.TRUE
    assert (_asked(cluster), cluster.registers) == (1, 2)


def test_nobody_is_asked_where_nomad_places_it_by_itself() -> None:
    cluster = _given_up()
    cluster.commit(job(command="late", update=ALWAYS, value="two"), policy=_OFF)
    assert cluster.live("web", minutes=4).ready is Truth.TRUE
    assert _asked(cluster) == 0


def test_nobody_is_asked_where_it_may_not_be_tried_again() -> None:
    cluster = _given_up()
    patient = policies("delay", "attempts  = 0\n      unlimited = false")
    cluster.commit(job(command="late", update=patient), policy=_OFF)
    assert cluster.live("web", minutes=8).ready is Truth.FALSE
    assert _asked(cluster) == 0


def test_killed_before_the_answer_is_remembered_it_is_started_once() -> None:
    cluster = _given_up()
    cluster.commit(job(command="late", update=ALWAYS), policy=_OFF)
    revive = cluster.client.revive

    async def cut_off(*arguments: object) -> str:
        await revive(*arguments)  # type: ignore[arg-type]
        raise Unavailable("killed")

    cluster.client.revive = cut_off  # type: ignore[method-assign]
    for _ in range(10):
        try:
            cluster.live("web", minutes=0.2)
        except Unavailable:
            break
    cluster.restart()
    assert cluster.live("web", minutes=4).ready is Truth.TRUE
    placed = [one.job_version for one in cluster.running("web").allocations]
    assert sorted(placed) == [0, 1], "it may be asked twice, and is placed once"
