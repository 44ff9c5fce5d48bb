"""Two apps and one route: exactly one has it, whatever the order, and a tag that stops Fabio is never registered."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from desired.app import AppKey
from desired.fabio_tag import FabioRoute
from desired.reasons import Reason
from desired.route_conflicts import Claim, Origin
from desired.route_tags import RouteTags
from observers.fabio.seen import SeenRoutes
from reconcilers.decision import Condition, Truth
from reconcilers.record import Record
from reconcilers.reports import AppReport
from reconcilers.routes import Routes
from tests.integration.loop.cluster import FAST, Cluster, job


class World:
    """A cluster with routes; `seen` is what Fabio and Consul show."""

    def __init__(self, *, strict: bool = True) -> None:
        self.seen = SeenRoutes()
        self.asked = 0
        self.cluster = Cluster()
        routes = Routes(
            desired=self.cluster, records=self, parser=self.cluster.client, seen=self.look,
            now=lambda: self.cluster.now, strict=strict,
        )  # fmt: skip
        self.cluster.examiners = [RouteTags(), routes]
        self.cluster.restart()

    def get(self, key: AppKey) -> Record:
        return self.cluster.records.get(key)

    async def look(self) -> SeenRoutes:
        self.asked += 1
        return self.seen

    def shows(self, service: str, host: str, path: str = "/") -> None:
        self.seen = SeenRoutes((Claim(service, service, FabioRoute(host, path), Origin.CONSUL),))

    def live(self, *names: str, minutes: float = 2) -> dict[str, AppReport]:
        self.cluster.live(*names, minutes=minutes)
        found = {name: self.cluster.reports.get(AppKey("default", name)) for name in names}
        return {name: report for name, report in found.items() if report is not None}


def routed(name: str, *tags: str, service: str = "") -> str:
    told = ", ".join(f'"{tag}"' for tag in tags)
    block = (
        f'service {{\n      name = "{service or name}"\n      provider = "consul"\n      tags = [{told}]\n    }}\n    '
    )
    return job(name, update=FAST, group=block)


def ready(reports: dict[str, AppReport]) -> set[str]:
    return {name for name, report in reports.items() if report.ready is Truth.TRUE}


@pytest.mark.parametrize("order", list(permutations(["api", "shop", "web"])))
def test_exactly_one_of_three_new_apps_has_the_route(order: tuple[str, ...]) -> None:
    world = World()
    world.cluster.commit(*(routed(name, "urlprefix-web.cluster/") for name in order))
    reports = world.live(*order)
    assert ready(reports) == {"api"}
    for name in ("shop", "web"):
        assert reports[name].reason == Reason.ROUTE_CONFLICT
        assert Condition.ROUTE_CONFLICT in reports[name].conditions
        assert "app default/api" in reports[name].message and f"{name}.cluster" in reports[name].message
        assert f"{name}.nomad.hcl:" in reports[name].message
    assert world.cluster.registers == 1


def test_who_was_verified_with_a_route_keeps_it_also_after_a_restart() -> None:
    world = World()
    world.cluster.commit(routed("web", "urlprefix-web.cluster/"))
    assert ready(world.live("web")) == {"web"}
    world.cluster.commit(routed("web", "urlprefix-web.cluster/"), routed("api", "urlprefix-web.cluster/"))
    assert ready(world.live("api", "web")) == {"web"}
    world.cluster.restart()
    assert ready(world.live("api", "web")) == {"web"}


def test_a_route_moves_from_one_app_to_another_in_one_commit() -> None:
    world = World()
    world.cluster.commit(routed("web", "urlprefix-shop.cluster/"))
    world.live("web")
    world.shows("web", "shop.cluster")
    world.cluster.commit(routed("web", "urlprefix-web.cluster/"), routed("api", "urlprefix-shop.cluster/"))
    reports = world.live("api", "web", minutes=1)
    assert reports["api"].reason == Reason.ROUTE_CONFLICT and "app default/web" in reports["api"].message
    world.shows("web", "web.cluster")
    assert ready(world.live("api", "web", minutes=3)) == {"api", "web"}


def test_once_the_route_is_given_up_the_other_one_goes_through_without_a_commit_of_its_own() -> None:
    world = World()
    both = [routed("api", "urlprefix-web.cluster/"), routed("web", "urlprefix-web.cluster/")]
    world.cluster.commit(*both)
    assert ready(world.live("api", "web")) == {"api"}
    world.cluster.commit(routed("api", "urlprefix-api.cluster/"), both[1])
    assert ready(world.live("api", "web", minutes=3)) == {"api", "web"}


def test_a_service_outside_of_the_repository_is_not_taken_a_route_from() -> None:
    world = World()
    world.shows("legacy", "web.cluster")
    world.cluster.commit(routed("web", "urlprefix-web.cluster/"))
    reports = world.live("web")
    assert reports["web"].reason == Reason.ROUTE_CONFLICT and "Consul's service legacy" in reports["web"].message
    assert world.cluster.registers == 0


def test_an_app_is_not_in_conflict_with_itself_nor_with_its_service_under_another_name() -> None:
    world = World()
    world.cluster.commit(routed("web", "urlprefix-web.cluster/"))
    world.shows("web", "web.cluster")
    assert ready(world.live("web")) == {"web"}
    world.cluster.commit(routed("web", "urlprefix-web.cluster/", service="renamed"))
    world.cluster.passes("web")
    assert world.cluster.registers == 2
    world.shows("renamed", "web.cluster")
    assert ready(world.live("web")) == {"web"}


def test_an_app_is_not_in_conflict_with_its_service_of_a_name_that_nomad_fills_in() -> None:
    world = World()
    world.shows("web-app", "web.cluster")
    world.cluster.commit(routed("web", "urlprefix-web.cluster/", service="${JOB}-${TASKGROUP}"))
    assert ready(world.live("web")) == {"web"}


def test_without_strict_it_is_told_and_both_are_registered() -> None:
    world = World(strict=False)
    world.cluster.commit(routed("api", "urlprefix-web.cluster/"), routed("web", "urlprefix-web.cluster/"))
    reports = world.live("api", "web")
    assert ready(reports) == {"api", "web"}
    assert "app default/api" in reports["web"].conditions[Condition.ROUTE_CONFLICT].message
    assert Condition.ROUTE_CONFLICT not in reports["api"].conditions


def test_a_host_that_two_share_without_a_path_in_common_holds_nobody_back() -> None:
    world = World()
    world.cluster.commit(routed("api", "urlprefix-web.cluster/api"), routed("web", "urlprefix-web.cluster/shop"))
    reports = world.live("api", "web")
    assert ready(reports) == {"api", "web"}
    assert "is used by app default/api" in reports["web"].conditions[Condition.ROUTE_CONFLICT].message


@pytest.mark.parametrize("tag", ["urlprefix-", "urlprefix-web.cluster/ weight=x"])
def test_a_tag_that_stops_fabio_is_never_registered(tag: str) -> None:
    world = World(strict=False)
    world.cluster.commit(routed("web", "v1", tag))
    report = world.live("web")["web"]
    assert (report.ready, report.reason, world.cluster.registers) == (Truth.FALSE, Reason.DESIRED_INVALID, 0)
    line = next(number for number, one in enumerate(routed("web", tag).splitlines(), 1) if "tags" in one)
    assert f"web.nomad.hcl:{line}:" in report.message and "[routes.tag]" in report.message
    world.cluster.commit(routed("web", "urlprefix-web.cluster/"))
    assert ready(world.live("web")) == {"web"}


def test_who_cannot_be_asked_holds_nobody_back_and_others_are_still_compared() -> None:
    world = World()
    world.seen = replace(world.seen, unread=("Fabio cannot be reached",))
    world.cluster.commit(routed("api", "urlprefix-web.cluster/"), routed("web", "urlprefix-web.cluster/"))
    assert ready(world.live("api", "web")) == {"api"}


def test_apps_without_routes_cost_nothing_and_a_fleet_is_compared_with_one_look() -> None:
    world = World()
    world.cluster.commit(job("plain", update=FAST))
    world.live("plain")
    assert world.asked == 0
    names = [f"app-{number}" for number in range(5)]
    world.cluster.commit(*(routed(name, f"urlprefix-{name}.cluster/") for name in names))
    for name in names:
        world.cluster.passes(name)
    assert world.asked == 1


def test_two_apps_swap_their_routes_in_one_commit() -> None:
    world = World()
    world.cluster.commit(routed("api", "urlprefix-api.cluster/"), routed("web", "urlprefix-web.cluster/"))
    world.live("api", "web")
    world.seen = SeenRoutes(tuple(
        Claim(name, name, FabioRoute(f"{name}.cluster", "/"), Origin.CONSUL) for name in ("api", "web")
    ))  # fmt: skip
    world.cluster.commit(routed("api", "urlprefix-web.cluster/"), routed("web", "urlprefix-api.cluster/"))
    reports = world.live("api", "web", minutes=0.5)
    assert world.cluster.registers == 3 and reports["web"].reason == Reason.ROUTE_CONFLICT
    assert "api.cluster/ is still with app default/api, which moves away from it" in reports["web"].message
    # After its restart the operator goes on where it was.
    world.cluster.restart()
    world.seen = SeenRoutes((Claim("api", "api", FabioRoute("web.cluster", "/"), Origin.CONSUL),))
    assert ready(world.live("api", "web", minutes=4)) == {"api", "web"}
    assert world.cluster.registers == 4


def test_three_apps_pass_their_routes_on_in_a_circle() -> None:
    world = World()
    names = ("api", "shop", "web")
    world.cluster.commit(*(routed(name, f"urlprefix-{name}.cluster/") for name in names))
    world.live(*names)
    onward = zip(names, (*names[1:], names[0]), strict=True)
    world.cluster.commit(*(routed(name, f"urlprefix-{other}.cluster/") for name, other in onward))
    assert ready(world.live(*names, minutes=8)) == set(names)
    assert world.cluster.registers == 6
