"""What of a node is taken: resources, devices, ports on each of its addresses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nomad_operator.embedded.derived import client_terminal
from nomad_operator.embedded.nodes import MAX_DYNAMIC_PORT, MIN_DYNAMIC_PORT
from nomad_operator.embedded.state import State, Transaction

Value = dict[str, Any]


@dataclass(slots=True)
class Usage:
    """Taken by the allocations that the node's client has not ended."""

    cpu: int = 0
    memory: int = 0
    disk: int = 0
    devices: Counter[str] = field(default_factory=Counter)
    ports: dict[str, set[int]] = field(default_factory=dict)

    def copy(self) -> Usage:
        """Independent of this one."""
        ports = {address: set(taken) for address, taken in self.ports.items()}
        return Usage(self.cpu, self.memory, self.disk, Counter(self.devices), ports)

    def add(self, allocation: Mapping[str, Any]) -> None:
        self._count(allocation, 1)
        for address, port in _ports(allocation):
            self.ports.setdefault(address, set()).add(port)

    def remove(self, allocation: Mapping[str, Any]) -> None:
        self._count(allocation, -1)
        for address, port in _ports(allocation):
            self.ports.get(address, set()).discard(port)

    def _count(self, allocation: Mapping[str, Any], sign: int) -> None:
        resources = allocation["AllocatedResources"]
        self.disk += sign * resources["Shared"]["DiskMB"]
        for task in resources["Tasks"].values():
            self.cpu += sign * task["Cpu"]["CpuShares"]
            self.memory += sign * task["Memory"]["MemoryMB"]
            for device in task["Devices"] or ():
                self.devices[f"{device['Vendor']}/{device['Type']}/{device['Name']}"] += sign * len(device["DeviceIDs"])

    def address_for(self, port: int, addresses: list[str]) -> str | None:
        """The first address on which the port is free."""
        return next((one for one in addresses if port not in self.ports.get(one, ())), None)

    def dynamic_port(self, address: str, start: int) -> int | None:
        """A free port, looked for from `start` on, around the range once."""
        taken = self.ports.get(address, set())
        size = MAX_DYNAMIC_PORT - MIN_DYNAMIC_PORT
        ports = (MIN_DYNAMIC_PORT + (start + step) % size for step in range(size))
        return next((port for port in ports if port not in taken), None)


class UsageTable:
    """What is taken on every node, kept up to date with the allocations."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._nodes: dict[str, Usage] = {}
        self._counted: dict[str, Mapping[str, Any]] = {}
        state.on_write(self._on_write)

    def of(self, node: str) -> Usage:
        """Not to be changed."""
        return self._nodes.setdefault(node, Usage())

    def _on_write(self, write: Transaction) -> None:
        for id_ in write.allocations:
            allocation = self._state.allocations.get(id_)
            counts = allocation is not None and not client_terminal(allocation)
            if counts and allocation is not None and id_ not in self._counted:
                self._counted[id_] = allocation
                self.of(allocation["NodeID"]).add(allocation)
            elif not counts and id_ in self._counted:
                gone = self._counted.pop(id_)
                self.of(gone["NodeID"]).remove(gone)


def _ports(allocation: Mapping[str, Any]) -> list[tuple[str, int]]:
    ports = allocation["AllocatedResources"]["Shared"]["Ports"] or ()
    return [(port["HostIP"], port["Value"]) for port in ports]
