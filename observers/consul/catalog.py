"""What Consul's catalog says, as plain values; decoded from its JSON, unknown fields left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_WORST_FIRST = ("critical", "maintenance", "warning", "passing")


@dataclass(frozen=True, slots=True)
class Agent:
    """The agent that answered. `version` is empty where the token may not read it."""

    version: str
    datacenter: str
    acls: bool | None = None  # None: not known


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of a service. `status` is the worst of its checks: passing, warning, critical or maintenance."""

    service: str
    id: str
    node: str
    address: str
    port: int
    tags: tuple[str, ...]
    status: str
    failing: tuple[str, ...] = ()  # names of checks that are not passing

    @property
    def healthy(self) -> bool:
        return self.status == "passing"


def instances(answer: Any) -> tuple[Instance, ...]:
    """From `health/service/<name>`, in a stable order."""
    entries = [_instance(entry) for entry in _list(answer) if isinstance(entry, Mapping)]
    return tuple(sorted(entries, key=lambda one: (one.node, one.id)))


def tags_by_service(answer: Any) -> dict[str, tuple[str, ...]]:
    """From `catalog/services`: every name with the tags of all its instances together."""
    if not isinstance(answer, Mapping):
        return {}
    return {str(name): tuple(str(tag) for tag in _list(tags)) for name, tags in sorted(answer.items())}


def agent(answer: Any) -> Agent:
    """From `agent/self`."""
    config = _object(_object(answer).get("Config"))
    debug = _object(_object(answer).get("DebugConfig"))
    acls = debug.get("ACLsEnabled")
    return Agent(
        version=str(config.get("Version") or ""),
        datacenter=str(config.get("Datacenter") or ""),
        acls=acls if isinstance(acls, bool) else None,
    )


def _instance(entry: Mapping[str, Any]) -> Instance:
    node, service = _object(entry.get("Node")), _object(entry.get("Service"))
    checks = [_object(one) for one in _list(entry.get("Checks"))]
    statuses = [str(check.get("Status") or "") for check in checks] or ["passing"]
    port = service.get("Port")
    return Instance(
        service=str(service.get("Service") or ""),
        id=str(service.get("ID") or ""),
        node=str(node.get("Node") or ""),
        address=str(service.get("Address") or node.get("Address") or ""),
        port=port if isinstance(port, int) else 0,
        tags=tuple(str(tag) for tag in _list(service.get("Tags"))),
        status=next((status for status in _WORST_FIRST if status in statuses), statuses[0]),
        failing=tuple(str(check.get("Name") or "") for check in checks if check.get("Status") != "passing"),
    )


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
