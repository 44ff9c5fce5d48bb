"""Family D: networks and ports.

Source: nomad/scheduler/feasible, nomad/structs/network.go and services.go; recorded in scenarios bridge-without-cni,
cni-network-missing, host-network-missing, port-collision, port-label-undefined.
"""

from __future__ import annotations

from desired.cause import Cause
from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from observers.failures.row import Family, Proof, Row, Where, said

_PORT = {"port": "the number"}
_LABELS = {"label": "the label that is named", "labels": "those of the group's network block, comma-separated"}

ROWS = (
    Row(
        failure=FailureClass.CNI_MISSING,
        family=Family.NETWORK,
        cause=Cause.SPEC,
        advice="no node has the CNI plugin {plugin} that network mode {mode} needs: install it, or use another mode",
        facts={"plugin": "bridge, firewall, ...", "mode": "the group's network mode"},
        may_help=(Kind.NETWORK_MODE, Kind.DRIVER_PORTS),
        words=(
            *said(Where.PLACEMENT, r"^\$\{attr\.plugins\.cni\.version\.(?P<plugin>[\w-]+)\}"),
            *said(Where.SETUP, r'failed to find plugin "(?P<plugin>[\w-]+)" in path'),
        ),
    ),
    Row(
        failure=FailureClass.NETWORK_MODE_UNKNOWN,
        family=Family.NETWORK,
        cause=Cause.SPEC,
        advice="no node knows the network mode {mode}: correct it, or set the network up on the nodes",
        facts={"mode": "the group's network mode"},
        may_help=(Kind.NETWORK_MODE,),
        words=said(Where.PLACEMENT, r"^missing network$"),
    ),
    Row(
        failure=FailureClass.HOST_NETWORK_MISSING,
        family=Family.NETWORK,
        cause=Cause.CLUSTER,
        advice="no node has the host network {network} that port {label} asks for: configure it on the nodes",
        facts={"network": "its name", "label": "the port's label"},
        words=said(
            Where.PLACEMENT,
            r'^missing host network "(?P<network>[^"]*)" for port "(?P<label>[^"]*)"',
            r'^invalid host network "(?P<network>[^"]*)" template for port "(?P<label>[^"]*)"',
            r"^network: no addresses available for (?P<network>\S+) network",
        ),
    ),
    Row(
        failure=FailureClass.STATIC_PORT_TAKEN,
        family=Family.NETWORK,
        cause=Cause.SPEC,
        advice="port {port} is taken on every node that would do: let Nomad choose one, or run fewer",
        facts={
            **_PORT,
            "label": "its label",
            "own": "`true` where the job's own count needs it on more nodes than there are",
        },
        # The port inside follows the static one where the job does not say it: it is kept with `to`.
        may_help=(Kind.STATIC_PORT, Kind.PORT_TO),
        words=said(
            Where.PLACEMENT,
            r"^network: reserved port collision (?P<label>[^=]+)=(?P<port>\d+)",
            r"^(?:network: )?reserved (?:node|alloc) port collision:? ?.*?(?P<port>\d+)?$",
            r"^network: port collision",
        ),
    ),
    Row(
        failure=FailureClass.PORT_RANGE_EXHAUSTED,
        family=Family.NETWORK,
        cause=Cause.CLUSTER,
        advice="the nodes have no dynamic ports left: widen min_dynamic_port..max_dynamic_port, or add nodes",
        facts={},
        words=said(Where.PLACEMENT, r"^network: dynamic port selection failed"),
    ),
    Row(
        failure=FailureClass.PORT_INVALID,
        family=Family.NETWORK,
        cause=Cause.SPEC,
        advice="{port} is no port: name one from 1 to 65535",
        facts={**_PORT, "label": "its label, where Nomad says it"},
        may_help=(Kind.STATIC_PORT, Kind.PORT_TO),
        words=(
            *said(Where.PLACEMENT, r"^network: invalid port (?P<port>-?\d+)"),
            *said(
                Where.REFUSAL,
                r"Port (?P<label>\S+) \((?P<port>-?\d+)\) cannot be greater than \d+",
                r'Port "(?P<label>[^"]+)" cannot be mapped to (?:a port \((?P<port>\d+)\) greater|negative value '
                r'"?(?P<port_2>-?\d+))',
                r"has invalid numeric port (?P<port>-?\d+)",
            ),
        ),
    ),
    Row(
        failure=FailureClass.PORT_DUPLICATE,
        family=Family.NETWORK,
        cause=Cause.SPEC,
        advice="the port {twice} is declared twice in {by}: keep one",
        facts={"twice": "its label, or its number on the node", "by": "who has it, in Nomad's words"},
        may_help=(Kind.STATIC_PORT, Kind.PORT_LABEL),
        words=said(
            Where.REFUSAL,
            r"Static port (?P<twice>\d+) already reserved by (?P<by>.+)$",
            r"Port label (?P<twice>\S+) already in use by (?P<by>.+)$",
        ),
    ),
    Row(
        failure=FailureClass.CHECK_PORT_MISSING,
        family=Family.NETWORK,
        cause=Cause.SPEC,
        advice="the check {check} has no port to ask: give it or its service one of {labels}",
        facts={
            "check": "its name",
            "service": "its service, where Nomad says it",
            "labels": _LABELS["labels"],
        },
        may_help=(Kind.CHECK_PORT, Kind.SERVICE_PORT, Kind.PORT_ADDED),
        words=(
            *said(
                Where.REFUSAL,
                r'check "(?P<check>[^"]*)" is missing a port',
                r"Check (?P<check>.*?) invalid: check requires a port but neither check nor service "
                r'"(?P<service>[^"]*)" have a port',
            ),
            *said(Where.SETUP, r'check "(?P<check>[^"]*)" is missing a port'),
        ),
    ),
    Row(
        failure=FailureClass.SERVICE_PORT_UNDEFINED,
        family=Family.NETWORK,
        cause=Cause.SPEC,
        advice="the service {service} uses port {label}, which no network block names: declare it, or correct the name",
        facts={**_LABELS, "service": "its name", "suggestion": "the one label that it resembles or that there is"},
        may_help=(Kind.SERVICE_PORT, Kind.CHECK_PORT, Kind.PORT_ADDED, Kind.PORT_LABEL, Kind.DRIVER_PORTS),
        words=(
            *said(
                Where.SETUP,
                r'(?:unable to get address for (?:service|check) )?"(?P<service>[^"]+)": invalid port '
                r'"(?P<label>[^"]+)": port label not found',
            ),
            *said(
                Where.REFUSAL,
                r'port label "(?P<label>[^"]+)" referenced by services (?P<service>.+?) does not exist',
            ),
        ),
        proof=Proof.FIRST,
    ),
)
