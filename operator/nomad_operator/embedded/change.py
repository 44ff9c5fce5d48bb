"""What a new version of a job does to the running allocations of one group: nothing, an update in place, a new one.

Source: scheduler/util.go tasksUpdated.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

_GROUP = ("EphemeralDisk", "Volumes")
_TASK = (
    "Driver",
    "User",
    "Config",
    "Env",
    "Artifacts",
    "Vault",
    "Secrets",
    "Templates",
    "CSIPluginConfig",
    "Identity",
    "Identities",
)
_RESOURCES = ("CPU", "Cores", "MemoryMB", "MemoryMaxMB", "Devices", "NUMA", "SecretsMB")
_NETWORK = ("Mode", "MBits", "Hostname", "DNS", "CNI")

Value = Mapping[str, Any]


class Change(StrEnum):
    """Ordered by how much it does."""

    NONE = "none"
    IN_PLACE = "in-place"
    DESTRUCTIVE = "destructive"


def group_change(old: Value, new: Value, group: str) -> Change:
    """What allocations of `group` of the job `old` go through; both jobs in the server's shape, the group in both.

    Any change of the job, even of another group, updates in place what it does not replace: the allocation gets the
    new version of the job.
    """
    if destructive(old, new, group):
        return Change.DESTRUCTIVE
    return Change.NONE if _spec(old) == _spec(new) else Change.IN_PLACE


def destructive(old: Value, new: Value, group: str) -> bool:
    """Whether an allocation of the old job has to be replaced."""
    before, after = (next(one for one in job["TaskGroups"] if one["Name"] == group) for job in (old, new))
    tasks_before, tasks_after = ({task["Name"]: task for task in one["Tasks"] or ()} for one in (before, after))
    if tasks_before.keys() != tasks_after.keys() or _differ(before, after, _GROUP):
        return True
    if _networks(before.get("Networks")) != _networks(after.get("Networks")):
        return True
    if _consul(before, after) or _connect(before, after) or _renders(before) != _renders(after):
        return True
    return any(
        _task_replaced(tasks_before[name], tasks_after[name]) or _meta(old, before, name) != _meta(new, after, name)
        for name in tasks_before
    )


def _spec(job: Value) -> dict[str, Any]:
    """All of a job but what the server keeps its books with."""
    books = {"Status", "StatusDescription", "Stable", "Version", "SubmitTime", "CreateIndex", "ModifyIndex"}
    return {name: value for name, value in job.items() if name not in books | {"JobModifyIndex"}}


def _differ(old: Value, new: Value, fields: tuple[str, ...]) -> bool:
    return any((old.get(field) or None) != (new.get(field) or None) for field in fields)


def _task_replaced(old: Value, new: Value) -> bool:
    if _differ(old, new, _TASK) or _differ(old["Resources"], new["Resources"], _RESOURCES):
        return True
    if _networks(old["Resources"].get("Networks")) != _networks(new["Resources"].get("Networks")):
        return True
    if (old["VolumeMounts"] or []) != (new["VolumeMounts"] or []):
        return True
    if old["LogConfig"]["Disabled"] != new["LogConfig"]["Disabled"]:
        return True
    return _consul(old, new) or _renders(old) != _renders(new)


def _networks(networks: list[Value] | None) -> list[Any]:
    """What counts of networks; the value of a dynamic port does not."""

    def ports(network: Value, kind: str, fields: tuple[str, ...]) -> list[tuple[Any, ...]]:
        found = (tuple(port.get(field) or None for field in fields) for port in network.get(kind) or ())
        return sorted(found, key=repr)

    return [
        (
            [network.get(field) or None for field in _NETWORK],
            ports(network, "ReservedPorts", ("Label", "Value", "To", "HostNetwork")),
            ports(network, "DynamicPorts", ("Label", "To", "HostNetwork")),
        )
        for network in networks or ()
    ]


def _consul(old: Value, new: Value) -> bool:
    before, after = old.get("Consul"), new.get("Consul")
    if ((before or {}).get("Namespace") or "") != ((after or {}).get("Namespace") or ""):
        return True
    return bool(before and after and any(before.get(f) != after.get(f) for f in ("Cluster", "Partition")))


def _connect(old: Value, new: Value) -> bool:
    after = {service["Name"]: service for service in new.get("Services") or ()}
    fields = ("Connect", "PortLabel", "Cluster")
    before = (service for service in old.get("Services") or () if service.get("Connect") is not None)
    return any(service["Name"] in after and _differ(service, after[service["Name"]], fields) for service in before)


def _renders(holder: Value) -> bool:
    return bool((holder.get("RestartPolicy") or {}).get("RenderTemplates"))


def _meta(job: Value, group: Value, task: str) -> dict[str, str]:
    inner = next(one for one in group["Tasks"] if one["Name"] == task)
    return {**(job.get("Meta") or {}), **(group.get("Meta") or {}), **(inner.get("Meta") or {})}
