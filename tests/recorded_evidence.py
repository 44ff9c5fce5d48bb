"""Recorded scenarios as `Evidence`: what a pass would have read, and what the stream would have shown, up to a moment.

Task events are kept as they streamed, because Nomad holds ten. A job that is registered again is evidence of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from desired.app import AppKey
from observers.evidence import Cluster, Evidence, LogTail, NodeRoom
from observers.nomad import decode
from observers.running import Allocation, Check, Deployment, Evaluation, TaskEvent
from tests.recordings_reader import NOMAD, Exchange, Recording, read

_REFUSED = re.compile(r"^/v1/(?:jobs|jobs/parse|validate/job|job/[^/]+/plan|job/[^/]+)$")
_LOGS = re.compile(r"^/v1/client/fs/logs/(?P<id>[\w-]+)$")
_CHECKS = re.compile(r"^/v1/client/allocation/(?P<id>[\w-]+)/checks$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class _World:
    """Everything seen so far of one registered job."""

    job: str
    since: float
    body: Mapping[str, Any]
    version: int = -1
    allocations: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: dict[tuple[str, str], dict[tuple[int, str, str], dict[str, Any]]] = field(default_factory=dict)
    checks: dict[str, tuple[Check, ...]] = field(default_factory=dict)
    logs: dict[tuple[str, str, str], str] = field(default_factory=dict)
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    deployment: Deployment | None = None
    refusal: str = ""
    stopped: bool = False


def start_of(recording: Recording) -> datetime:
    """The wall clock at `t` = 0, told from the first task event or a creation time that arrived on the stream."""
    for t, line in recording.events:
        for event in line.get("Events") or ():
            allocation = (event.get("Payload") or {}).get("Allocation") or {}
            if stamp := allocation.get("ModifyTime"):
                return _EPOCH + timedelta(microseconds=stamp / 1000) - timedelta(seconds=t)
    return datetime(2026, 11, 22, tzinfo=UTC)


@cache
def moments(name: str, folder: Path = NOMAD) -> tuple[tuple[datetime, Evidence], ...]:
    """The evidence after each change, oldest first, of every job of the scenario in turn; (now, evidence)."""
    return tuple(_moments(read(name, folder)))


def finals(name: str, folder: Path = NOMAD) -> tuple[tuple[datetime, Evidence], ...]:
    """The last evidence of each registered or refused job of the scenario, in the order of their registers."""
    last: dict[str, tuple[datetime, Evidence]] = {}
    for now, evidence in moments(name, folder):
        last[evidence.id] = (now, evidence)
    return tuple(last.values())


def _moments(recording: Recording) -> Iterator[tuple[datetime, Evidence]]:
    start = start_of(recording)
    # A write takes effect while it is being answered: its events may arrive before its answer does.
    steps: list[tuple[float, int, Any]] = [
        (exchange.t + (exchange.took if exchange.method == "GET" else 0.0), 0, exchange)
        for exchange in recording.exchanges
    ]
    steps += [(t, 1, line) for t, line in recording.events]
    steps.sort(key=lambda step: (step[0], step[1]))
    worlds: dict[str, _World] = {}
    nodes: list[Any] | None = None
    counter = 0
    for t, _, step in steps:
        if isinstance(step, Exchange):
            if step.method == "GET" and step.path == "/v1/nodes" and step.status == 200 and isinstance(step.body, list):
                nodes = step.body
            world = _exchange(worlds, step, t)
            touched = [world] if world is not None else []
        else:
            touched = [world for event in step.get("Events") or () if (world := _event(worlds, event)) is not None]
        for world in touched:
            counter += 1
            yield start + timedelta(seconds=t), _evidence(world, start, t, nodes)


def _exchange(worlds: dict[str, _World], step: Exchange, t: float) -> _World | None:
    request = step.request if isinstance(step.request, dict) else {}
    body = request.get("Job") if isinstance(request.get("Job"), dict) else None
    if body is None and step.path == "/v1/jobs/parse" and step.status == 400 and "JobHCL" in request:
        world = _World("(unparsed)", t, {}, refusal=str(step.body))
        worlds["(unparsed)"] = world
        return world
    if body is not None and step.method in ("POST", "PUT") and _REFUSED.match(step.path):
        job = str(body.get("ID"))
        if step.status >= 400:
            return _refused(worlds, job, t, body, str(step.body))
        if isinstance(step.body, dict) and step.body.get("Error"):
            return _refused(worlds, job, t, body, str(step.body["Error"]))
        if step.path in ("/v1/jobs", f"/v1/job/{job}"):
            before = worlds.get(job)
            if before is not None and before.body == body and not before.refusal and not before.stopped:
                return before
            worlds[job] = _World(job, t, body)
            return worlds[job]
        return None
    if step.method == "DELETE" and (gone := worlds.get(step.path.rpartition("/")[2])) is not None:
        gone.stopped = True
        return gone
    if step.status != 200:
        return None
    return _answer(worlds, step)


def _refused(worlds: dict[str, _World], job: str, t: float, body: Mapping[str, Any], words: str) -> _World | None:
    if words.startswith("Enforcing job modify index"):
        return None
    worlds[job] = _World(job, t, body, refusal=words)
    return worlds[job]


def _answer(worlds: dict[str, _World], step: Exchange) -> _World | None:
    if (found := _CHECKS.match(step.path)) and isinstance(step.body, dict):
        world = _holder(worlds, found["id"])
        if world is not None:
            world.checks[found["id"]] = decode.checks(found["id"], step.body)
        return world
    if (found := _LOGS.match(step.path)) and isinstance(step.body, str):
        world = _holder(worlds, found["id"])
        if world is not None:
            key = (found["id"], str(step.query.get("task")), str(step.query.get("type", "stdout")))
            world.logs[key] = step.body
        return world
    if re.match(r"^/v1/job/[^/]+/allocations$", step.path) and isinstance(step.body, list):
        touched = None
        for stub in step.body:
            touched = _allocation(worlds, stub) or touched
        return touched
    if re.match(r"^/v1/allocation/[\w-]+$", step.path) and isinstance(step.body, dict):
        return _allocation(worlds, step.body)
    if re.match(r"^/v1/job/[^/]+/deployment$", step.path) and isinstance(step.body, dict):
        return _deployment(worlds, step.body)
    return None


def _event(worlds: dict[str, _World], event: Mapping[str, Any]) -> _World | None:
    payload = event.get("Payload") or {}
    if allocation := payload.get("Allocation"):
        return _allocation(worlds, allocation)
    if deployment := payload.get("Deployment"):
        return _deployment(worlds, deployment)
    if (evaluation := payload.get("Evaluation")) and (world := worlds.get(str(evaluation.get("JobID")))):
        world.evaluations[evaluation["ID"]] = decode.evaluation(evaluation)
        return world
    if (job := payload.get("Job")) and (world := worlds.get(str(job.get("ID")))):
        world.version = max(world.version, int(job.get("Version") or 0))
        world.stopped = bool(job.get("Stop"))
        return world
    return None


def _holder(worlds: dict[str, _World], allocation: str) -> _World | None:
    return next((world for world in worlds.values() if allocation in world.allocations), None)


def _allocation(worlds: dict[str, _World], answer: Mapping[str, Any]) -> _World | None:
    world = worlds.get(str(answer.get("JobID")))
    if world is None:
        return None
    own = str(answer["ID"])
    # An allocation that an older version made says nothing of this one, unless this one took it over in place.
    created = (answer.get("CreateTime") or 0) / 1e9
    known = world.allocations.setdefault(own, {"_created": created})
    if (known.get("ModifyIndex") or 0) > (answer.get("ModifyIndex") or 0):
        return world
    known.update({key: value for key, value in answer.items() if value is not None or key not in known})
    for task, state in (answer.get("TaskStates") or {}).items():
        kept = world.events.setdefault((own, task), {})
        for one in state.get("Events") or ():
            kept[one["Time"], one["Type"], one.get("DisplayMessage") or ""] = one
    return world


def _deployment(worlds: dict[str, _World], answer: Mapping[str, Any]) -> _World | None:
    world = worlds.get(str(answer.get("JobID")))
    found = decode.deployment(dict(answer))
    if world is None or found is None:
        return None
    if world.deployment is None or found.job_version >= world.deployment.job_version:
        world.deployment = found
    return world


def _evidence(world: _World, start: datetime, t: float, nodes: list[Any] | None) -> Evidence:
    registered = (start + timedelta(seconds=world.since)).timestamp() - 1
    allocations = tuple(
        sorted(
            (
                _decoded(world, own)
                for own, answer in world.allocations.items()
                if answer["_created"] >= registered or answer["_created"] == 0
            ),
            key=lambda one: (one.created_at or _EPOCH, one.id),
            reverse=True,
        )
    )
    mine = {one.id for one in allocations}
    body = dict(world.body)
    if world.stopped:
        body["Stop"] = True
    return Evidence(
        id=f"{world.job}@{world.since}",
        key=AppKey(str(body.get("Namespace") or "default"), world.job),
        at=start + timedelta(seconds=t),
        body=body,
        since=start + timedelta(seconds=world.since),
        allocations=allocations,
        placement=decode.waiting_placements(world.evaluations.values()),
        checks=tuple(check for own, found in world.checks.items() if own in mine for check in found)
        if world.checks
        else None,
        deployment=world.deployment,
        refusal=world.refusal,
        logs=tuple(
            LogTail(own, task, stream, text) for (own, task, stream), text in sorted(world.logs.items()) if own in mine
        ),
        cluster=Cluster() if nodes is None else Cluster(nodes=tuple(NodeRoom(one) for one in decode.nodes(nodes))),
    )


def _decoded(world: _World, own: str) -> Allocation:
    answer = {key: value for key, value in world.allocations[own].items() if key != "_created"}
    found = decode.allocation(answer)
    tasks = {}
    for name, state in found.tasks.items():
        kept = world.events.get((own, name), {})
        events = decode.task_state({"Events": [kept[key] for key in sorted(kept)]}).events
        tasks[name] = replace(state, events=_in_order(events))
    return replace(found, tasks=tasks)


def _in_order(events: tuple[TaskEvent, ...]) -> tuple[TaskEvent, ...]:
    return tuple(sorted(events, key=lambda one: one.time))
