"""No node takes the job: datacenter, pool, constraint, driver, network mode, service provider, ports."""

from __future__ import annotations

from typing import Any

from desired.operations.operation import Kind
from observers.evidence import Evidence, ImageFacts, NodeRoom
from observers.failures.failure_class import FailureClass as F
from observers.running import PlacementFailure
from tests.unit.observers.failures.failure_evidence import cluster, evidence, placed, room
from tests.unit.repair.rules.rule_cases import APP, CHOICE, NOTHING, RuleCase, changed, op, unrecoverable

_DOCKER = {"docker": True, "raw_exec": True}
IMAGE = "registry.example/team/app:1.0"


def _nowhere(body: dict[str, Any], *rooms: NodeRoom, **other: Any) -> Evidence:
    failure = PlacementFailure(nodes_evaluated=0, nodes_available={})
    return evidence(body=body, placement={"web": failure}, cluster=cluster(*rooms, **other))


def _constrained(value: str, *rooms: NodeRoom, attribute: str = "${meta.rack}", where: str = "group") -> Evidence:
    constraint = {"LTarget": attribute, "RTarget": value, "Operand": "="}
    path = "Constraints" if where == "job" else f"{where}.Constraints"
    return placed(f"{attribute} = {value}", body=changed(path, [constraint]), cluster=cluster(*rooms))


def _rack(name: str, number: int = 1) -> NodeRoom:
    return room(f"node-{number}", meta={"rack": name}, drivers=_DOCKER)


def _mode(mode: str) -> dict[str, Any]:
    return changed("group.Networks.0.Mode", mode)


_BRIDGE = "${attr.plugins.cni.version.bridge} semver >= 0.4.0"


def _taken(body: dict[str, Any], label: str = "http", number: int = 8080) -> Evidence:
    return placed(f"network: reserved port collision {label}={number}", exhausted=True, body=body)


def static(number: int = 8080, to: int = 0, label: str = "http", **more: Any) -> dict[str, Any]:
    ports = [{"Label": label, "Value": number, "To": to}]
    pairs = [one for pair in more.items() for one in (pair[0].replace("__", "."), pair[1])]
    return changed("group.Networks", [{"ReservedPorts": ports}], *pairs)


_TWO_PROVIDERS = [{"Name": "web", "PortLabel": "http", "Provider": "nomad"}, {"Name": "admin", "PortLabel": "http"}]
_MIXED = (
    "1 error occurred:\n\t* Task group web validation failed: 1 error occurred:\n\t* Task group service validation "
    "failed: 1 error occurred:\n\t* Multiple service providers used: task group services must use the same provider\n\n"
)
_POOL = '1 error occurred:\n\t* job "web" is in nonexistent node pool "{}"\n\n'

CASES = (
    RuleCase(
        "datacenter-misspelt",
        F.DATACENTER_UNKNOWN,
        _nowhere(changed("Datacenters", ["eu-wst", "eu-north"]), room(datacenter="eu-west")),
        (op(Kind.DATACENTERS, (), ("eu-wst", "eu-north"), ("eu-west", "eu-north")),),
        "datacenter",
    ),
    RuleCase(
        "datacenter-in-capitals",
        F.DATACENTER_UNKNOWN,
        _nowhere(changed("Datacenters", ["DC1"]), room(), room("node-2", datacenter="dc2")),
        (op(Kind.DATACENTERS, (), ("DC1",), ("dc1",)),),
        "datacenter",
    ),
    RuleCase(
        "datacenter-that-is-not-there-while-there-is-only-one",
        F.DATACENTER_UNKNOWN,
        _nowhere(changed("Datacenters", ["frankfurt"]), room()),
        (op(Kind.DATACENTERS, (), ("frankfurt",), ("dc1",)),),
        "datacenter",
    ),
    RuleCase(
        "datacenter-that-is-not-there-while-there-are-two",
        F.DATACENTER_UNKNOWN,
        _nowhere(changed("Datacenters", ["frankfurt"]), room(), room("node-2", datacenter="dc2")),
        CHOICE,
        "datacenter",
    ),
    RuleCase(
        "datacenter-misspelt-for-one-that-is-drained",
        F.DATACENTER_UNKNOWN,
        _nowhere(changed("Datacenters", ["dcx"]), room(datacenter="dcxx", draining=True), room("node-2")),
        (op(Kind.DATACENTERS, (), ("dcx",), ("dc1",)),),
        "datacenter",
    ),
    RuleCase(
        "datacenter-whose-nodes-are-drained",
        F.NO_NODES,
        _nowhere(changed("Datacenters", ["dc1"]), room(draining=True), room("node-2", datacenter="dc2")),
        NOTHING,
    ),
    RuleCase(
        "node-pool-misspelt",
        F.NODE_POOL_MISSING,
        evidence(
            body=changed("NodePool", "gup"),
            refusal=_POOL.format("gup"),
            cluster=cluster(node_pools=("all", "default", "gpu")),
        ),
        (op(Kind.NODE_POOL, (), "gup", "gpu"),),
        "node-pool",
    ),
    RuleCase(
        "node-pool-misspelt-by-one-letter",
        F.NODE_POOL_MISSING,
        evidence(
            body=changed("NodePool", "batchs"),
            refusal=_POOL.format("batchs"),
            cluster=cluster(node_pools=("all", "default", "batch")),
        ),
        (op(Kind.NODE_POOL, (), "batchs", "batch"),),
        "node-pool",
    ),
    RuleCase(
        "node-pool-that-is-not-there-while-there-is-only-one",
        F.NODE_POOL_MISSING,
        evidence(
            body=changed("NodePool", "workers"),
            refusal=_POOL.format("workers"),
            cluster=cluster(node_pools=("all", "default")),
        ),
        (op(Kind.NODE_POOL, (), "workers", "default"),),
        "node-pool",
    ),
    RuleCase(
        "node-pool-that-nobody-listed",
        F.NODE_POOL_MISSING,
        evidence(body=changed("NodePool", "workers"), refusal=_POOL.format("workers")),
        NOTHING,
    ),
    RuleCase(
        "constraint-value-misspelt",
        F.CONSTRAINT_UNSATISFIED,
        _constrained("nroth", _rack("north"), _rack("south", 2)),
        (op(Kind.CONSTRAINT_VALUE, ("web", "${meta.rack}"), "nroth", "north"),),
        "constraint-value",
    ),
    RuleCase(
        "constraint-of-the-job-in-capitals",
        F.CONSTRAINT_UNSATISFIED,
        _constrained("Linux", room(attributes={"kernel.name": "linux"}), attribute="${attr.kernel.name}", where="job"),
        (op(Kind.CONSTRAINT_VALUE, ("${attr.kernel.name}",), "Linux", "linux"),),
        "constraint-value",
    ),
    RuleCase(
        "constraint-of-a-task-with-another-name-of-the-processor",
        F.CONSTRAINT_UNSATISFIED,
        _constrained("x86_64", room(attributes={"cpu.arch": "amd64"}), attribute="${attr.cpu.arch}", where="task"),
        (op(Kind.CONSTRAINT_VALUE, (*APP, "${attr.cpu.arch}"), "x86_64", "amd64"),),
        "constraint-value",
    ),
    RuleCase(
        "constraint-to-another-rack-that-is-no-typo",
        F.CONSTRAINT_UNSATISFIED,
        _constrained("rack2", _rack("rack1")),
        NOTHING,
    ),
    RuleCase(
        "constraint-as-near-to-two-values",
        F.CONSTRAINT_UNSATISFIED,
        _constrained("nortx", _rack("north"), _rack("norta", 2)),
        CHOICE,
        "constraint-value",
    ),
    RuleCase(
        "driver-misspelt",
        F.DRIVER_MISSING,
        placed("missing drivers", body=changed("task.Driver", "dokcer"), cluster=cluster(room(drivers=_DOCKER))),
        (op(Kind.DRIVER, APP, "dokcer", "docker"),),
        "driver",
    ),
    RuleCase(
        "driver-that-podman-stands-in-for",
        F.DRIVER_MISSING,
        placed("missing drivers", cluster=cluster(room(drivers={"podman": True, "exec": True}))),
        (op(Kind.DRIVER, APP, "docker", "podman"),),
        "driver",
    ),
    RuleCase(
        "driver-that-podman-cannot-stand-in-for",
        F.DRIVER_MISSING,
        placed(
            "missing drivers",
            body=changed("task.Config.mac_address", "02:42:ac:11:00:02"),
            cluster=cluster(room(drivers={"podman": True})),
        ),
        NOTHING,
    ),
    RuleCase(
        "exec-is-not-raw-exec",
        F.DRIVER_MISSING,
        placed(
            "missing drivers",
            body=changed("task.Driver", "exec", "task.Config", {"command": "/bin/app"}),
            cluster=cluster(room(drivers={"raw_exec": True})),
        ),
        NOTHING,
    ),
    RuleCase(
        "raw-exec-misspelt-is-for-a-person",
        F.DRIVER_MISSING,
        placed(
            "missing drivers",
            body=changed("task.Driver", "rawexec", "task.Config", {"command": "/bin/app"}),
            cluster=cluster(room(drivers={"raw_exec": True})),
        ),
        CHOICE,
        "driver",
    ),
    RuleCase(
        "network-mode-misspelt",
        F.NETWORK_MODE_UNKNOWN,
        placed("missing network", body=_mode("brigde")),
        (op(Kind.NETWORK_MODE, ("web",), "brigde", "bridge"),),
        "network-mode",
    ),
    RuleCase(
        "network-mode-that-may-be-the-host's",
        F.NETWORK_MODE_UNKNOWN,
        placed("missing network", body=_mode("hots")),
        CHOICE,
        "network-mode",
    ),
    RuleCase(
        "network-mode-that-is-the-host's-in-capitals",
        F.NETWORK_MODE_UNKNOWN,
        placed("missing network", body=_mode("HOST")),
        CHOICE,
        "network-mode",
    ),
    RuleCase("cni-network", F.NETWORK_MODE_UNKNOWN, placed("missing network", body=_mode("cni/mynet")), NOTHING),
    RuleCase(
        "bridge-without-cni",
        F.CNI_MISSING,
        placed(_BRIDGE, body=changed("group.Networks.0.Mode", "bridge", "task.Config.ports", None)),
        (op(Kind.NETWORK_MODE, ("web",), "bridge", None), op(Kind.DRIVER_PORTS, APP, None, ("http",))),
        "no-bridge",
    ),
    RuleCase(
        "bridge-without-cni-of-two-tasks",
        F.CNI_MISSING,
        placed(
            _BRIDGE,
            body=changed(
                "group.Networks.0.Mode",
                "bridge",
                "group.Tasks",
                [{"Name": "app", "Driver": "docker"}, {"Name": "sidecar", "Driver": "docker"}],
            ),
        ),
        CHOICE,
        "no-bridge",
    ),
    RuleCase(
        "providers-mixed-without-consul",
        F.PROVIDERS_MIXED,
        evidence(body=changed("group.Services", _TWO_PROVIDERS), refusal=_MIXED, cluster=cluster(room())),
        (op(Kind.SERVICE_PROVIDER, ("web", "admin"), "consul", "nomad"),),
        "service-provider",
    ),
    RuleCase(
        "providers-mixed-with-consul",
        F.PROVIDERS_MIXED,
        evidence(
            body=changed("group.Services", _TWO_PROVIDERS),
            refusal=_MIXED,
            cluster=cluster(room(attributes={"consul.version": "1.21.4"})),
        ),
        CHOICE,
        "service-provider",
    ),
    RuleCase(
        "static-port-taken",
        F.STATIC_PORT_TAKEN,
        _taken(static()),
        (op(Kind.STATIC_PORT, ("web", "http"), 8080, None), op(Kind.PORT_TO, ("web", "http"), None, 8080)),
        "static-port",
    ),
    RuleCase(
        "static-port-taken-with-a-port-inside",
        F.STATIC_PORT_TAKEN,
        _taken(static(to=3000)),
        (op(Kind.STATIC_PORT, ("web", "http"), 8080, None),),
        "static-port",
    ),
    RuleCase("well-known-port-taken", F.STATIC_PORT_TAKEN, _taken(static(443), number=443), CHOICE, "static-port"),
    RuleCase("static-port-of-a-system-job", F.STATIC_PORT_TAKEN, _taken(static(Type="system")), CHOICE, "static-port"),
    RuleCase(
        "static-port-that-no-service-tells",
        F.STATIC_PORT_TAKEN,
        _taken(static(group__Services=[])),
        CHOICE,
        "static-port",
    ),
    RuleCase(
        "static-port-that-a-route-names",
        F.STATIC_PORT_TAKEN,
        _taken(static(group__Services=[{"Name": "web", "PortLabel": "http", "Tags": ["urlprefix-:8080 proto=tcp"]}])),
        CHOICE,
        "static-port",
    ),
    RuleCase(
        "static-port-on-which-the-app-itself-listens",
        F.STATIC_PORT_TAKEN,
        _taken(static(task__Driver="raw_exec", task__Config={"command": "/bin/app"})),
        CHOICE,
        "static-port",
    ),
    RuleCase(
        "static-port-that-the-app-reads-from-nomad",
        F.STATIC_PORT_TAKEN,
        _taken(
            static(
                task__Driver="raw_exec", task__Config={"command": "/bin/app", "args": ["--port", "${NOMAD_PORT_http}"]}
            )
        ),
        (op(Kind.STATIC_PORT, ("web", "http"), 8080, None),),
        "static-port",
    ),
    RuleCase(
        "port-held-outside-nomad",
        F.HOST_PORT_IN_USE,
        evidence(
            unrecoverable(
                "Driver Failure",
                "Failed to start container 1: Error response from daemon: driver failed programming external "
                "connectivity on endpoint app: Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address "
                "already in use",
            ),
            body=static(),
        ),
        (op(Kind.STATIC_PORT, ("web", "http"), 8080, None), op(Kind.PORT_TO, ("web", "http"), None, 8080)),
        "static-port",
    ),
    RuleCase(
        "port-beyond-65535",
        F.PORT_INVALID,
        evidence(
            body=changed("group.Networks", [{"DynamicPorts": [{"Label": "http", "To": 80800}]}]),
            refusal='1 error occurred:\n\t* Port "http" cannot be mapped to a port (80800) greater than 65536\n\n',
            images={IMAGE: ImageFacts(IMAGE, ports=(8080,))},
        ),
        (op(Kind.PORT_TO, ("web", "http"), 80800, 8080),),
        "port-number",
    ),
    RuleCase(
        "port-beyond-65535-of-an-unknown-image",
        F.PORT_INVALID,
        evidence(
            body=changed("group.Networks", [{"DynamicPorts": [{"Label": "http", "To": 80800}]}]),
            refusal='1 error occurred:\n\t* Port "http" cannot be mapped to a port (80800) greater than 65536\n\n',
        ),
        NOTHING,
    ),
)
