"""Where an allocation goes: the first node that is fit for it, or why none is, as Nomad's AllocMetric tells it.

Source: scheduler/feasible; the reasons are those of the recordings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from nomad_operator.embedded.constraint import escapes, resolve, satisfied, told
from nomad_operator.embedded.resources import allocated, asked, no_resources
from nomad_operator.embedded.usage import Usage

Value = dict[str, Any]
Mapped = Mapping[str, Any]


MISSING_CSI = "missing CSI volume(s) "


@dataclass(slots=True)
class Metric:
    """How a search went."""

    pool: str
    available: dict[str, int]
    in_pool: int
    evaluated: int = 0
    filtered: dict[str, int] = field(default_factory=dict)
    exhausted: dict[str, int] = field(default_factory=dict)
    resources: Value = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    scores: list[Value] = field(default_factory=list)
    coalesced: int = 0
    escaped: bool = False

    def exhaust(self, group: Mapped) -> None:
        """Another one finds no room: what it asks for is added. Source: structs.AllocMetric.ExhaustResources."""
        for field_, dimension in (("CPU", "cpu"), ("MemoryMB", "memory")):
            for task in group["Tasks"] or () if self.exhausted else ():
                asked_ = self.resources.setdefault(task["Name"], no_resources())
                if dimension in self.exhausted:
                    asked_[field_] += task["Resources"][field_]

    def shown(self) -> Value:
        return {
            "AllocationTime": 10_000,
            "ClassExhausted": None,
            "ClassFiltered": None,
            "CoalescedFailures": self.coalesced,
            "ConstraintFiltered": self.filtered or None,
            "DimensionExhausted": self.exhausted or None,
            "NodePool": self.pool,
            "NodesAvailable": self.available,
            "NodesEvaluated": self.evaluated,
            "NodesExhausted": sum(self.exhausted.values()),
            "NodesFiltered": sum(self.filtered.values()),
            "NodesInPool": self.in_pool,
            "QuotaExhausted": None,
            "ResourcesExhausted": self.resources or None,
            "ScoreMetaData": self.scores or None,
            "Scores": None,
        }


@dataclass(frozen=True, slots=True)
class Fit:
    """A node, and what the allocation gets on it."""

    node: Mapped
    resources: Value
    metric: Metric


class Placer:
    """Places the allocations of one plan, one after the other, each seeing those before it."""

    def __init__(
        self,
        *,
        nodes: Iterable[Mapped],
        usage: Callable[[str], Usage],
        random: Callable[[], float],
        job: Mapped,
        beside: Iterable[Mapped],
    ) -> None:
        """`beside`: the job's allocations that stay, for `distinct_hosts` and for spreading over nodes."""
        self._job = job
        self._nodes = {node["ID"]: node for node in nodes}
        pool = [node for node in self._nodes.values() if _in_pool(node, job)]
        self.ready = [node for node in pool if _in_datacenter(node, job)]
        self._usage_of = usage
        self._usage: dict[str, Usage] = {}
        self._random = random
        self._beside = [(one["NodeID"], one["TaskGroup"]) for one in beside]

    def release(self, allocation: Mapped) -> None:
        """This plan stops it: what it has may be taken again."""
        self._taken(allocation["NodeID"]).remove(allocation)

    def leave(self, allocation: Mapped) -> None:
        """It is no longer beside the others."""
        where = (allocation["NodeID"], allocation["TaskGroup"])
        if where in self._beside:
            self._beside.remove(where)

    def may_stay(self, allocation: Mapped, group: Mapped) -> bool:
        """Whether an allocation may be updated where it is: its node is still one that the group may have.

        A node that takes nothing new keeps what it has. Source: scheduler/util.go genericAllocUpdateFn.
        """
        node = self._nodes.get(allocation["NodeID"])
        if (
            node is None
            or not _in_datacenter(node, self._job)
            or self._job["NodePool"] not in ("all", node["NodePool"])
        ):
            return False
        return not (_of_class(node, group, self._job) or _of_node(node, group))

    def suits(self, node: str, group: Mapped) -> bool:
        """Whether a group may be on a node at all, room aside."""
        found = self._nodes.get(node)
        return found is not None and not (_of_class(found, group, self._job) or _of_node(found, group))

    def place(self, group: Mapped, *, avoid: frozenset[str] = frozenset(), only: str = "") -> Fit | Metric:
        """`avoid`: nodes that come last; `only`: the one node that may be taken (system jobs)."""
        available: dict[str, int] = {}
        for node in self.ready:
            available[node["Datacenter"]] = available.get(node["Datacenter"], 0) + 1
        # Searches for one node alone, as system jobs need them, tell less.
        metric = Metric("" if only else self._job["NodePool"], available, len(self.ready))
        nodes = [node for node in self.ready if not only or node["ID"] == only]
        for node in sorted(nodes, key=lambda node: (node["ID"] in avoid, self._siblings(node["ID"], group))):
            metric.evaluated += 1
            reason = self._unfit(node, group, metric)
            if reason:
                metric.filtered[reason] = metric.filtered.get(reason, 0) + 1
                continue
            usage = self._taken(node["ID"])
            dimension = exhausted(node, group, usage)
            resources = None if dimension else allocated(node, group, usage, self._random)
            if resources is None:
                dimension = dimension or "network: dynamic port selection failed"
                metric.exhausted[dimension] = metric.exhausted.get(dimension, 0) + 1
                continue
            usage.add({"AllocatedResources": resources})
            self._beside.append((node["ID"], group["Name"]))
            metric.scores = [_score(node, usage, alone=bool(only))]
            return Fit(node, resources, metric)
        metric.escaped = _escapes(group, self._job)
        metric.exhaust(group)
        return metric

    def _taken(self, node: str) -> Usage:
        if node not in self._usage:
            self._usage[node] = self._usage_of(node).copy()
        return self._usage[node]

    def _siblings(self, node: str, group: Mapped) -> int:
        return sum(1 for one in self._beside if one == (node, group["Name"]))

    def _unfit(self, node: Mapped, group: Mapped, metric: Metric) -> str:
        if _escapes(group, self._job):
            return _of_class(node, group, self._job) or _of_node(node, group) or self._distinct(node, group)
        class_ = node["ComputedClass"]
        if metric.classes.get(class_):
            return "computed class ineligible"
        reason = _of_class(node, group, self._job)
        metric.classes[class_] = reason
        return reason or _of_node(node, group) or self._distinct(node, group)

    def _distinct(self, node: Mapped, group: Mapped) -> str:
        for holder, groups in ((self._job, None), (group, group["Name"])):
            for constraint in holder["Constraints"] or ():
                mine = [one for one, name in self._beside if groups is None or name == groups]
                if constraint["Operand"] == "distinct_hosts" and node["ID"] in mine:
                    return "distinct_hosts"
                if constraint["Operand"] == "distinct_property":
                    reason = self._property(constraint, node, mine)
                    if reason:
                        return reason
        return ""

    def _property(self, constraint: Mapped, node: Mapped, mine: list[str]) -> str:
        target = constraint["LTarget"]
        value = resolve(target, node)
        if value is None:
            return f'missing property "{target}"'
        by_id = {one["ID"]: one for one in self.ready}
        used = sum(1 for one in mine if one in by_id and resolve(target, by_id[one]) == value)
        if used >= int(constraint["RTarget"] or 1):
            return f"distinct_property: {target}={value} used by {used} allocs"
        return ""


def _in_pool(node: Mapped, job: Mapped) -> bool:
    ready = node["Status"] == "ready" and node["SchedulingEligibility"] == "eligible"
    return ready and job["NodePool"] in ("all", node["NodePool"])


def _in_datacenter(node: Mapped, job: Mapped) -> bool:
    return any(fnmatchcase(node["Datacenter"], pattern) for pattern in job["Datacenters"])


def _escapes(group: Mapped, job: Mapped) -> bool:
    holders = (job, group, *(group["Tasks"] or ()))
    return any(escapes(constraint) for holder in holders for constraint in holder["Constraints"] or ())


def _of_class(node: Mapped, group: Mapped, job: Mapped) -> str:
    """What is the same for every node of a class."""
    for constraint in job["Constraints"] or ():
        if not satisfied(constraint, node):
            return told(constraint)
    tasks = group["Tasks"] or ()
    for task in tasks:
        if not node["Drivers"].get(task["Driver"], {}).get("Healthy"):
            return "missing drivers"
    for holder in (group, *tasks):
        for constraint in holder["Constraints"] or ():
            if not satisfied(constraint, node):
                return told(constraint)
    devices = node["NodeResources"]["Devices"] or ()
    for task in tasks:
        for device in task["Resources"]["Devices"] or ():
            if not any(matches_device(device["Name"], one) for one in devices):
                return "missing devices"
    for network in group["Networks"] or ():
        mode = network.get("Mode") or "host"
        if mode.startswith("cni/") and f"plugins.cni.network.{mode.removeprefix('cni/')}" not in node["Attributes"]:
            return "missing network"
        if not mode.startswith("cni/") and mode not in ("host", "bridge", "none"):
            return "missing network"
        for port in (*(network.get("ReservedPorts") or ()), *(network.get("DynamicPorts") or ())):
            name = port.get("HostNetwork") or "default"
            if name != "default" and name not in (node["HostNetworks"] or {}):
                return f'missing host network "{name}" for port "{port["Label"]}"'
    return ""


def _of_node(node: Mapped, group: Mapped) -> str:
    for volume in (group["Volumes"] or {}).values():
        if volume["Type"] == "host":
            there = node["HostVolumes"].get(volume["Source"])
            if there is None or (there["ReadOnly"] and not volume["ReadOnly"]):
                return "missing compatible host volumes"
        else:
            # No CSI volume can be declared: none was recorded.
            return f"{MISSING_CSI}{volume['Source']}"
    return ""


def matches_device(wanted: str, device: Mapped) -> bool:
    """`type`, `vendor/type` or `vendor/type/name`."""
    parts = wanted.split("/")
    own = [device["Vendor"], device["Type"], device["Name"]]
    return parts == {1: own[1:2], 2: own[:2]}.get(len(parts), own)


def exhausted(node: Mapped, group: Mapped, usage: Usage) -> str:
    """The first dimension in which there is not enough room; empty if there is."""
    addresses = [one["IP"] for one in node["NodeResources"]["Networks"] or () if one.get("IP")]
    for network in group["Networks"] or ():
        for port in network.get("ReservedPorts") or ():
            if usage.address_for(port["Value"], addresses) is None:
                return f"network: reserved port collision {port['Label']}={port['Value']}"
    for task in group["Tasks"] or ():
        for device in task["Resources"]["Devices"] or ():
            matching = [one for one in node["NodeResources"]["Devices"] or () if matches_device(device["Name"], one)]
            free = sum(
                len(one["Instances"]) - usage.devices[f"{one['Vendor']}/{one['Type']}/{one['Name']}"]
                for one in matching
            )
            if free < (device["Count"] or 1):
                return "devices: no devices available"
    wanted = asked(group)
    room = node["NodeResources"]
    if sum(task["Resources"]["Cores"] or 0 for task in group["Tasks"] or ()) > room["Cpu"]["TotalCpuCores"]:
        return "cores"
    for name, has, used in (
        ("cpu", room["Cpu"]["CpuShares"], usage.cpu),
        ("memory", room["Memory"]["MemoryMB"], usage.memory),
        ("disk", room["Disk"]["DiskMB"], usage.disk),
    ):
        if used + wanted[name] > has:
            return name
    return ""


def _score(node: Mapped, usage: Usage, *, alone: bool) -> Value:
    room = node["NodeResources"]
    share = (usage.cpu / max(room["Cpu"]["CpuShares"], 1) + usage.memory / max(room["Memory"]["MemoryMB"], 1)) / 2
    scores = {"binpack": share}
    if not alone:
        scores |= dict.fromkeys(("job-anti-affinity", "node-affinity", "node-reschedule-penalty"), 0.0)
    return {"NodeID": node["ID"], "NormScore": share, "Scores": scores}
