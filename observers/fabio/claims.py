"""Claims on routes as the cluster shows them: Fabio's table, and what services in Consul ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from desired.fabio_tag import FabioRoute, TagProblem, fabio_routes, service_problems
from desired.route_conflicts import Claim, Origin
from observers.fabio.client import Route


def claims_of_table(routes: Iterable[Route]) -> tuple[Claim, ...]:
    """One claim for each service and route, however many instances it has."""
    found = dict.fromkeys(
        Claim(owner=one.service, service=one.service, route=FabioRoute(one.host, one.path), origin=Origin.TABLE)
        for one in routes
    )
    return tuple(found)


def claims_of_services(services: Mapping[str, Sequence[str]]) -> tuple[Claim, ...]:
    """Of services by name with their tags; healthy or not: one that comes back claims again."""
    return tuple(
        Claim(
            owner=name, service=name, origin=Origin.CONSUL,
            # How a route is served does not matter to who claims it.
            route=FabioRoute(route.host, route.path),
        )
        for name, tags in sorted(services.items())
        for route in fabio_routes(tags)
    )  # fmt: skip


def broken_tags(services: Mapping[str, Sequence[str]]) -> tuple[tuple[str, TagProblem], ...]:
    """By service, what is wrong with its tags; what is an error there keeps Fabio from following anybody."""
    return tuple((name, problem) for name, tags in sorted(services.items()) for problem in service_problems(tags))
