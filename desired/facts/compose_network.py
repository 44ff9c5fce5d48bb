"""The ports of a compose file's service, and how it is seen to be healthy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeVar

from desired.facts.amounts import duration
from desired.facts.compose_file import Service
from desired.facts.fact import Fact
from desired.facts.facts import HealthFact, PortFact
from desired.facts.health_command import health_of
from desired.facts.located import Located
from desired.facts.substitution import filled, interpolated

T = TypeVar("T")
NAME = "compose"
PRIORITY = 0.7
_PORT = re.compile(
    r"(?:(?:\[[0-9a-fA-F:]{0,40}\]|(?:[0-9]{1,3}\.){3}[0-9]{1,3}|localhost):)?"
    r"(?:(?P<host>[0-9]{1,5})?(?:-[0-9]{1,5})?:)?(?P<to>[0-9]{1,5})(?:-(?P<last>[0-9]{1,5}))?"
    r"(?:/(?P<kind>tcp|udp|sctp))?",
    re.IGNORECASE,
)
_EXPOSED = re.compile(r"(?P<to>[0-9]{1,5})(?:-(?P<last>[0-9]{1,5}))?(?:/(?P<kind>tcp|udp|sctp))?", re.IGNORECASE)
_MOST_PORTS = 50


def ports(service: Service) -> dict[int, Fact[PortFact]]:
    """In the order of the file; of two protocols at one number TCP. A port that is published stays that."""
    found: dict[int, Fact[PortFact]] = {}
    for fact in _published(service):
        before = found.get(fact.value.to)
        if before is None or before.value.protocol != "tcp" or fact.value.protocol == "tcp":
            found[fact.value.to] = fact
    for fact in _exposed(service):
        found.setdefault(fact.value.to, fact)
    return found


def _published(service: Service) -> Iterator[Fact[PortFact]]:
    for listed in service.all("ports"):
        for part in listed.as_list():
            yield from _long(part) if isinstance(part.value, Mapping) else _short(part, _PORT)


def _exposed(service: Service) -> Iterator[Fact[PortFact]]:
    for listed in service.all("expose"):
        for part in listed.as_list():
            yield from _short(part, _EXPOSED)


def _long(part: Located) -> Iterator[Fact[PortFact]]:
    target, published, kind = (part.get(name) for name in ("target", "published", "protocol"))
    to = _number(interpolated(target.text)) if target is not None else None
    if to is not None:
        static = _number(interpolated(published.text)) if published is not None else None
        protocol = "udp" if kind is not None and kind.text.lower() == "udp" else "tcp"
        yield part.fact(PortFact(to, static, protocol), NAME, PRIORITY)


def _short(part: Located, form: re.Pattern[str]) -> Iterator[Fact[PortFact]]:
    found = form.fullmatch(interpolated(part.text).strip())
    if found is None:
        return
    told = found.groupdict()
    first = int(told["to"])
    last = min(int(told["last"] or first), first + _MOST_PORTS)
    static = int(told["host"]) if told.get("host") else None
    for offset, port in enumerate(range(first, last + 1)):
        fixed = static + offset if static is not None and 0 < static + offset < 65536 else None
        if 0 < port < 65536:
            yield part.fact(PortFact(port, fixed, (told["kind"] or "tcp").lower()), NAME, PRIORITY)


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,5}", text) and 0 < int(text) < 65536 else None


def health(service: Service, known: Mapping[str, str]) -> Fact[HealthFact] | None:
    """`known` is what the service has in its environment."""
    test, disabled = service.last("healthcheck", "test"), service.last("healthcheck", "disable")
    if test is None or (disabled is not None and disabled.value is True):
        return None
    words = [filled(interpolated(word.text), known) for word in test.as_list()]
    if words[0] == "NONE" or not any(words):
        return None
    if isinstance(test.value, list) and words[0] in ("CMD", "CMD-SHELL"):
        told = health_of(words[1:], shell=words[0] == "CMD-SHELL")
    else:
        told = health_of(words, shell=not isinstance(test.value, list))
    keys = ("interval", "timeout", "start_period")
    parts = (service.last("healthcheck", key) for key in keys)
    times = [None if part is None else duration(interpolated(part.text)) for part in parts]
    return test.fact(HealthFact(told.path, told.command, told.port, *times), NAME, PRIORITY)
