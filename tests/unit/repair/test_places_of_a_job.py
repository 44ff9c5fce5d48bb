"""Where a job may run is changed unattended only where a name was misspelt and nothing of the job runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from desired.app import AppKey
from desired.cause import Cause
from desired.operations.operation import Kind, Operation, Value
from observers.evidence import Cluster, Evidence, NodeRoom
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from observers.running import Node
from reconcilers.repair.guard import Guard, GuardSettings
from reconcilers.repair.proposal import Case, Proposal, Rung

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = AppKey("default", "web")
GUARD = Guard(settings=GuardSettings())


def case(*, datacenters: tuple[str, ...] = ("dc-1",), pool: str = "default", runs: bool = False) -> Case:
    nodes = (NodeRoom(Node("n1", "node-1", "ready", datacenter="dc1", node_pool="batch")),)
    body = {"ID": "web", "Datacenters": list(datacenters), "NodePool": pool, "TaskGroups": []}
    evidence = Evidence("e1", KEY, NOW, body, NOW, cluster=Cluster(nodes=nodes, node_pools=("batch",)))
    failure = FailureClass.DATACENTER_UNKNOWN if pool == "default" else FailureClass.NODE_POOL_MISSING
    return Case(KEY, body, Diagnosis(failure, Cause.SPEC, "nowhere"), evidence, runs=runs)


def approval(of: Case, kind: Kind, old: Value, new: Value, *, guard: Guard = GUARD) -> str:
    operation = Operation(kind, (), old, new)
    found = guard.judge(of, Proposal((operation,), Rung.RULE, "placement", "why", {operation.path: "the only one"}))
    assert not found.violations, found.told
    return found.approval


def test_another_spelling_needs_nobody() -> None:
    assert approval(case(), Kind.DATACENTERS, ("dc-1",), ("dc1",)) == ""
    assert approval(case(pool="bacth"), Kind.NODE_POOL, "bacth", "batch") == ""


def test_the_only_place_there_is_need_not_be_the_one_that_was_meant() -> None:
    told = approval(case(datacenters=("frankfurt",)), Kind.DATACENTERS, ("frankfurt",), ("dc1",))
    assert told == "dc1 is no other spelling of frankfurt: was it meant?"
    assert "was it meant" in approval(case(pool="gpu"), Kind.NODE_POOL, "gpu", "batch")


def test_one_of_several_that_is_somewhere_else_is_asked_about() -> None:
    of = case(datacenters=("dc2", "frankfurt"))
    assert approval(of, Kind.DATACENTERS, ("dc2", "frankfurt"), ("dc2", "dc1"))


@pytest.mark.parametrize("widened", [frozenset({Kind.DATACENTERS}), frozenset({Kind.DATACENTERS, Kind.NODE_POOL})])
def test_who_has_widened_it_is_not_asked(widened: frozenset[Kind]) -> None:
    of = case(datacenters=("frankfurt",))
    guard = Guard(settings=GuardSettings(widened=widened))
    assert approval(of, Kind.DATACENTERS, ("frankfurt",), ("dc1",), guard=guard) == ""


def test_while_any_version_of_it_runs_even_a_misspelling_is_asked_about() -> None:
    of = case(runs=True)
    assert "while some of it runs" in approval(of, Kind.DATACENTERS, ("dc-1",), ("dc1",))
    assert approval(replace(of, runs=False), Kind.DATACENTERS, ("dc-1",), ("dc1",)) == ""
