"""Family D, and checks that ask at the wrong place."""

from __future__ import annotations

from collections.abc import Callable

from tests.repair.case import End
from tests.repair.fault import F, Fault
from tests.repair.shapes import Broken

_TO = ("*Ports/*/To",)
_LABELS = ("*/Services/*/PortLabel",)  # those of checks as well
_OTHER = """job "other" {
  datacenters = ["dc1"]
  type = "system"
  group "other" {
    network {
      port "p" {
        static = 9080
      }
    }
    task "other" {
      driver = "docker"
      config {
        image = "team/other:1"
      }
    }
  }
}
"""


def _to(number: int) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.port["To"] = number

    return breaks


def _listens_elsewhere(one: Broken) -> None:
    """The image has moved to another port, and says so."""
    old = one.behaviour["listens"][0]
    one.behaviour["listens"] = [old + 1]
    one.behaviour["stdout"] = f"listening on port {old + 1}\n"


def _other_label(one: Broken) -> None:
    one.behaviour["listens"] = [3000]
    one.service["PortLabel"] = "metrics"


def _other_label_by_log(one: Broken) -> None:
    """As before, and only the app's log says where it listens."""
    _other_label(one)
    del one.env["PORT"]
    one.behaviour["stdout"] = "listening on port 3000\n"


def _main_is_dead(one: Broken) -> None:
    """What serves people did not come up; what lives is for its metrics, and says so."""
    one.behaviour["listens"] = [9100]
    del one.env["PORT"]
    one.behaviour["stdout"] = "metrics listening on port 9100\n"


def _main_is_dead_unseen(one: Broken) -> None:
    """The same, and its words do not tell what it is for."""
    _main_is_dead(one)
    one.behaviour["stdout"] = "listening on port 9100\n"


def _label(label: str) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.service["PortLabel"] = label

    return breaks


def _check_label(one: Broken) -> None:
    one.check["PortLabel"] = "htttp"


def _driver_labels(*labels: str) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.config["ports"] = list(labels)

    return breaks


def _unpublished(one: Broken) -> None:
    del one.config["ports"]


def _port_map(one: Broken) -> None:
    del one.config["ports"]
    one.config["port_map"] = [{one.port["Label"]: one.port["To"]}]
    one.port["To"] = 0


def _taken(one: Broken) -> None:
    one.others.append(_OTHER)


def _taken_unseen(one: Broken) -> None:
    for node in one.world["nodes"]:
        node["ports_in_use"] = [9080]


def _mode(mode: str) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.network["Mode"] = mode

    return breaks


def _no_cni(one: Broken) -> None:
    one.network["Mode"] = "bridge"
    for node in one.world["nodes"]:
        node["attributes"] = {}


def _host_network(one: Broken) -> None:
    one.port["HostNetwork"] = "public"


def _too_high(one: Broken) -> None:
    one.port["To"] = 80800


def _twice(one: Broken) -> None:
    one.network["ReservedPorts"] = [
        *(one.network["ReservedPorts"] or ()),
        {"Label": "a", "Value": 9500, "To": 0, "HostNetwork": "", "IgnoreCollision": False},
        {"Label": "b", "Value": 9500, "To": 0, "HostNetwork": "", "IgnoreCollision": False},
    ]


def _label_twice(one: Broken) -> None:
    """The second of them is the one that the driver publishes as another."""
    one.network["DynamicPorts"].append({**one.port, "To": 9100})
    one.config["ports"] = [*one.config["ports"], "metrics"]


def _no_port(one: Broken) -> None:
    one.service["PortLabel"] = ""


def _consul_too(one: Broken) -> None:
    one.world["consul"] = False
    one.group["Services"].append({"Name": "more", "Provider": "consul", "PortLabel": one.port["Label"]})


def _docker_network(name: str) -> Callable[[Broken], None]:
    def breaks(one: Broken) -> None:
        one.config["network_mode"] = name

    return breaks


FAULTS = (
    Fault("to-missing", _to(0), (F.CHECK_WRONG_PORT,), ("web", "shop", "pair", "api"), _TO),
    Fault("to-wrong", _to(80), (F.CHECK_WRONG_PORT,), ("web", "shop", "gate", "mesh"), _TO),
    Fault("app-moved-to-another-port", _listens_elsewhere, (F.CHECK_WRONG_PORT,), ("web", "gate"), _TO, of_world=True),
    Fault("service-on-another-label", _other_label, (F.CHECK_WRONG_PORT,), ("api",), _LABELS, of_world=True),
    Fault("service-on-another-label-by-the-log", _other_label_by_log, (F.CHECK_WRONG_PORT,), ("api",), _LABELS,
          End.APPROVED, of_world=True),
    Fault("main-port-dead-and-metrics-live", _main_is_dead, (F.CHECK_FAILING,), ("api",), (), End.TOLD, of_world=True),
    Fault("main-port-dead-and-another-lives", _main_is_dead_unseen, (F.CHECK_WRONG_PORT,), ("api",), (), End.TOLD,
          of_world=True),
    # Without a version before: after one Nomad goes on with the old port, and nothing fails.
    Fault("label-misspelt", _label("htpp"), (F.SERVICE_PORT_UNDEFINED,), ("web", "shop", "mesh"), _LABELS,
          of_world=True),
    Fault("label-of-the-check-misspelt", _check_label, (F.SERVICE_PORT_UNDEFINED,), ("web", "shop"),
          ("*/Checks/*/PortLabel",)),
    Fault("service-without-a-port", _no_port, (F.CHECK_PORT_MISSING,), ("web", "gate", "shop", "pair"), _LABELS),
    Fault("published-label-misspelt", _driver_labels("htttp"), (F.DRIVER_PORT_UNDEFINED,), ("web", "pair"),
          ("*/Config/ports",)),
    Fault("published-as-docker-writes-it", _driver_labels("8080:8080"), (F.DRIVER_PORT_UNDEFINED,), ("web",),
          ("*/Config/ports", "*Ports/*/To")),
    Fault("port-not-published", _unpublished, (F.CHECK_WRONG_PORT,), ("web", "shop", "gate"),
          ("*/Config/ports",)),
    # Which of the two tasks was to publish it, nobody says.
    Fault("port-that-neither-task-publishes", _unpublished, (F.CHECK_FAILING,), ("pair",), (), End.TOLD, of_world=True),
    Fault("static-port-taken", _taken, (F.STATIC_PORT_TAKEN,), ("gate",), ("*Ports/web/*",), End.APPROVED,
          of_world=True),
    Fault("static-port-held-by-a-stranger", _taken_unseen, (F.HOST_PORT_IN_USE,), ("gate",), ("*Ports/web/*",),
          End.APPROVED, of_world=True),
    Fault("network-mode-misspelt", _mode("brigde"), (F.NETWORK_MODE_UNKNOWN,), ("mesh", "web", "shop"),
          ("*/Networks/*/Mode",), End.APPROVED),
    Fault("bridge-without-cni", _no_cni, (F.CNI_MISSING,), ("mesh", "web", "shop"),
          ("*/Networks/*/Mode", "*/Config/ports"), End.APPROVED, of_world=True),
    Fault("host-network-that-is-not-there", _host_network, (F.HOST_NETWORK_MISSING,), ("web",), (), End.TOLD),
    Fault("port-that-is-no-port", _too_high, (F.PORT_INVALID,), ("web",), (), End.TOLD),
    Fault("label-twice", _label_twice, (F.PORT_DUPLICATE,), ("web", "shop", "pair"), ("*Ports/*",), of_world=True),
    Fault("static-port-twice", _twice, (F.PORT_DUPLICATE,), ("web",), (), End.TOLD),
    Fault("two-providers", _consul_too, (F.PROVIDERS_MIXED,), ("web", "shop", "api"),
          ("*/Services/*/Provider",), End.APPROVED, of_world=True),
    Fault("dockers-network-misspelt", _docker_network("brigde"), (F.DRIVER_NETWORK_MISSING,),
          ("worker", "web", "billing"), ("*/Config/network_mode",)),
    Fault("dockers-network-that-is-not-there", _docker_network("backend"), (F.DRIVER_NETWORK_MISSING,), ("worker",),
          (), End.TOLD),
)  # fmt: skip
