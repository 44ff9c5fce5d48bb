"""The API of the cluster: nodes, namespaces, the agent."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from nomad_operator.embedded.api import Inside, Read, Value, by_uuid
from nomad_operator.embedded.derived import client_terminal
from nomad_operator.embedded.gotext import errors
from nomad_operator.embedded.instant import SECOND
from nomad_operator.embedded.messages import Fault, Request, Response, answer, text
from nomad_operator.embedded.nodes import node_stub

_CLIENT_TELLS = SECOND


def list_nodes(inside: Inside, request: Request) -> Read:
    prefix = request.one("prefix") or ""
    nodes = [node for node in inside.state.nodes.values() if node["ID"].startswith(prefix)]
    found = [node_stub(node, resources=request.flag("resources"), os=request.flag("os")) for node in nodes]
    return Read(sorted(found, key=lambda node: str(node["ID"])), inside.state.index_of("nodes"))


def list_node_pools(inside: Inside, _: Request) -> Read:
    """Source: `GET /v1/node/pools` of Nomad 2.0.5."""
    told = {"all": "Node pool with all nodes in the cluster.", "default": "Default node pool."}
    index = inside.state.index_of("nodes")
    found = [
        {
            "CreateIndex": 1,
            "Description": told.get(name, ""),
            "Hash": None,
            "Meta": None,
            "ModifyIndex": 1,
            "Name": name,
            "NodeIdentityTTL": 86_400 * SECOND,
            "SchedulerConfiguration": None,
        }
        for name in sorted(inside.world.node_pools)
    ]
    return Read(found, index)


def read_node(inside: Inside, _: Request, id_: str) -> Read:
    by_uuid(id_, "node")
    found = inside.state.nodes.get(id_)
    if found is None:
        return Read(None, inside.state.index_of("nodes"), missing="node not found")
    return Read(found, found["ModifyIndex"])


def change_meta(inside: Inside, request: Request) -> Response:
    """A node's dynamic meta; a null takes one away. The client tells its servers of it a second later."""
    body = request.json()
    id_ = body.get("NodeID") or next(iter(inside.state.nodes))
    if id_ not in inside.state.nodes:
        raise Fault(404, "Unknown node")
    node = inside.state.nodes[id_]
    changed = {**node["Meta"], **(body.get("Meta") or {})}
    meta = {name: value for name, value in changed.items() if value is not None}
    inside.timers.after(_CLIENT_TELLS, lambda: _changed(inside, id_, meta))
    static = dict(next(declared.meta for declared in inside.world.nodes if declared.name == node["Name"]))
    dynamic = {name: value for name, value in meta.items() if static.get(name) != value}
    return answer({"Meta": meta, "Dynamic": dynamic, "Static": static})


def _changed(inside: Inside, id_: str, meta: Value) -> None:
    state = inside.state
    with state.write("NodeRegistration") as write:
        write.put_node({**state.nodes[id_], "Meta": meta}, id_=id_)
    there = [one for one in state.allocations.values() if one["NodeID"] == id_ and not client_terminal(one)]
    jobs = [state.jobs[key].job for key in dict.fromkeys((one["Namespace"], one["JobID"]) for one in there)]
    if not jobs:
        return
    with state.write("EvaluationUpdated") as write:
        made = [inside.scheduler.new_evaluation(job, "node-update", NodeID=id_) for job in jobs]
        for evaluation in made:
            write.put_evaluation({**evaluation, "NodeModifyIndex": state.nodes[id_]["ModifyIndex"]})
    for evaluation in made:
        inside.scheduler.enqueue(evaluation["ID"])


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
