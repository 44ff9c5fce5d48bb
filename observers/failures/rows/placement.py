"""Family E: no node takes the job. `observers.failures.placement` reads Nomad's metric in the order that matters.

Source: nomad/structs/alloc.go AllocMetric, scheduler/feasible; recorded in scenarios *-exhausted, constraint-*,
datacenter-wrong, none-eligible, nodes-full, ...
"""

from __future__ import annotations

from datetime import timedelta

from desired.cause import Cause
from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from observers.failures.row import Family, Lasting, Proof, Row, Where, said

_SEEN = "a dimension that is exhausted, and no node was left"
_ROOM = {
    "asked": "what one allocation of the group asks for",
    "largest_free": "the most that is free on a node the group may use, where the nodes were read",
    "largest_total": "the most that such a node has at all",
    "nodes": "how many nodes lack it",
    "of": "the task that asks for most of it",
}

ROWS = (
    Row(
        failure=FailureClass.QUOTA_EXHAUSTED,
        family=Family.PLACEMENT,
        cause=Cause.CLUSTER,
        advice="the namespace's quota is used up ({quota}): whoever set it must raise it",
        facts={"quota": "what is used up, in Nomad's words"},
        seen="QuotaExhausted is not empty",
    ),
    Row(
        failure=FailureClass.CPU_EXHAUSTED,
        family=Family.PLACEMENT,
        cause=Cause.SPEC,
        advice="no node has {asked} MHz free (at most {largest_free}): ask for less, or add nodes",
        facts=_ROOM,
        may_help=(Kind.CPU,),
        words=said(Where.PLACEMENT, r"^cpu$"),
        seen=_SEEN,
    ),
    Row(
        failure=FailureClass.MEMORY_EXHAUSTED,
        family=Family.PLACEMENT,
        cause=Cause.SPEC,
        advice="no node has {asked} MB of memory free (at most {largest_free}): ask for less, or add nodes",
        facts=_ROOM,
        may_help=(Kind.MEMORY, Kind.MEMORY_MAX),
        words=said(Where.PLACEMENT, r"^memory$"),
        seen=_SEEN,
    ),
    Row(
        failure=FailureClass.DISK_EXHAUSTED,
        family=Family.PLACEMENT,
        cause=Cause.SPEC,
        advice="no node has {asked} MB of disk free (at most {largest_free}): ask for less, or add nodes",
        facts=_ROOM,
        may_help=(Kind.DISK,),
        words=said(Where.PLACEMENT, r"^disk$"),
        seen=_SEEN,
    ),
    Row(
        failure=FailureClass.CORES_EXHAUSTED,
        family=Family.PLACEMENT,
        cause=Cause.SPEC,
        advice="no node has {asked} cores free: ask for fewer, or for cpu instead, or add nodes",
        facts={"asked": _ROOM["asked"], "nodes": _ROOM["nodes"], "of": _ROOM["of"]},
        may_help=(Kind.CORES,),
        words=said(Where.PLACEMENT, r"^(?:numa-)?cores$"),
        seen=_SEEN,
    ),
    Row(
        failure=FailureClass.DEVICE_MISSING,
        family=Family.PLACEMENT,
        cause=Cause.CLUSTER,
        advice="no node has the device {device}: add one that does, or drop it from the job",
        facts={"device": "its name as the job says it"},
        words=said(Where.PLACEMENT, r"^missing devices$", r"^devices: no devices (?:match request|available)"),
    ),
    Row(
        failure=FailureClass.DRIVER_MISSING,
        family=Family.PLACEMENT,
        cause=Cause.CLUSTER,
        advice="no node has a healthy driver {driver}: set it up on a node, or use one of {available}",
        facts={
            "driver": "the task's",
            "available": "healthy drivers of nodes the job may use, comma-separated, where the nodes were read",
            "unhealthy": "`true` where a node has it and it is not healthy",
        },
        may_help=(Kind.DRIVER,),
        words=said(Where.PLACEMENT, r"^missing drivers$"),
        spec_with=("available",),
    ),
    Row(
        failure=FailureClass.HOST_VOLUME_MISSING,
        family=Family.PLACEMENT,
        cause=Cause.CLUSTER,
        advice="no node has the host volume {volume} as the job asks for it: make it, or correct its name",
        facts={"volume": "its source"},
        words=(
            *said(Where.PLACEMENT, r"^missing compatible host volumes$"),
            *said(Where.HOOK, r"host volume validation error:.*missing (?P<volume>\S+)"),
        ),
    ),
    Row(
        failure=FailureClass.CSI_VOLUME_BUSY,
        family=Family.PLACEMENT,
        cause=Cause.TIME,
        advice="the CSI volume {volume} has no claim left: what holds it must let go, or its access mode be changed",
        facts={"volume": "its id"},
        words=(
            *said(
                Where.PLACEMENT,
                r"^CSI volume (?P<volume>\S+) is unschedulable",
                r"^CSI volume (?P<volume>\S+) has exhausted its available (?:writer|reader) claims",
                r"^CSI plugin \S+ has the maximum number of volumes",
            ),
            *said(Where.SETUP, r"could not claim volume (?P<volume>[^\s:]+).*(?:exhausted|in use|max claims)"),
        ),
        lasting=Lasting(timedelta(minutes=10), Cause.CLUSTER),
        proof=Proof.NEVER,
    ),
    Row(
        failure=FailureClass.CSI_VOLUME_MISSING,
        family=Family.PLACEMENT,
        cause=Cause.CLUSTER,
        advice="the CSI volume {volume} is not there or its plugin is not: register it, or correct its name",
        facts={"volume": "its id", "plugin": "the plugin that is missing or ill"},
        words=(
            *said(
                Where.PLACEMENT,
                r"^missing CSI volume\(s\) (?P<volume>.+)$",
                r"^CSI plugin (?P<plugin>\S+) is (?:missing from|unhealthy on) client",
                r"^CSI volume lookup failed",
                r"did not meet topology requirement",
            ),
            *said(Where.SETUP, r'hook "csi_hook" failed: .*?volume (?P<volume>[^\s:]+)'),
        ),
    ),
    Row(
        failure=FailureClass.DISTINCT_UNSATISFIED,
        family=Family.PLACEMENT,
        cause=Cause.CLUSTER,
        advice="{operator} leaves no node for {count} allocations: add nodes, or lower the count or the constraint",
        facts={
            "operator": "distinct_hosts or distinct_property",
            "property": "the attribute, for distinct_property",
            "count": "the group's count",
            "nodes": "how many nodes were left out by it",
        },
        words=said(
            Where.PLACEMENT,
            r"^(?P<operator>distinct_hosts)$",
            r"^(?P<operator>distinct_property): (?P<property>[^=]+)",
            r'^missing property "(?P<property>[^"]+)"',
        ),
    ),
    Row(
        failure=FailureClass.SECRET_PLUGIN_MISSING,
        family=Family.SECRETS,
        cause=Cause.CLUSTER,
        advice="no node has the secret plugin {plugin}: install it, or correct the provider's name",
        facts={"plugin": "the secret's provider"},
        words=said(Where.PLACEMENT, r"^\$\{attr\.plugins\.secrets\.(?P<plugin>.+)\.version\} is_set"),
    ),
    Row(
        failure=FailureClass.VAULT_NOT_ON_NODE,
        family=Family.SECRETS,
        cause=Cause.CLUSTER,
        advice="no node of the job reaches Vault: configure it in the agents' `vault` block, or mend Vault",
        facts={"attribute": "Nomad's own constraint"},
        words=said(Where.PLACEMENT, r"^(?P<attribute>\$\{attr\.vault\.[\w.-]*version\}) semver"),
    ),
    Row(
        failure=FailureClass.CONSTRAINT_IMPLIED,
        family=Family.PLACEMENT,
        cause=Cause.CLUSTER,
        advice="Nomad itself asks for {attribute} {operator} {value} because of a feature of the job: no node has it",
        facts={
            "attribute": "as in ${attr.consul.version}",
            "operator": "Nomad's",
            "value": "its right side",
            "feature": "consul, nomad_services, signals, identity: what in the job asks for it",
        },
        may_help=(Kind.SERVICE_PROVIDER,),
        words=said(
            Where.PLACEMENT,
            r"^(?P<attribute>\$\{attr\.(?P<feature>consul)\.[\w.-]*version\}) (?P<operator>semver) (?P<value>.*)$",
            r"^(?P<attribute>\$\{attr\.(?P<feature>nomad)\.service_discovery\}) (?P<operator>\S+) (?P<value>.*)$",
            r"^(?P<attribute>\$\{attr\.(?P<feature>nomad)\.version\}) (?P<operator>semver) (?P<value>.*)$",
            r"^(?P<attribute>\$\{attr\.os\.(?P<feature>signals)\}) (?P<operator>set_contains) (?P<value>.*)$",
        ),
        seen="only where the job itself does not ask for it",
    ),
    Row(
        failure=FailureClass.CONSTRAINT_UNSATISFIED,
        family=Family.PLACEMENT,
        cause=Cause.SPEC,
        advice="no node has {attribute} {operator} {value} (there is: {present}): correct it, or add a node",
        facts={
            "attribute": "the left side as the job writes it",
            "operator": "=, !=, version, set_contains, ...",
            "value": "the right side as the job writes it",
            "level": "job, group or task: where it stands; the diagnosis's task names the task",
            "present": "the values that ready nodes of its datacenters and pool have, comma-separated, if read",
        },
        may_help=(Kind.CONSTRAINT_VALUE, Kind.CONSTRAINT_REMOVAL),
        words=said(
            Where.PLACEMENT,
            r"^(?P<attribute>\$\{[^}]+\}) (?P<operator>\S+) ?(?P<value>.*)$",
            r"^(?P<attribute>\S+) (?P<operator>!?=|==|<=?|>=?|version|semver|regexp|set_contains\w*|is_(?:not_)?set)"
            r" ?(?P<value>.*)$",
        ),
    ),
    Row(
        failure=FailureClass.DATACENTER_UNKNOWN,
        family=Family.PLACEMENT,
        cause=Cause.SPEC,
        advice="no node is in the datacenters {asked} (there are: {present}): correct them",
        facts={
            "asked": "the job's, comma-separated",
            "present": "those of the pool's ready nodes, comma-separated",
            "pool": "the job's node pool",
        },
        may_help=(Kind.DATACENTERS, Kind.NODE_POOL),
        seen="no node available, and the node list has none, ready or not, in these datacenters",
    ),
    Row(
        failure=FailureClass.NO_NODES,
        family=Family.PLACEMENT,
        cause=Cause.CLUSTER,
        advice="no ready node in datacenters {asked} and pool {pool} ({state}): bring one back or add one",
        facts={
            "asked": "the job's datacenters, comma-separated",
            "pool": "the job's node pool",
            "present": "datacenters of ready nodes, comma-separated",
            "pools": "node pools of ready nodes in the job's datacenters, comma-separated",
            "state": "draining, ineligible, down, none, or unknown where the nodes could not be read",
        },
        may_help=(Kind.NODE_POOL,),
        seen="no node available, though its datacenters exist; the cause is unknown where nodes were not read",
    ),
    Row(
        failure=FailureClass.PLAN_REJECTED,
        family=Family.PLACEMENT,
        cause=Cause.TIME,
        advice="the servers rejected the scheduler's plan again and again: Nomad tries on",
        facts={},
        words=said(Where.DEPLOYMENT, r"maximum attempts reached", r"created due to placement conflicts"),
        proof=Proof.NEVER,
    ),
)
