"""The ports an app listens on: named in code, else the default of the variable for it, else what is usual."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from desired.facts.app_code.frameworks import SERVERS, Framework, Work
from desired.facts.app_code.seen import LIKELY, USUAL, EnvSeen, PortSeen, Seen, port_number
from desired.facts.fact import Fact, Place
from desired.facts.facts import EnvUse, PortFact

_NAME = "app_code"
# Variables that say where an app itself listens; those of other services have their names in front.
_OWN_PORT = re.compile(
    r"(?:(?:APP|SERVER|HTTP|WEB|API|LISTEN|BIND|SERVICE|UVICORN|GUNICORN|LISTENING)_?)?PORT|PORT_HTTP"
)
_OWN_ADDRESS = re.compile(
    r"(?:(?:APP|SERVER|HTTP|WEB|API|SERVICE)_)?(?:LISTEN|BIND)(?:_?ADDR(?:ESS)?|_ON)?"
    r"|(?:HTTP|SERVER|LISTEN|BIND)_ADDR(?:ESS)?|ADDR"
)
_ADDRESS = re.compile(r"(?:[\w.*-]*|\[[:0-9a-f]*\]):(?P<port>\d{1,5})")


def find_ports(
    seen: list[Seen],
    framework: Framework | None,
    ecosystem: str,
    places: Mapping[str, Place],
    uses: Mapping[str, Fact[EnvUse]],
    *,
    exposed: bool,
) -> dict[int, Fact[PortFact]]:
    """By the port, the surest first. With `exposed` the image says what is usual, and nothing is guessed here."""
    found: dict[int, Fact[PortFact]] = {}
    listed = [item for item in seen if isinstance(item, PortSeen) and not item.usual]
    for item in sorted(listed, key=lambda one: (one.reason == "metrics", -one.confidence)):
        found.setdefault(item.port, _fact(item.port, item.confidence, item.place, item.reason))
    if any(item.reason != "metrics" for item in listed):
        return found
    own = _by_variable(uses)
    if own is None and not exposed and framework is not None and framework.work is not Work.WORKER:
        own = _documented(seen) or _usual(seen, framework, ecosystem, places)
    return found if own is None else {own.value.to: own} | found


def _fact(port: int, confidence: float, place: Place | None, reason: str) -> Fact[PortFact]:
    return Fact(PortFact(port), _NAME, confidence, place, reason)


def _by_variable(uses: Mapping[str, Fact[EnvUse]]) -> Fact[PortFact] | None:
    """The default of the variable that says where the app listens."""
    for name, fact in uses.items():
        default = fact.value.default or ""
        port = None
        if _OWN_PORT.fullmatch(name):
            port = port_number(default)
        elif _OWN_ADDRESS.fullmatch(name):
            match = _ADDRESS.fullmatch(default)
            port = port_number(match["port"]) if match else None
        if port is not None:
            return _fact(port, LIKELY, fact.place, f"the default of {name}")
    return None


def _documented(seen: Iterable[Seen]) -> Fact[PortFact] | None:
    for item in seen:
        if isinstance(item, EnvSeen) and item.documented and item.name == "PORT":
            port = port_number(item.example)
            if port is not None:
                return _fact(port, LIKELY, item.place, "the documented PORT")
    return None


def _usual(
    seen: Iterable[Seen], framework: Framework, ecosystem: str, places: Mapping[str, Place]
) -> Fact[PortFact] | None:
    for item in seen:
        if isinstance(item, PortSeen) and item.usual:
            return _fact(item.port, item.confidence, item.place, item.reason)
    if framework.port is None:
        return None
    server = next((row for row in SERVERS if row[0] == ecosystem and row[1] in places), None)
    if server is not None and framework.work is Work.WEB:
        return _fact(server[2], USUAL, places[server[1]], f"{server[1]}'s own port")
    place = next((places[name] for name in framework.dependencies if name in places), None)
    return _fact(framework.port, USUAL, place, f"{framework.name}'s own port")
