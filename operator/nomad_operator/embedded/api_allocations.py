"""The API of allocations, and what the clients on their nodes answer: checks, restarts, logs."""

from __future__ import annotations

import base64
from typing import Any

from nomad_operator.embedded.api import Inside, Read, by_uuid, listed, page, visible
from nomad_operator.embedded.gotext import quoted
from nomad_operator.embedded.messages import Fault, Request, Response, answer
from nomad_operator.embedded.plan_parts import transition
from nomad_operator.embedded.state import shown

# MB that an app uses of which the world says nothing.
_IDLE_MEMORY = 4


def list_allocations(inside: Inside, request: Request) -> Read:
    prefix = request.one("prefix") or ""
    found = [
        one
        for one in inside.state.allocations.values()
        if visible(one["Namespace"], request.namespace) and one["ID"].startswith(prefix)
    ]
    found.sort(key=lambda one: str(one["ID"]))
    chosen, more = page(request, found, lambda one: str(one["ID"]), start=lambda one, wanted: one >= wanted)
    return Read(listed(request, chosen), inside.state.index_of("allocs"), more)


def read_allocation(inside: Inside, request: Request, id_: str) -> Read:
    by_uuid(id_, "alloc")
    found = inside.state.allocations.get(id_)
    if found is None:
        return Read(None, inside.state.index_of("allocs"), missing="alloc not found")
    return Read(shown(found), found["ModifyIndex"])


def stop_allocation(inside: Inside, request: Request, id_: str) -> Response:
    by_uuid(id_, "alloc")
    found = inside.state.allocations.get(id_)
    record = inside.state.jobs.get((found["Namespace"], found["JobID"])) if found else None
    if found is None or record is None:
        raise Fault(404, "allocation not found")
    evaluation = inside.scheduler.new_evaluation(record.job, "alloc-stop", JobModifyIndex=record.job["JobModifyIndex"])
    with inside.state.write("AllocationUpdateDesiredStatus") as write:
        write.put_allocation({**found, "DesiredTransition": transition(found, Migrate=True)}, by_server=True)
        write.put_evaluation(evaluation)
    inside.scheduler.enqueue(evaluation["ID"])
    return answer({"EvalID": evaluation["ID"], "Index": inside.state.index}, index=inside.state.index)


def _run(inside: Inside, id_: str) -> Any:
    by_uuid(id_, "alloc")
    if id_ not in inside.state.allocations or id_ not in inside.clients.runs:
        raise Fault(404, f'Unknown allocation "{id_}"')
    return inside.clients.runs[id_]


def checks(inside: Inside, _: Request, id_: str) -> Response:
    return answer(_run(inside, id_).check_results(inside.timers.now))


def stats(inside: Inside, _: Request, id_: str) -> Response:
    """Of tasks that run; the sum over them beside each. What a world does not tell of is measured as zero."""
    run, now = _run(inside, id_), inside.timers.now
    used = {task.name: task.behaviour.needs_memory or _IDLE_MEMORY for task in run.tasks if task.running}
    tasks = {
        name: {"Pids": None, "ResourceUsage": _usage(memory, None), "Timestamp": now} for name, memory in used.items()
    }
    return answer({"ResourceUsage": _usage(sum(used.values()), []), "Tasks": tasks, "Timestamp": now if tasks else 0})


def _usage(memory: int, devices: list[Any] | None) -> dict[str, Any]:
    """As a client with cgroups v1 measures it. Source: recorded, scenario `healthy-service`."""
    size = memory * 1024 * 1024
    cpu = {"Percent": 0.0, "SystemMode": 0.0, "ThrottledPeriods": 0, "ThrottledTime": 0, "TotalTicks": 0.0}
    held = {"Cache": 0, "KernelMaxUsage": 0, "KernelUsage": 0, "MappedFile": 0, "Swap": 0}
    return {
        "CpuStats": {"Measured": ["Throttled Periods", "Throttled Time", "Percent"], **cpu, "UserMode": 0.0},
        "DeviceStats": devices,
        "MemoryStats": {
            "Measured": ["RSS", "Cache", "Swap", "Usage", "Max Usage"], **held,
            "MaxUsage": size, "RSS": size, "Usage": size,
        },
    }  # fmt: skip


def restart(inside: Inside, request: Request, id_: str) -> Response:
    run, body = _run(inside, id_), request.json() if request.body else {}
    name = body.get("TaskName") or ""
    if name and all(task.name != name for task in run.tasks):
        raise Fault(500, f"Could not find task runner for task: {name}")
    what = "all tasks" if body.get("AllTasks") else "task"
    for task in run.tasks:
        if not name or task.name == name:
            task.restart(f"User requested {what} to restart")
    return answer({"Index": 0})


def logs(inside: Inside, request: Request, id_: str) -> Response:
    name, kind = request.one("task") or "", request.one("type") or ""
    if not name:
        raise Fault(400, "must provide task name")
    if kind not in ("stdout", "stderr"):
        raise Fault(400, "must provide log type (stdout/stderr)")
    offset, origin = request.one("offset") or "0", request.one("origin") or "start"
    if not offset.lstrip("-").isdigit():
        wrong = f"error parsing offset: strconv.ParseInt: parsing {quoted(offset)}: invalid syntax"
        raise Fault(400, wrong)
    if origin not in ("start", "end"):
        raise Fault(400, "origin must be start or end")
    if request.flag("follow"):
        raise Fault(501, "the embedded Nomad does not follow logs: read them again")
    task = next((task for task in _run(inside, id_).tasks if task.name == name), None)
    if task is None:
        raise Fault(400, f'unknown task name "{name}"')
    if not any(event["Type"] == "Started" for event in task.state["Events"]) and not task.state["StartedAt"]:
        raise Fault(404, f'task "{name}" not started yet. No logs available')
    written = getattr(task.logs, kind).encode()
    begin = int(offset) if origin == "start" else max(len(written) - int(offset), 0)
    if request.flag("plain"):
        return Response(200, written[begin:], "text/plain")
    if not written[begin:]:
        return Response(200, b"")
    frame = {
        "Data": base64.b64encode(written[begin:]).decode(),
        "File": f"alloc/logs/{name}.{kind}.0",
        "Offset": len(written),
    }
    return answer(frame)
