"""What a group asks for, and what its allocation gets, in the shapes in which Nomad tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nomad_operator.embedded.nodes import MAX_DYNAMIC_PORT, MIN_DYNAMIC_PORT
from nomad_operator.embedded.usage import Usage

Value = dict[str, Any]
Mapped = Mapping[str, Any]


def asked(group: Mapped) -> dict[str, int]:
    """Sums of a group. Tasks that run before and beside each other are counted in full."""
    tasks = group["Tasks"] or ()
    return {
        "cpu": sum(task["Resources"]["CPU"] for task in tasks),
        "memory": sum(task["Resources"]["MemoryMB"] for task in tasks),
        "disk": group["EphemeralDisk"]["SizeMB"],
    }


def no_resources() -> Value:
    return {
        "CPU": 0,
        "Cores": 0,
        "Devices": None,
        "DiskMB": 0,
        "IOPS": 0,
        "MemoryMB": 0,
        "MemoryMaxMB": 0,
        "NUMA": None,
        "Networks": None,
        "SecretsMB": 0,
    }


def allocated(node: Mapped, group: Mapped, usage: Usage, random: Callable[[], float]) -> Value | None:
    """AllocatedResources of a new allocation; None if no dynamic port is free. The node has room otherwise."""
    networks, ports = [], []
    addresses = [one["IP"] for one in node["NodeResources"]["Networks"] or () if one.get("IP")]
    chosen: set[int] = set()
    for network in group["Networks"] or ():
        own: Value = {"IP": addresses[0]}
        if network.get("Mode") not in (None, "", "host"):
            own["Mode"] = network["Mode"]
        for kind in ("ReservedPorts", "DynamicPorts"):
            given = []
            for port in network.get(kind) or ():
                value: int | None = port.get("Value")
                address: str | None = addresses[0]
                if kind == "ReservedPorts":
                    address = usage.address_for(port["Value"], addresses)
                else:
                    value = _dynamic(usage, addresses[0], chosen, random)
                if value is None or address is None:
                    return None
                chosen.add(value)
                to = value if port.get("To") == -1 else port.get("To", 0)
                given.append(
                    {
                        "HostNetwork": port.get("HostNetwork") or "default",
                        "Label": port["Label"],
                        "To": to,
                        "Value": value,
                    }
                )
                ports.append({"HostIP": address, "Label": port["Label"], "To": to, "Value": value})
                own["IP"] = address
            if given:
                own[kind] = given
        networks.append(own)
    tasks = group["Tasks"] or ()
    return {
        "Shared": {"DiskMB": group["EphemeralDisk"]["SizeMB"], "Networks": networks or None, "Ports": ports or None},
        "TaskLifecycles": {task["Name"]: task["Lifecycle"] for task in tasks},
        "Tasks": {task["Name"]: _task(task, node) for task in tasks},
    }  # fmt: skip


def old_shape(group: Mapped, resources: Mapped) -> Value:
    """The fields of an allocation that Nomad keeps for old clients: Resources, SharedResources, TaskResources."""
    networks = resources["Shared"]["Networks"]
    disk = resources["Shared"]["DiskMB"]
    tasks = {
        task["Name"]: {
            **no_resources(),
            "CPU": task["Resources"]["CPU"],
            "MemoryMB": task["Resources"]["MemoryMB"],
            "MemoryMaxMB": task["Resources"]["MemoryMaxMB"],
        }
        for task in group["Tasks"] or ()
    }
    memory = sum(task["MemoryMB"] for task in tasks.values())
    most = sum(max(task["MemoryMB"], task["MemoryMaxMB"]) for task in tasks.values())
    cpu = sum(task["CPU"] for task in tasks.values())
    total = {"CPU": cpu, "DiskMB": disk, "MemoryMB": memory, "MemoryMaxMB": most, "Networks": networks}
    return {
        "Resources": {**no_resources(), **total},
        "SharedResources": {**no_resources(), "DiskMB": disk, "Networks": networks},
        "TaskResources": tasks,
    }


def _dynamic(usage: Usage, address: str, chosen: set[int], random: Callable[[], float]) -> int | None:
    start = int(random() * (MAX_DYNAMIC_PORT - MIN_DYNAMIC_PORT))
    port = usage.dynamic_port(address, start)
    while port is not None and port in chosen:
        port = usage.dynamic_port(address, port - MIN_DYNAMIC_PORT + 1)
    return port


def _task(task: Mapped, node: Mapped) -> Value:
    devices = []
    for device in task["Resources"]["Devices"] or ():
        # Which of the instances it is makes no difference here.
        one = next(
            there
            for there in node["NodeResources"]["Devices"]
            if device["Name"].split("/")[-1] in (there["Type"], there["Name"])
        )
        ids = [instance["ID"] for instance in one["Instances"][: device["Count"] or 1]]
        devices.append({"Vendor": one["Vendor"], "Type": one["Type"], "Name": one["Name"], "DeviceIDs": ids})
    wanted = task["Resources"]
    return {
        "Cpu": {"CpuShares": wanted["CPU"], "ReservedCores": None},
        "Devices": devices or None,
        "Memory": {"MemoryMB": wanted["MemoryMB"], "MemoryMaxMB": wanted["MemoryMaxMB"]},
        "Networks": None,
    }
