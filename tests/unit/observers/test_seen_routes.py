"""Who claims routes now is asked of Fabio and Consul together; one that is away is told and hides nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from desired.errors import Unavailable
from desired.route_conflicts import Origin
from observers.fabio.client import Route
from observers.fabio.seen import seen_routes


class FakeFabio:
    """One route with two instances."""

    away = False

    async def routes(self) -> Sequence[Route]:
        if self.away:
            raise Unavailable("Fabio is away")
        return [Route("web", "web.cluster", "/", f"http://10.0.0.{number}:80/") for number in (1, 2)]


class FakeConsul:
    """A service that is routed, one that is not healthy and so is not, and one whose tag is broken."""

    async def services(self) -> Mapping[str, Sequence[str]]:
        return {
            "web": ["urlprefix-web.cluster/"],
            "sick": ["urlprefix-sick.cluster/ strip=/x"],
            "odd": ["urlprefix-"],
            "plain": ["v1"],
        }


async def test_claims_are_told_once_for_each_service_and_place() -> None:
    seen = await seen_routes(fabio=FakeFabio(), consul=FakeConsul())
    assert [(one.origin, one.owner, one.route.source) for one in seen.claims] == [
        (Origin.TABLE, "web", "web.cluster/"),
        (Origin.CONSUL, "sick", "sick.cluster/"),
        (Origin.CONSUL, "web", "web.cluster/"),
    ]
    assert [name for name, problem in seen.broken if problem.severity == "error"] == ["odd"]
    assert seen.unread == ()


async def test_one_that_is_away_is_told() -> None:
    fabio = FakeFabio()
    fabio.away = True
    seen = await seen_routes(fabio=fabio, consul=FakeConsul())
    assert seen.unread == ("Fabio is away",) and {one.origin for one in seen.claims} == {Origin.CONSUL}


async def test_nobody_is_asked_where_nobody_is_set() -> None:
    seen = await seen_routes(fabio=None, consul=None)
    assert (seen.claims, seen.broken, seen.unread) == ((), (), ())
