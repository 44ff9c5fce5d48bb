"""Builds evidence in a few words: one job `web` with a group `web` and a task `app`, and what happened to it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from desired.app import AppKey
from observers.evidence import Cluster, Evidence, LogTail, NodeRoom
from observers.failures.diagnose import diagnose
from observers.failures.diagnosis import Diagnosis
from observers.running import Allocation, Check, Deployment, Node, PlacementFailure, TaskEvent, TaskState

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
START = NOW - timedelta(minutes=2)

JOB: dict[str, Any] = {
    "ID": "web",
    "Name": "web",
    "Type": "service",
    "Datacenters": ["dc1"],
    "TaskGroups": [
        {
            "Name": "web",
            "Count": 1,
            "EphemeralDisk": {"SizeMB": 300},
            "Networks": [{"DynamicPorts": [{"Label": "http", "To": 8080}]}],
            "Update": {"HealthyDeadline": 300_000_000_000, "ProgressDeadline": 600_000_000_000},
            "RestartPolicy": {"Attempts": 2, "Interval": 1_800_000_000_000},
            "Services": [
                {
                    "Name": "web",
                    "PortLabel": "http",
                    "Provider": "nomad",
                    "Checks": [
                        {
                            "Name": "alive",
                            "Type": "http",
                            "Path": "/health",
                            "Interval": 2_000_000_000,
                            "CheckRestart": {"Limit": 3, "Grace": 5_000_000_000},
                        }
                    ],
                }
            ],
            "Tasks": [
                {
                    "Name": "app",
                    "Driver": "docker",
                    "Config": {"image": "registry.example/team/app:1.0", "ports": ["http"]},
                    "Resources": {"CPU": 100, "MemoryMB": 64},
                }
            ],
        }
    ],
}


def job(**task: Any) -> dict[str, Any]:
    """The job, with these keys of its task set."""
    body = copy.deepcopy(JOB)
    body["TaskGroups"][0]["Tasks"][0].update(task)
    return body


def event(type: str, message: str = "", *, after: float = 0.0, **details: str) -> TaskEvent:
    """`after` counts seconds from the register."""
    return TaskEvent(type, START + timedelta(seconds=after), message, details)


def ended(code: int, *, after: float = 1.0, oom: bool = False, signal: int = 0) -> TaskEvent:
    message = "OOM Killed" if oom else f"Docker container exited with non-zero exit code: {code}"
    return event(
        "Terminated",
        f'Exit Code: {code}, Exit Message: "{message}"',
        after=after,
        exit_code=str(code),
        signal=str(signal),
        oom_killed="true" if oom else "false",
    )


def driver_failure(said: str, *, after: float = 1.0) -> TaskEvent:
    return event("Driver Failure", said, after=after, driver_error=said)


def killing(said: str, *, after: float = 1.0) -> TaskEvent:
    return event("Killing", said, after=after, fails_task="true")


def crashes(code: int, times: int = 2, **how: Any) -> list[TaskEvent]:
    """It starts and ends, so often."""
    found: list[TaskEvent] = []
    for turn in range(times):
        found += [event("Started", after=turn * 3.0), ended(code, after=turn * 3.0 + 1, **how)]
    return found


def allocation(
    events: Iterable[TaskEvent] = (),
    *,
    state: str = "dead",
    client_status: str = "failed",
    task: str = "app",
    id: str = "a1",
    tasks: Mapping[str, TaskState] | None = None,
    **other: Any,
) -> Allocation:
    happened = tuple(events)
    started = next((one.time for one in reversed(happened) if one.type == "Started"), None)
    states = {task: TaskState(state, failed=state == "dead", started_at=started, events=happened)}
    return Allocation(
        id=id,
        group="web",
        job_version=0,
        client_status=client_status,
        node_name="node-1",
        created_at=START,
        tasks=states if tasks is None else tasks,
        **other,
    )


def running(*more: TaskEvent, **other: Any) -> Allocation:
    return allocation([event("Started"), *more], state="running", client_status="running", **other)


def check(output: str = "", *, status: str = "failure", code: int = 0, name: str = "alive", **other: Any) -> Check:
    return Check("a1", name, status, output, code, group="web", service="web", at=NOW, **other)


def log(text: str, stream: str = "stderr", task: str = "app") -> LogTail:
    return LogTail("a1", task, stream, text)


def evidence(*allocations: Allocation, body: Mapping[str, Any] | None = None, **other: Any) -> Evidence:
    return Evidence(
        id="e1",
        key=AppKey("default", "web"),
        at=NOW,
        body=JOB if body is None else body,
        since=START,
        allocations=allocations,
        **other,
    )


def placed(reason: str, *, body: Mapping[str, Any] | None = None, exhausted: bool = False, **other: Any) -> Evidence:
    counted = {reason: 1}
    failure = PlacementFailure(
        nodes_evaluated=1,
        nodes_filtered=0 if exhausted else 1,
        nodes_exhausted=1 if exhausted else 0,
        nodes_available={"dc1": 1},
        constraint_filtered={} if exhausted else counted,
        dimension_exhausted=counted if exhausted else {},
    )
    return evidence(body=body, placement={"web": failure}, **other)


def room(name: str = "node-1", **other: Any) -> NodeRoom:
    """A ready node; keys of Node and of NodeRoom."""
    of_node = {key: other.pop(key) for key in tuple(other) if key in Node.__dataclass_fields__}
    node = Node(**{"id": name, "name": name, "status": "ready", "datacenter": "dc1", "node_pool": "default", **of_node})
    return NodeRoom(node=node, **other)


def cluster(*rooms: NodeRoom, **other: Any) -> Cluster:
    return Cluster(nodes=rooms or None, **other)


def deployment(status: str, description: str) -> Deployment:
    return Deployment("d1", 0, status, description)


def told(found: Evidence, now: datetime = NOW) -> tuple[Diagnosis, ...]:
    return diagnose(found, now)


def first(found: Evidence, now: datetime = NOW) -> Diagnosis:
    """The diagnosis; fails where there is none."""
    return diagnose(found, now)[0]
