"""Where a job may run, corrected by what the cluster offers: datacenter, node pool, constraint, driver."""

from __future__ import annotations

import re
from collections.abc import Mapping

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts, nodes
from reconcilers.repair.rules.job_parts import Part
from reconcilers.repair.rules.near_miss import near_miss, near_misses
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix

# Names of the same processor elsewhere (uname, Docker, npm) for Nomad's, which are Go's.
_ARCHITECTURES = {"x86_64": "amd64", "x64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armv8": "arm64"}
_EQUAL = frozenset({"=", "==", "is"})
# Drivers that run the same image with the same isolation, and the keys that both know.
# Source: the Podman driver's README, task configuration.
_EQUAL_DRIVERS = {"docker": "podman", "podman": "docker"}
_COMMON_KEYS = frozenset(
    re.findall(
        r"[\w-]+", "image command args entrypoint ports volumes hostname labels cap_add cap_drop force_pull init tty"
    )
)


def _datacenter(case: Case) -> Answer:
    """A misspelt one is corrected; otherwise only where the cluster has exactly one."""
    asked = [str(one) for one in case.body.get("Datacenters") or ()]
    there = {room.node.datacenter for room in nodes.ready(case) if nodes.in_pool(case, room)} - {""}
    if not asked or not there or nodes.in_reach(case):
        return None
    meant = [near_miss(one, there) for one in asked]
    if any(meant):
        new = tuple(dict.fromkeys(found or one for found, one in zip(meant, asked, strict=True)))
        return _datacenters(case, asked, new, "the nodes' datacenter that is spelt almost so")
    if len(there) == 1:
        return _datacenters(case, asked, tuple(there), "the only datacenter there is")
    return choose(f"no ready node is in {', '.join(asked)}", [f"datacenter {one}" for one in sorted(there)])


def _datacenters(case: Case, asked: list[str], new: tuple[str, ...], ground: str) -> Answer:
    reason = f"no ready node is in {', '.join(asked)}"
    return fix(case, reason, (Edit(Kind.DATACENTERS, (), new, ground),))


def _node_pool(case: Case) -> Answer:
    """A misspelt pool is corrected; otherwise only where the cluster has exactly one."""
    asked = str(case.body.get("NodePool") or nodes.DEFAULT_POOL)
    there = set(case.evidence.cluster.node_pools or ()) - {"all", ""}
    if not there or asked in there:
        return None
    meant = near_miss(asked, there)
    reason = f"there is no node pool {asked}"
    if meant is not None:
        return fix(case, reason, (Edit(Kind.NODE_POOL, (), meant, "the pool that is spelt almost so"),))
    if len(there) == 1:
        return fix(case, reason, (Edit(Kind.NODE_POOL, (), there.pop(), "the only pool there is"),))
    return choose(reason, [f"node pool {one}" for one in sorted(there)])


def _constraint(case: Case) -> Answer:
    """A right side that no node has, while nodes have one that is spelt almost so."""
    facts = case.diagnosis.facts
    attribute, value = facts.get("attribute", ""), facts.get("value", "")
    if facts.get("operator") not in _EQUAL or not value:
        return None
    there = {found for room in nodes.in_reach(case) if (found := nodes.value_of(room, attribute))}
    if not there or value in there:
        return None
    synonym = _ARCHITECTURES.get(value.lower()) if attribute == "${attr.cpu.arch}" else None
    meant = synonym if synonym in there else near_miss(value, there)
    reason = f"no node has {attribute} = {value}"
    if meant is None:
        several = near_misses(value, there)
        return choose(reason, [f"{attribute} = {one}" for one in several]) if several else None
    edits = [
        Edit(Kind.CONSTRAINT_VALUE, (*at, attribute), meant, f"a value that nodes have: {meant}", old=value)
        for at in _standing(case, attribute, value)
    ]
    return fix(case, reason, edits)


def _standing(case: Case, attribute: str, value: str) -> list[tuple[str, ...]]:
    """Every place where the job asks for exactly that: the same mistake is often made twice."""

    def asks(part: Mapping[str, object]) -> bool:
        listed = part.get("Constraints")
        return isinstance(listed, list | tuple) and any(
            one.get("LTarget") == attribute and one.get("RTarget") == value and str(one.get("Operand") or "=") in _EQUAL
            for one in listed
        )

    found: list[tuple[str, ...]] = [()] if asks(case.body) else []
    for group in job_parts.groups(case.body):
        if asks(group):
            found.append((job_parts.name(group),))
        found += [job_parts.address(group, task) for task in job_parts.tasks(group) if asks(task)]
    return found


def _driver(case: Case) -> Answer:
    """A misspelt driver, or Docker for Podman and the reverse; never one with less isolation."""
    group = job_parts.group_of(case)
    if group is None:
        return None
    there = {driver for room in nodes.in_reach(case) for driver, healthy in room.node.drivers.items() if healthy}
    known = {driver for room in nodes.in_reach(case) for driver in room.node.drivers}
    edits: list[Edit] = []
    for task in job_parts.tasks(group):
        driver = str(task.get("Driver") or "")
        if not there or driver in there:
            continue
        meant = near_miss(driver, there) if driver not in known else None
        equal = _EQUAL_DRIVERS.get(driver)
        ground = "a driver of the nodes that is spelt almost so"
        if meant is None and equal in there and _portable(task):
            meant, ground = equal, f"runs the same image in the same isolation as {driver}"
        if meant is None:
            return None
        if meant == "raw_exec":
            return choose(
                f"no node has the driver {driver}", ("raw_exec, if the task is meant to run without isolation",)
            )
        edits.append(Edit(Kind.DRIVER, job_parts.address(group, task), meant, ground))
    return fix(case, f"no node has the driver {case.diagnosis.facts.get('driver', '')}".rstrip(), edits)


def _portable(task: Part) -> bool:
    return set(job_parts.config(task)) <= _COMMON_KEYS


RULES = (
    Rule(name="datacenter", classes=(FailureClass.DATACENTER_UNKNOWN,), propose=_datacenter),
    Rule(
        name="node-pool",
        classes=(FailureClass.NODE_POOL_MISSING,),
        propose=_node_pool,
    ),
    Rule(name="constraint-value", classes=(FailureClass.CONSTRAINT_UNSATISFIED,), propose=_constraint),
    Rule(name="driver", classes=(FailureClass.DRIVER_MISSING,), propose=_driver),
)
