"""Who else claims a route: between desired apps, what Fabio routes now, and what services in Consul ask for. Pure.

Fabio reports no conflict: two services with the same host and path share the requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

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
    HOSTNAME_COLLISION = "hostname_collision"  # same host, paths apart: nothing is taken, and a name is shared


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
        return host if host.startswith(":") else re.sub(r":(80|443)$", "", host)

    @property
    def said(self) -> str:
        where = {Origin.DESIRED: "app", Origin.TABLE: "Fabio's service", Origin.CONSUL: "Consul's service"}
        return f"{where[self.origin]} {self.owner}"


@dataclass(frozen=True, slots=True)
class RouteConflict:
    """Two owners and one route. `mine` is always desired."""

    kind: Kind
    mine: Claim
    other: Claim

    def __str__(self) -> str:
        mine, other = self.mine.route.source, self.other.route.source
        if self.kind is Kind.EXACT_MATCH:
            return f"{mine} is claimed by {self.other.said} too: requests would be shared"
        if self.kind is Kind.PATH_OVERLAP:
            taken = "takes" if len(other) > len(mine) else "gives away"
            return f"{mine} overlaps with {other} of {self.other.said}, which {taken} a part of its requests"
        return f"the host of {mine} is used by {self.other.said}, too ({other})"


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
            kind = None if other.owner == claim.owner and other.origin is claim.origin else _kind(claim, other)
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


def _kind(mine: Claim, other: Claim) -> Kind | None:
    a, b = mine.route, other.route
    if mine.host != other.host:
        return None
    if a.path == b.path:
        return Kind.EXACT_MATCH
    # Source: Fabio's default matcher is the prefix of a text: /foo matches /foobar.
    if a.path.startswith(b.path) or b.path.startswith(a.path):
        # Every host is everybody's: `/` there is what is left over.
        return None if not a.host and "/" in (a.path, b.path) else Kind.PATH_OVERLAP
    return Kind.HOSTNAME_COLLISION if a.host else None


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
