"""Nodes as a server knows them, made from the world file: what it lists, and what can be placed on them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from nomad_operator.embedded.instant import SECOND, rfc3339
from nomad_operator.embedded.world import Node, World

Value = dict[str, Any]

MIN_DYNAMIC_PORT = 20_000
MAX_DYNAMIC_PORT = 32_000
_CORE_MHZ = 2500


def node_value(node: Node, world: World, *, id_: str, now: int, index: int) -> Value:
    """The node as `/v1/node/:id` shows it."""
    attributes = _attributes(node, world)
    drivers = {
        name: {
            "Attributes": {f"driver.{name}": "true", **driver.attributes} if driver.detected else {},
            "Detected": driver.detected,
            "HealthDescription": "Healthy" if driver.healthy and driver.detected else "",
            "Healthy": driver.healthy and driver.detected,
            "UpdateTime": rfc3339(now),
        }
        for name, driver in node.drivers.items()
    }
    value = {
        "Attributes": attributes,
        "CSIControllerPlugins": {},
        "CSINodePlugins": {},
        "CgroupParent": "nomad.slice",
        "CreateIndex": index,
        "Datacenter": node.datacenter,
        "Drain": False,
        "DrainStrategy": None,
        "Drivers": drivers,
        "Events": [
            {
                "CreateIndex": 0,
                "Details": None,
                "Message": "Node registered",
                "Subsystem": "Cluster",
                "Timestamp": rfc3339(now),
            }
        ],
        "GCVolumesOnNodeGC": False,
        # No port: Nomad's tools ask a node itself first, and another agent on this machine must not answer for it.
        "HTTPAddr": f"{node.addresses[0]}:0",
        "HostNetworks": {name: {} for name in node.host_networks} or None,
        "HostVolumes": {
            name: {"ID": "", "Name": name, "Path": volume.path, "ReadOnly": volume.read_only}
            for name, volume in node.host_volumes.items()
        },
        "ID": id_,
        "IdentitySigningKeyID": "",
        "LastAllocUpdateIndex": 0,
        "LastDrain": None,
        "LastMissedHeartbeatIndex": 0,
        "Links": {},
        "Meta": dict(node.meta),
        "ModifyIndex": index,
        "Name": node.name,
        "NodeClass": node.class_,
        "NodeMaxAllocs": 0,
        "NodePool": node.pool,
        "NodeResources": _resources(node),
        "ReservedResources": {
            "Cpu": {"CpuShares": 0, "ReservedCpuCores": None},
            "Disk": {"DiskMB": 0},
            "Memory": {"MemoryMB": 0},
            "Networks": {"ReservedHostPorts": ""},
        },
        "SchedulingEligibility": "eligible",
        "SecretID": "",
        "Status": "ready",
        "StatusDescription": "",
        "StatusUpdatedAt": now // SECOND,
        "TLSEnabled": False,
    }
    return {**value, "ComputedClass": computed_class(value)}


def computed_class(node: Mapping[str, Any]) -> str:
    """Equal for nodes that a scheduler need not tell apart."""
    parts: list[Any] = [node["Datacenter"], node["NodeClass"], node["NodePool"]]
    for name in ("Attributes", "Meta"):
        parts.append(sorted((key, value) for key, value in node[name].items() if not key.startswith("unique.")))
    parts.append(sorted((name, driver["Healthy"]) for name, driver in node["Drivers"].items()))
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return f"v1:{int.from_bytes(digest[:8], 'big') | 1 << 63}"


def node_stub(node: Mapping[str, Any], *, resources: bool = False, os: bool = False) -> Value:
    """The node as `/v1/nodes` lists it."""
    same = (
        "ID", "Datacenter", "Name", "NodePool", "NodeClass", "Drain", "SchedulingEligibility", "Status",
        "StatusDescription", "Drivers", "HostVolumes", "LastDrain", "CreateIndex", "ModifyIndex",
    )  # fmt: skip
    stub = {name: node[name] for name in same}
    stub["Address"] = node["HTTPAddr"].rpartition(":")[0]
    stub["Version"] = node["Attributes"]["nomad.version"]
    if resources:
        stub |= {name: node[name] for name in ("NodeResources", "ReservedResources")}
    if os:
        stub["Attributes"] = {"os.name": node["Attributes"]["os.name"]}
    return stub


def _attributes(node: Node, world: World) -> dict[str, str]:
    attributes = {
        "kernel.name": "linux",
        "kernel.arch": "x86_64",
        "cpu.arch": "amd64",
        "cpu.numcores": str(max(1, node.cpu // _CORE_MHZ)),
        "cpu.totalcompute": str(node.cpu),
        "cpu.usablecompute": str(node.cpu),
        "memory.totalbytes": str(node.memory * 1024 * 1024),
        "os.name": "debian",
        "os.version": "12.11",
        "os.cgroups.version": "2",
        "os.signals": "SIGABRT,SIGALRM,SIGCONT,SIGHUP,SIGINT,SIGKILL,SIGPIPE,SIGQUIT,SIGTERM,SIGUSR1,SIGUSR2,SIGWINCH",
        "nomad.version": world.version,
        "nomad.service_discovery": "true",
        "plugins.secrets.nomad.version": "1.0.0",
        "plugins.secrets.vault.version": "1.0.0",
        "unique.hostname": node.name,
        "unique.network.ip-address": node.addresses[0],
    }
    if world.consul:
        attributes |= {"consul.version": "1.21.4", "consul.datacenter": node.datacenter}
    if world.vault:
        attributes["vault.version"] = "1.18.0"
    for name, driver in node.drivers.items():
        if driver.detected:
            attributes |= {f"driver.{name}": "1", **driver.attributes}
    attributes |= node.attributes
    return {name: value for name, value in attributes.items() if value}


def _resources(node: Node) -> Value:
    cores = max(1, node.cpu // _CORE_MHZ)
    devices = [
        {
            "Vendor": device.vendor,
            "Type": device.type,
            "Name": device.name,
            "Instances": [{"ID": f"{device.type}-{n}", "Healthy": True} for n in range(device.count)],
        }
        for device in node.devices
    ]
    families = [(one, "ipv6" if ":" in one else "ipv4") for one in node.addresses]
    return {
        "Cpu": {"CpuShares": node.cpu, "ReservableCpuCores": list(range(cores)), "TotalCpuCores": cores},
        "Devices": devices or None,
        "Disk": {"DiskMB": node.disk},
        "Memory": {"MemoryMB": node.memory},
        "MinDynamicPort": MIN_DYNAMIC_PORT,
        "MaxDynamicPort": MAX_DYNAMIC_PORT,
        "Networks": [
            {"CIDR": f"{one}/{32 if family == 'ipv4' else 128}", "Device": "eth0", "IP": one, "MBits": 1000,
             "Mode": "host"}
            for one, family in families
        ],
        "NodeNetworks": [
            {
                "Addresses": [
                    {"Address": one, "Alias": "default", "Family": family, "Gateway": "", "ReservedPorts": ""}
                    for one, family in families
                ],
                "Device": "eth0",
                "MacAddress": "",
                "Mode": "host",
                "Speed": 1000,
            }
        ],
    }  # fmt: skip
