"""Network modes and service providers that the nodes do not have."""

from __future__ import annotations

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts, nodes
from reconcilers.repair.rules.job_parts import Part
from reconcilers.repair.rules.near_miss import near_miss
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix

_MODES = ("bridge", "host", "none")
# What only Consul can do for a service. Source: nomad/structs, ServiceCheck.validateNomad, validateNomadService.
_CONSUL_CHECKS = frozenset({"grpc", "script", "ttl"})
_CONSUL_FIELDS = (
    "SuccessBeforePassing", "FailuresBeforeCritical", "FailuresBeforeWarning", "TLSServerName", "Expose", "OnUpdate",
)  # fmt: skip
_ON_UPDATE = "require_healthy"


def _mode(case: Case) -> Answer:
    """A misspelt mode. The host's network is for a person to give."""
    group = job_parts.group_of(case)
    mode = "" if group is None else job_parts.mode(group)
    if group is None or not mode or mode in _MODES or mode.startswith("cni/"):
        return None
    meant = near_miss(mode, _MODES)
    reason = f"no node knows the network mode {mode}"
    if meant == "host":
        return choose(reason, ("host, if the group is meant to share the node's network", "bridge"))
    if meant is None:
        return choose(reason, _MODES)
    at = (job_parts.name(group),)
    return fix(case, reason, (Edit(Kind.NETWORK_MODE, at, meant, f"the mode that is spelt almost so: {meant}"),))


def _without_cni(case: Case) -> Answer:
    """Docker maps ports by itself: one container alone needs no bridge of Nomad's."""
    group = job_parts.group_of(case)
    if group is None or job_parts.mode(group) != "bridge":
        return None
    reason = "no node has the CNI plugins that the mode bridge needs"
    tasks = job_parts.tasks(group)
    alone = len(tasks) == 1 and tasks[0].get("Driver") == "docker"
    meshed = any(one.part.get("Connect") for one in job_parts.services(group))
    if not alone or meshed or any(network.get("CNI") for network in group.get("Networks") or ()):
        return choose(reason, ("the CNI plugins on the nodes", "tasks that do not need to share a network"))
    labels = tuple(port.label for port in job_parts.ports(group))
    at = job_parts.address(group, tasks[0])
    edits = [Edit(Kind.NETWORK_MODE, (at[0],), None, "Docker's own network serves a single container")]
    published = job_parts.driver_ports(tasks[0])
    missing = tuple(label for label in labels if label not in published)
    if missing:
        edits.append(Edit(Kind.DRIVER_PORTS, at, (*published, *missing), "labels of the group's network block"))
    return fix(case, reason, edits)


def _provider(case: Case) -> Answer:
    """Nomad's own services where no node has Consul, and no service asks for what only Consul can do."""
    group = job_parts.group_of(case)
    rooms = nodes.in_reach(case)
    if group is None:
        return None
    of_consul = [one for one in job_parts.services(group) if str(one.part.get("Provider") or "consul") == "consul"]
    if not of_consul:
        return None
    reason = "services of Consul in a group that cannot have them"
    consul = [room for room in rooms if any(name.startswith("consul.") for name in room.attributes)]
    if not rooms or consul or any(_needs_consul(one.part) for one in of_consul):
        both = ("nomad for all services of the group", "consul for all services of the group")
        return choose(reason, both)
    edits = [Edit(Kind.SERVICE_PROVIDER, one.at, "nomad", "no node has Consul") for one in of_consul]
    return fix(case, reason, edits)


def _needs_consul(service: Part) -> bool:
    if service.get("Connect") or service.get("Meta") or service.get("EnableTagOverride"):
        return True
    for check in service.get("Checks") or ():
        if check.get("Type") in _CONSUL_CHECKS:
            return True
        if any(check.get(name) not in (None, 0, "", False, _ON_UPDATE) for name in _CONSUL_FIELDS):
            return True
    return False


RULES = (
    Rule(name="network-mode", classes=(FailureClass.NETWORK_MODE_UNKNOWN,), propose=_mode),
    Rule(name="no-bridge", classes=(FailureClass.CNI_MISSING,), propose=_without_cni),
    Rule(
        name="service-provider",
        classes=(FailureClass.PROVIDERS_MIXED,),
        propose=_provider,
    ),
)
