"""Who else claims a route: between desired apps, what Fabio routes now, and what services in Consul ask for. Pure.

Fabio reports no conflict: two services with the same host and path share the requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from desired.fabio_tag import FabioRoute


class Origin(StrEnum):
    """Where a claim was seen."""

    DESIRED = "desired"
    TABLE = "fabio"
    CONSUL = "consul"


class Kind(StrEnum):
    """The first that fits two claims."""

    EXACT_MATCH = "exact_match"  # same host and path: requests are shared between two services
    PATH_OVERLAP = "path_overlap"  # same host, one path begins with the other: the longer one takes requests away
    HOSTNAME_COLLISION = "hostname_collision"  # paths apart, or one host is a pattern: what is left over is shared out


@dataclass(frozen=True, slots=True)
class Claim:
    """One route of one owner. `owner` is how people know it: the key of an app, or the name of a service."""

    owner: str
    service: str
    route: FabioRoute
    origin: Origin = Origin.DESIRED

    @property
    def host(self) -> str:
        """As Fabio compares it. Source: route/table.go, normalizeHost: the default port is no part of a name."""
        host = self.route.host
        return host if host.startswith(":") else host.removesuffix(":80").removesuffix(":443")

    @property
    def place(self) -> tuple[str, str]:
        return self.host, self.route.path

    @property
    def of_a_port(self) -> bool:
        """A port of its own, which has neither a host nor a path."""
        return self.route.host.startswith(":")

    @property
    def of_a_pattern(self) -> bool:
        """Its host stands for several: `*.cluster`."""
        return _is_pattern(self.route.host)

    @property
    def said(self) -> str:
        where = {Origin.DESIRED: "app", Origin.TABLE: "Fabio's service", Origin.CONSUL: "Consul's service"}
        return f"{where[self.origin]} {self.owner}"


def _is_pattern(host: str) -> bool:
    return "*" in host or "?" in host or "[" in host


@dataclass(frozen=True, slots=True)
class RouteConflict:
    """Two owners and one route. `mine` is always desired."""

    kind: Kind
    mine: Claim
    other: Claim

    @property
    def harms(self) -> bool:
        """A host that both use takes nothing away from either."""
        return self.kind is not Kind.HOSTNAME_COLLISION

    def __str__(self) -> str:
        mine, other = self.mine.route.source, self.other.route.source
        if self.kind is Kind.EXACT_MATCH:
            shared = "connections" if self.mine.of_a_port else "requests"
            return f"{mine} is claimed by {self.other.said} too: {shared} would be shared"
        if self.kind is Kind.PATH_OVERLAP:
            taken = "takes" if len(other) > len(mine) else "gives away"
            return f"{mine} overlaps with {other} of {self.other.said}, which {taken} a part of its requests"
        if self.mine.host != self.other.host:
            return _of_patterns(self)
        return f"the host of {mine} is used by {self.other.said}, too ({other})"


def _of_patterns(conflict: RouteConflict) -> str:
    mine, other = conflict.mine, conflict.other
    if _covers(other.host, mine.host):
        return f"{mine.route.source} is taken out of {other.route.source} of {other.said}, which gets what is left over"
    return f"{other.route.source} of {other.said} is taken out of {mine.route.source}, which gets what is left over"


def conflicts(mine: Iterable[Claim], others: Iterable[Claim]) -> tuple[RouteConflict, ...]:
    """Every claim of an app against every claim of somebody else, worst first, each pair of owners and routes once.

    What the table or Consul say of a service that one of `mine` has is that app itself, running. Routes whose host is
    only known later, when variables are put in, are not judged.
    """
    asked = [claim for claim in mine if claim.route.known]
    running = {claim.service for claim in asked}
    found: dict[tuple[str, str, str, str], RouteConflict] = {}
    known = [
        claim for claim in others
        if claim.route.known and not (claim.origin is not Origin.DESIRED and claim.service in running)
    ]  # fmt: skip
    # What is desired names the other side best; a table says no more than Consul about the same service.
    order = list(Origin)
    for claim in asked:
        for other in sorted(known, key=lambda one: (order.index(one.origin), one.owner, one.route.source)):
            kind = None if other.owner == claim.owner and other.origin is claim.origin else kind_of(claim, other)
            if kind is not None:
                place = (claim.owner, claim.route.source, other.service, other.route.source)
                found.setdefault(place, RouteConflict(kind, claim, other))
    kinds = list(Kind)
    return tuple(
        sorted(
            found.values(),
            key=lambda one: (kinds.index(one.kind), one.mine.owner, one.mine.route.source, one.other.owner),
        )
    )


def kind_of(mine: Claim, other: Claim) -> Kind | None:
    """Whoever owns them; None where they have nothing to do with each other."""
    a, b = mine.route, other.route
    if a.host != b.host and mine.host != other.host:
        return Kind.HOSTNAME_COLLISION if _covers(mine.host, other.host) or _covers(other.host, mine.host) else None
    if a.path == b.path:
        return Kind.EXACT_MATCH
    # Source: Fabio's default matcher is the prefix of a text: /foo matches /foobar.
    if a.path.startswith(b.path) or b.path.startswith(a.path):
        # Every host is everybody's: `/` there is what is left over.
        return None if not a.host and "/" in (a.path, b.path) else Kind.PATH_OVERLAP
    return Kind.HOSTNAME_COLLISION if a.host else None


def _covers(pattern: str, host: str) -> bool:
    """Whether a host that is a pattern stands for another one. Fabio looks at the more exact host first, so a pattern
    takes nothing away. Source: route/table.go, matchingHosts and sortHostsReverseHostPort."""
    if not _is_pattern(pattern) or not host or host.startswith(":"):
        return False
    return pattern != host and fnmatchcase(host, pattern)


def free_hostname(name: str, taken: Iterable[str], *, suffix: str, further: Sequence[str] = ()) -> str:
    """A host for an app that nobody has: its name, then with each of `further` behind it, then with a number.

    `suffix` is the cluster's (`.cluster`); the name becomes a DNS label. Source: RFC 1123.
    """
    used = {host.lower() for host in taken}
    end = f".{suffix.strip('.')}" if suffix.strip(".") else ""
    for word in (name, *(f"{name}-{more}" for more in further), *(f"{name}-{number}" for number in range(2, 1000))):
        host = f"{_label(word)}{end}"
        if host not in used:
            return host
    return f"{_label(name)}-{len(used)}{end}"


def _label(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:63].strip("-") or "app"
