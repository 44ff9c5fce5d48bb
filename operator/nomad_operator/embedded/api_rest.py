"""The API of everything but jobs: evaluations, allocations, deployments, nodes, namespaces, variables, the agent."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from nomad_operator.embedded.api import Inside, Read, Value, by_uuid, page, visible
from nomad_operator.embedded.deployments import Refused
from nomad_operator.embedded.gotext import errors, quoted
from nomad_operator.embedded.messages import Fault, Request, Response, answer, text
from nomad_operator.embedded.nodes import node_stub
from nomad_operator.embedded.plan_parts import transition
from nomad_operator.embedded.state import client_terminal, shown, shown_deployment
from nomad_operator.embedded.stubs import allocation_stub
from nomad_operator.embedded.variables import VariableRefused

# Evaluations


def list_evaluations(inside: Inside, request: Request) -> Read:
    found = [one for one in inside.state.evaluations.values() if visible(one["Namespace"], request.namespace)]
    found.sort(key=lambda one: (one["CreateIndex"], one["ID"]))
    chosen, more = page(
        request,
        found,
        lambda one: f"{one['CreateIndex']}.{one['ID']}",
        start=lambda one, wanted: _numbered(one) >= _numbered(wanted),
    )
    return Read([shown(one) for one in chosen], inside.state.index_of("evals"), more)


def _numbered(token: str) -> tuple[int, str]:
    number, _, rest = token.partition(".")
    return (int(number) if number.isdigit() else 0, rest)


def read_evaluation(inside: Inside, request: Request, id_: str) -> Read:
    by_uuid(id_, "eval")
    found = inside.state.evaluations.get(id_)
    if found is None:
        return Read(None, inside.state.index_of("evals"), missing="eval not found")
    value = shown(found)
    if request.flag("related"):
        related = [_related_stub(inside.state.evaluations[one]) for one in _related(inside, found)]
        if related:
            value["RelatedEvals"] = related
    return Read(value, found["ModifyIndex"])


def _related(inside: Inside, evaluation: Value) -> list[str]:
    """Everything reached by following the links of an evaluation, both ways."""
    found: dict[str, None] = {}
    todo = [evaluation]
    while todo:
        one = todo.pop()
        for name in ("PreviousEval", "NextEval", "BlockedEval"):
            id_ = one.get(name)
            if id_ and id_ != evaluation["ID"] and id_ not in found and id_ in inside.state.evaluations:
                found[id_] = None
                todo.append(inside.state.evaluations[id_])
    return list(found)


def _related_stub(evaluation: Value) -> Value:
    names = (
        "BlockedEval", "CreateIndex", "CreateTime", "DeploymentID", "ID", "JobID", "ModifyIndex", "ModifyTime",
        "Namespace", "NextEval", "NodeID", "PreviousEval", "Priority", "Status", "StatusDescription", "TriggeredBy",
        "Type",
    )  # fmt: skip
    stub = {name: evaluation.get(name, "") for name in names}
    return {**stub, "WaitUntil": evaluation.get("WaitUntil")}


def evaluation_allocations(inside: Inside, request: Request, id_: str) -> Read:
    evaluation = inside.state.evaluations.get(id_)
    key = (evaluation["Namespace"], evaluation["JobID"]) if evaluation else ("", "")
    record = inside.state.jobs.get(key)
    found = [one for one in record.allocations.values() if one["EvalID"] == id_] if record else []
    return Read(_stubs(request, found), inside.state.index_of("allocs"))


# Allocations


def _stubs(request: Request, found: list[Value]) -> list[Value]:
    states = request.one("task_states") is None or request.flag("task_states")
    return [allocation_stub(one, resources=request.flag("resources"), task_states=states) for one in found]


def list_allocations(inside: Inside, request: Request) -> Read:
    prefix = request.one("prefix") or ""
    found = [
        one
        for one in inside.state.allocations.values()
        if visible(one["Namespace"], request.namespace) and one["ID"].startswith(prefix)
    ]
    found.sort(key=lambda one: str(one["ID"]))
    chosen, more = page(request, found, lambda one: str(one["ID"]), start=lambda one, wanted: one >= wanted)
    return Read(_stubs(request, chosen), inside.state.index_of("allocs"), more)


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


# What clients answer


def _run(inside: Inside, id_: str) -> Any:
    by_uuid(id_, "alloc")
    if id_ not in inside.state.allocations or id_ not in inside.clients.runs:
        raise Fault(404, f'Unknown allocation "{id_}"')
    return inside.clients.runs[id_]


def checks(inside: Inside, _: Request, id_: str) -> Response:
    return answer(_run(inside, id_).check_results(inside.timers.now))


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


# Deployments


def list_deployments(inside: Inside, request: Request) -> Read:
    found = [one for one in inside.state.deployments.values() if visible(one["Namespace"], request.namespace)]
    found.sort(key=lambda one: (one["CreateIndex"], one["ID"]))
    chosen, more = page(
        request,
        found,
        lambda one: f"{one['CreateIndex']}.{one['ID']}",
        start=lambda one, wanted: _numbered(one) >= _numbered(wanted),
    )
    return Read([shown_deployment(one) for one in chosen], inside.state.index_of("deployment"), more)


def read_deployment(inside: Inside, _: Request, id_: str) -> Read:
    by_uuid(id_, "deployment")
    found = inside.state.deployments.get(id_)
    if found is None:
        return Read(None, inside.state.index_of("deployment"), missing="deployment not found")
    return Read(shown_deployment(found), found["ModifyIndex"])


def deployment_allocations(inside: Inside, request: Request, id_: str) -> Read:
    deployment = inside.state.deployments.get(id_)
    record = inside.state.jobs.get((deployment["Namespace"], deployment["JobID"])) if deployment else None
    found = [one for one in record.allocations.values() if one.get("DeploymentID") == id_] if record else []
    return Read(_stubs(request, found), inside.state.index_of("allocs"))


def promote(inside: Inside, request: Request, id_: str) -> Response:
    body = request.json()
    groups = None if body.get("All") else list(body.get("Groups") or ())
    return _of_deployment(inside, id_, lambda: inside.deployments.promote(id_, groups))


def fail(inside: Inside, _: Request, id_: str) -> Response:
    return _of_deployment(inside, id_, lambda: inside.deployments.fail(id_))


def pause(inside: Inside, request: Request, id_: str) -> Response:
    wanted = bool(request.json().get("Pause"))
    return _of_deployment(inside, id_, lambda: inside.deployments.pause(id_, wanted))


def _of_deployment(inside: Inside, id_: str, act: Any) -> Response:
    by_uuid(id_, "deployment")
    if id_ not in inside.state.deployments:
        raise Fault(404, "deployment not found")
    try:
        value = act()
    except Refused as refused:
        raise Fault(500, str(refused)) from refused
    return answer(value, index=value["Index"])


# Nodes and namespaces


def list_nodes(inside: Inside, request: Request) -> Read:
    prefix = request.one("prefix") or ""
    nodes = [node for node in inside.state.nodes.values() if node["ID"].startswith(prefix)]
    found = [node_stub(node, resources=request.flag("resources"), os=request.flag("os")) for node in nodes]
    return Read(sorted(found, key=lambda node: str(node["ID"])), inside.state.index_of("nodes"))


def read_node(inside: Inside, _: Request, id_: str) -> Read:
    by_uuid(id_, "node")
    found = inside.state.nodes.get(id_)
    if found is None:
        return Read(None, inside.state.index_of("nodes"), missing="node not found")
    return Read(found, found["ModifyIndex"])


def change_meta(inside: Inside, request: Request) -> Response:
    """A node's dynamic meta; a null takes one away."""
    body = request.json()
    id_ = body.get("NodeID") or next(iter(inside.state.nodes))
    if id_ not in inside.state.nodes:
        raise Fault(404, "Unknown node")
    node = inside.state.nodes[id_]
    changes = body.get("Meta") or {}
    meta = {name: value for name, value in {**node["Meta"], **changes}.items() if value is not None}
    with inside.state.write("NodeRegistration") as write:
        write.put_node({**node, "Meta": meta}, id_=id_)
    return answer({"Meta": meta, "Dynamic": changes, "Static": node["Meta"]})


def list_namespaces(inside: Inside, request: Request) -> Read:
    prefix = request.one("prefix") or ""
    found = [one for name, one in sorted(inside.state.namespaces.items()) if name.startswith(prefix)]
    return Read(found, inside.state.index_of("namespaces"))


def read_namespace(inside: Inside, _: Request, id_: str) -> Read:
    found = inside.state.namespaces.get(id_)
    if found is None:
        return Read(None, inside.state.index_of("namespaces"), missing="Namespace not found")
    return Read(found, found["ModifyIndex"])


def put_namespace(inside: Inside, request: Request, id_: str = "") -> Response:
    body = request.json()
    name = body.get("Name") or id_
    if id_ and name != id_:
        raise Fault(400, "Namespace name does not match request path")
    with inside.state.write("NamespaceUpserted") as write:
        write.put_namespace(new_namespace(name, body.get("Description") or "", body.get("Meta")))
    return text("", content_type="", index=inside.state.index)


def new_namespace(name: str, description: str, meta: Any = None) -> Value:
    return {
        "Capabilities": None,
        "ConsulConfiguration": None,
        "Description": description,
        "Hash": base64.b64encode(hashlib.blake2b(f"{name}{description}".encode(), digest_size=32).digest()).decode(),
        "Meta": meta,
        "Name": name,
        "NodePoolConfiguration": None,
        "OptionalExtraClaims": None,
        "Quota": "",
        "RequiredExtraClaims": None,
        "VaultConfiguration": None,
    }


def delete_namespace(inside: Inside, _: Request, id_: str) -> Response:
    if id_ not in inside.state.namespaces:
        raise Fault(500, "namespace not found")
    state = inside.state
    busy = []
    if any(key[0] == id_ and record.job["Status"] != "dead" for key, record in state.jobs.items()):
        busy.append("jobs")
    if any(one["Namespace"] == id_ and not client_terminal(one) for one in state.allocations.values()):
        busy.append("allocations")
    if busy:
        region = f"regions: [{inside.world.region}]"
        raise Fault(500, errors([f'namespace "{id_}" has non-terminal {what} in {region}' for what in busy]))
    with state.write("NamespaceDeleted") as write:
        write.delete_namespace(id_)
    return text("", content_type="", index=state.index)


# Variables


def list_variables(inside: Inside, request: Request) -> Read:
    prefix = request.one("prefix") or ""
    found = [
        {name: value for name, value in one.items() if name != "Items"}
        for (namespace, path), one in sorted(inside.state.variables.items())
        if visible(namespace, request.namespace) and path.startswith(prefix)
    ]
    chosen, more = page(
        request, found, lambda one: f"{one['Namespace']}.{one['Path']}", start=lambda one, wanted: one >= wanted
    )
    return Read(chosen, inside.state.index_of("variables"), more)


def read_variable(inside: Inside, request: Request, id_: str) -> Read:
    if not id_:
        raise Fault(400, "missing variable path")
    found = inside.state.variables.get((request.namespace, id_))
    if found is None:
        return Read(None, inside.state.index_of("variables"), missing="variable not found")
    return Read(found, found["ModifyIndex"])


_LOCKS = ("lock-acquire", "lock-renew", "lock-release")


def put_variable(inside: Inside, request: Request, id_: str) -> Response:
    body = request.json()
    operations = [name for name in _LOCKS if name in request.query]
    cas = _cas(request)
    if operations and cas is not None:
        raise Fault(400, "CAS can't be used with lock operations")
    if len(operations) > 1:
        raise Fault(400, "multiple lock operations")
    # A renewal takes its namespace from the query alone.
    named = body.get("Namespace") if operations != ["lock-renew"] else None
    key = (request.one("namespace") or named or "default", id_)
    act: Any = {
        "lock-acquire": inside.variables.acquire,
        "lock-renew": inside.variables.renew,
        "lock-release": inside.variables.release,
    }.get(operations[0] if operations else "")
    try:
        value = act(key, body) if act else inside.variables.put(key, body, cas=cas)
    except VariableRefused as refused:
        return _refused(refused, operations)
    return answer(value, index=None if operations == ["lock-renew"] else inside.state.index)


def delete_variable(inside: Inside, request: Request, id_: str) -> Response:
    body = request.json() if request.body else {}
    try:
        inside.variables.delete((request.namespace, id_), body, cas=_cas(request))
    except VariableRefused as refused:
        return _refused(refused, [])
    return Response(204, b"", "", {"X-Nomad-Index": str(inside.state.index)})


def _cas(request: Request) -> int | None:
    given = request.one("cas")
    if given is None:
        return None
    if not given.isdigit():
        raise Fault(400, f'can not parse "cas" value: {given}')
    return int(given)


def _refused(refused: VariableRefused, operations: list[str]) -> Response:
    if isinstance(refused.body, str):
        told = refused.body.startswith("RPC Error") or operations == ["lock-release"]
        raise Fault(refused.status, refused.body, index=0 if told else None)
    response = answer(refused.body)
    index = refused.body["ModifyIndex"]
    headers = {} if operations else {"X-Nomad-Index": str(index)}
    return Response(refused.status, response.body, "", headers)


# The agent


def agent_self(inside: Inside, _: Request) -> Response:
    world = inside.world
    node = next(iter(inside.state.nodes.values()), {"ID": "", "Name": "server", "Datacenter": "dc1"})
    version = {
        "Version": world.version,
        "VersionPrerelease": "",
        "Revision": "",
        "BuildDate": "",
        "VersionMetadata": "",
    }
    return answer(
        {
            "config": {
                "ACL": {"Enabled": bool(world.tokens)},
                "Datacenter": node["Datacenter"],
                "NodeName": node["Name"],
                "Region": world.region,
                "Version": version,
            },
            "member": _member(inside),
            "stats": {
                "nomad": {"server": "true", "leader": "true", "leader_addr": "127.0.0.1:4647", "bootstrap": "true",
                          "known_regions": "1"},
                "raft": {"state": "Leader", "applied_index": str(inside.state.index),
                         "commit_index": str(inside.state.index), "last_log_index": str(inside.state.index)},
                "client": {"node_id": node["ID"], "num_allocations": str(len(inside.clients.runs))},
            },
        }
    )  # fmt: skip


def _member(inside: Inside) -> Value:
    world = inside.world
    name = next((node["Name"] for node in inside.state.nodes.values()), "server")
    return {
        "Addr": "127.0.0.1",
        "DelegateCur": 4,
        "DelegateMax": 5,
        "DelegateMin": 2,
        "Name": f"{name}.{world.region}",
        "Port": 4648,
        "ProtocolCur": 2,
        "ProtocolMax": 5,
        "ProtocolMin": 1,
        "Status": "alive",
        "Tags": {"role": "nomad", "region": world.region, "dc": "dc1", "build": world.version, "port": "4647",
                 "expect": "1", "bootstrap": "1", "raft_vsn": "3", "vsn": "1", "rpc_addr": "127.0.0.1", "id": "",
                 "revision": ""},
    }  # fmt: skip


def members(inside: Inside, _: Request) -> Response:
    member = _member(inside)
    name = member["Name"].partition(".")[0]
    return answer({"Members": [member], "ServerDC": "dc1", "ServerName": name, "ServerRegion": inside.world.region})


def leader(_: Inside, __: Request) -> Response:
    return answer("127.0.0.1:4647")


def regions(inside: Inside, _: Request) -> Response:
    return answer([inside.world.region])
