"""Whatever the apps want and had, and in whatever order they are looked at: each route has one app in the end."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desired.app import AppKey
from desired.cause import Cause
from desired.errors import Unavailable
from desired.fabio_tag import FabioRoute
from desired.job.hcl_read import LocalParser
from desired.job_routes import job_claims
from desired.objection import Objection, PartlyExamined
from desired.policy import Policy
from desired.reasons import Reason
from desired.route_conflicts import Claim, Origin, conflicts
from desired.state import DesiredApp, DesiredState, JsonSource, Kind
from observers.fabio.seen import SeenRoutes
from reconcilers.admission import Admission
from reconcilers.record import Applied, FailedSpec, LastGood, Record
from reconcilers.routes import Routes
from reconcilers.spec import Spec

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("a", "b", "c", "d", "e")
ROUTES = ("x.y/", "x.y/1", "z.y/", "w.y/", ":33")


def body(name: str, routes: Sequence[str]) -> dict[str, Any]:
    tags = [f"urlprefix-{route}" for route in routes]
    group = {"Name": "g", "Services": [{"Name": name, "Provider": "consul", "Tags": tags}]}
    return {"ID": name, "Name": name, "Namespace": "default", "TaskGroups": [group]}


def spec(name: str, routes: Sequence[str]) -> Spec:
    return Spec.of(body(name, routes), text="", format="json")


def claims(name: str, routes: Sequence[str]) -> tuple[Claim, ...]:
    return job_claims(body(name, routes), f"default/{name}")


def harm(mine: Sequence[Claim], others: Sequence[Claim]) -> bool:
    return any(one.harms for one in conflicts(mine, others))


class World:
    """Apps that have routes and want others; `shown` is whether Consul tells what runs."""

    def __init__(
        self, had: Mapping[str, Sequence[str]], wanted: Mapping[str, Sequence[str]], *, shown: bool = False
    ) -> None:
        self.wanted = dict(wanted)
        self.runs: dict[str, Sequence[str]] = {name: routes for name, routes in had.items() if routes}
        self.records = {AppKey("default", name): self._verified(name, routes) for name, routes in self.runs.items()}
        self.shown = shown
        self.unread: tuple[str, ...] = ()
        self.outside: tuple[Claim, ...] = ()
        self.routes = self._new_process()
        apps = (self._app(name, routes) for name, routes in self.wanted.items())
        self.state: DesiredState | None = DesiredState("r", {app.key: app for app in apps})

    def _new_process(self) -> Routes:
        return Routes(
            desired=self, records=self, parser=LocalParser(), seen=self._seen, now=lambda: NOW, strict=True,
        )  # fmt: skip

    def _app(self, name: str, routes: Sequence[str]) -> DesiredApp:
        text = json.dumps(body(name, routes))
        source = JsonSource(body(name, routes), text)
        return DesiredApp(AppKey("default", name), Kind.JOB_FILE, f"{name}.json", source, text, Policy())

    def _verified(self, name: str, routes: Sequence[str]) -> Record:
        good = spec(name, routes)
        applied = Applied(good.hash, 1, json.dumps(body(name, routes)), "r", NOW)
        return Record(AppKey("default", name), "", applied=applied, last_good=LastGood(good, 0, NOW))

    def get(self, key: AppKey) -> Record:
        return self.records.get(key, Record(key, ""))

    async def _seen(self) -> SeenRoutes:
        seen = [
            replace(claim, owner=name, origin=Origin.CONSUL)
            for name, routes in (self.runs.items() if self.shown else ())
            for claim in claims(name, routes)
        ]
        return SeenRoutes((*seen, *self.outside), unread=self.unread)

    async def objections(self, name: str) -> Sequence[Objection]:
        self.routes = self.routes if not self.shown else self._new_process()
        return await self.routes.objections(AppKey("default", name), body(name, self.wanted[name]))

    async def look_at(self, name: str) -> None:
        """A pass: what is let through is registered."""
        if self.runs.get(name) == self.wanted[name] or [one for one in await self.objections(name) if not one.warning]:
            return
        mine = claims(name, self.wanted[name])
        for other, routes in self.runs.items():
            if other != name and harm(mine, claims(other, routes)):
                # Two have it for a while only where the other one is about to leave.
                assert not harm(mine, claims(other, self.wanted[other]))
        record = self.get(AppKey("default", name))
        text = json.dumps(body(name, self.wanted[name]))
        applied = Applied(spec(name, self.wanted[name]).hash, 2, text, "r", NOW)
        self.records[record.key] = replace(record, applied=applied)
        self.runs[name] = self.wanted[name]

    def verify(self, name: str) -> None:
        if self.runs.get(name) == self.wanted[name]:
            self.records[AppKey("default", name)] = self._verified(name, self.wanted[name])

    async def settle(self, order: random.Random) -> None:
        names = list(self.wanted)
        for _ in range(4 * len(names)):
            order.shuffle(names)
            for name in names:
                await self.look_at(name)
                if order.random() < 0.5:
                    self.verify(name)
        for name in names:
            self.verify(name)

    def held(self) -> dict[str, tuple[Claim, ...]]:
        return {name: claims(name, routes) for name, routes in self.runs.items()}


_SETS = st.lists(st.sampled_from(ROUTES), max_size=2, unique=True).map(tuple)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[str, Sequence[str]], dict[str, Sequence[str]]]:
    had: dict[str, Sequence[str]] = {}
    for name in draw(st.permutations(NAMES)):
        routes = draw(_SETS)
        if routes and not any(harm(claims(name, routes), claims(other, has)) for other, has in had.items()):
            had[name] = routes
    wanted = {name: draw(_SETS) or had.get(name, ()) for name in NAMES[: draw(st.integers(1, len(NAMES)))]}
    return {name: routes for name, routes in had.items() if name in wanted}, wanted


@given(worlds(), st.booleans(), st.randoms(use_true_random=False), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_each_route_has_exactly_one_app_in_the_end_whatever_the_order(
    made: tuple[dict[str, Sequence[str]], dict[str, Sequence[str]]], shown: bool, one: random.Random, two: random.Random
) -> None:
    first, second = World(*made, shown=shown), World(*made)
    asyncio.run(first.settle(one))
    asyncio.run(second.settle(two))
    held = first.held()
    assert held == second.held()
    for name, mine in held.items():
        others = [claim for other, has in held.items() if other != name for claim in has]
        assert not harm(mine, others), f"{name} shares what it has"
    for name, routes in first.wanted.items():
        if first.runs.get(name, ()) != routes and routes:
            others = [claim for other, has in held.items() if other != name for claim in has]
            assert harm(claims(name, routes), others), f"{name} is held back, and nobody has what it wants"


@pytest.mark.parametrize("shown", [False, True])
def test_two_that_swap_their_routes_both_move_and_the_smaller_key_goes_first(shown: bool) -> None:
    world = World({"a": ["x.y/"], "b": ["z.y/"]}, {"a": ["z.y/"], "b": ["x.y/"]}, shown=shown)
    (waits,) = asyncio.run(world.objections("b"))
    assert "x.y/ is still with app default/a, which moves away from it" in waits.message and not waits.warning
    assert "nothing is to be done" in waits.fix
    assert asyncio.run(world.objections("a")) == []
    asyncio.run(world.look_at("a"))
    # It is registered, and not verified yet: it may go back to what it had.
    assert asyncio.run(world.objections("a")) == [] and len(asyncio.run(world.objections("b"))) == 1
    world.verify("a")
    assert asyncio.run(world.objections("b")) == []


def test_a_swap_goes_on_beside_a_third_that_wants_one_of_the_routes() -> None:
    world = World({"b": ["x.y/"], "c": ["z.y/"]}, {"a": ["z.y/"], "b": ["z.y/"], "c": ["x.y/"]})
    asyncio.run(world.settle(random.Random(1)))
    assert world.runs == {"b": ["z.y/"], "c": ["x.y/"]}
    (told,) = asyncio.run(world.objections("a"))
    assert "claimed by app default/b" in told.message and "a.y is free" in told.fix


def test_who_runs_with_a_route_and_is_not_verified_yet_keeps_it() -> None:
    world = World({}, {"b": ["x.y/"]})
    asyncio.run(world.look_at("b"))
    world.wanted["a"] = ["x.y/"]
    state = world.state
    assert state is not None
    world.state = replace(state, apps={**state.apps, AppKey("default", "a"): world._app("a", ["x.y/"])})
    assert "app default/b" in asyncio.run(world.objections("a"))[0].message
    assert asyncio.run(world.objections("b")) == []


def test_what_has_failed_gives_no_right_to_a_route() -> None:
    world = World({"a": ["z.y/"]}, {"a": ["x.y/"], "b": ["x.y/"]})
    assert len(asyncio.run(world.objections("b"))) == 1
    key = AppKey("default", "a")
    failed = FailedSpec(spec("a", ["x.y/"]).hash, Reason.UNHEALTHY, "it crashed", Cause.SPEC, NOW)
    world.records[key] = replace(world.records[key], failed=(failed,))
    assert asyncio.run(world.objections("b")) == []


def test_what_could_not_be_asked_is_told_beside_what_was_found() -> None:
    world = World({}, {"a": ["x.y/"], "b": ["x.y/"]})
    world.unread = ("Fabio cannot be reached",)
    with pytest.raises(PartlyExamined, match="Fabio cannot be reached") as raised:
        asyncio.run(world.objections("b"))
    assert "app default/a" in raised.value.objections[0].message
    assert isinstance(raised.value, Unavailable)
    examined = asyncio.run(Admission(examiners=[world.routes]).examine(AppKey("default", "b"), body("b", ["x.y/"])))
    assert len(examined.refusals) == 1 and "Fabio cannot be reached" in examined.unread[0]


@pytest.mark.parametrize(
    ("mine", "other", "says", "fix"),
    [
        (":33", ":33", "connections would be shared", "another port that Fabio listens at"),
        ("x.y/1", "x.y/", "overlaps with x.y/ of Consul's service legacy", "a.y is free"),
        ("/1", "/1", "requests would be shared", "take another path"),
    ],
)
def test_the_advice_fits_the_kind_of_route(mine: str, other: str, says: str, fix: str) -> None:
    world = World({}, {"a": [mine]})
    host, slash, path = other.partition("/")
    world.outside = (Claim("legacy", "legacy", FabioRoute(host, slash + path), Origin.CONSUL),)
    (told,) = asyncio.run(world.objections("a"))
    assert says in told.message and fix in told.fix and not told.warning


@pytest.mark.parametrize(
    ("mine", "other", "says"),
    [
        ("a.y/", "*.y/", "a.y/ is taken out of *.y/ of Consul's service legacy, which gets what is left over"),
        ("*.y/", "a.y/", "a.y/ of Consul's service legacy is taken out of *.y/, which gets what is left over"),
        ("*.y/", "*.b.y/", "*.b.y/ of Consul's service legacy is taken out of *.y/, which gets what is left over"),
    ],
)
def test_a_host_that_is_a_pattern_is_told_and_holds_nobody_back(mine: str, other: str, says: str) -> None:
    world = World({}, {"a": [mine]})
    host, slash, path = other.partition("/")
    world.outside = (Claim("legacy", "legacy", FabioRoute(host, slash + path), Origin.CONSUL),)
    (told,) = asyncio.run(world.objections("a"))
    assert (told.message, told.warning, told.rule) == (says, True, "routes.hostname_collision")


def test_a_service_whose_name_only_the_node_knows_is_its_apps() -> None:
    world = World({}, {"a": ["x.y/"]})
    named = body("b", ["x.y/"])
    named["TaskGroups"][0]["Services"][0]["Name"] = "b-${node.unique.name}"
    source = JsonSource(named, json.dumps(named))
    app = DesiredApp(AppKey("default", "b"), Kind.JOB_FILE, "b.json", source, "b", Policy())
    world.state = DesiredState("r", {**(world.state.apps if world.state else {}), app.key: app})
    world.outside = (Claim("b-n1", "b-n1", FabioRoute("x.y", "/"), Origin.CONSUL),)
    (told,) = asyncio.run(world.objections("a"))
    assert "app default/b" in told.message


def test_of_two_that_run_with_one_route_the_smaller_key_keeps_it() -> None:
    world = World({"a": ["x.y/"], "b": ["x.y/"]}, {"a": ["x.y/"], "b": ["x.y/"]})
    assert asyncio.run(world.objections("a")) == []
    (told,) = asyncio.run(world.objections("b"))
    assert "x.y/ is claimed by app default/a too" in told.message


def test_the_first_of_a_circle_waits_for_who_is_not_in_it() -> None:
    had, wanted = {"a": ["x.y/"], "b": ["z.y/"], "c": ["w.y/"]}, {"a": ["z.y/", "w.y/"], "b": ["x.y/"], "c": [":33"]}
    world = World(had, wanted)
    assert {one.message for one in asyncio.run(world.objections("a"))} == {
        "z.y/ is still with app default/b, which moves away from it",
        "w.y/ is still with app default/c, which moves away from it",
    }
    asyncio.run(world.look_at("c"))
    world.verify("c")
    assert asyncio.run(world.objections("a")) == []


@pytest.mark.parametrize("short", ["a", "b", "c"])
def test_of_two_that_ask_for_the_same_the_second_hears_it_beside_a_third_that_overlaps_with_both(short: str) -> None:
    world = World({}, {name: ["x.y/" if name == short else "x.y/1"] for name in "abc"})
    _, second = sorted({"a", "b", "c"} - {short})
    told = [one.rule for one in asyncio.run(world.objections(second))]
    assert "routes.exact_match" in told and len(told) == len(set(told))


def test_of_many_that_ask_for_the_same_each_hears_of_one() -> None:
    world = World({}, {f"app-{number}": ["x.y/"] for number in range(30)})
    assert [len(asyncio.run(world.objections(name))) for name in ("app-0", "app-1", "app-29")] == [0, 1, 1]


def test_of_many_that_overlap_with_one_a_few_are_named_and_the_rest_is_counted() -> None:
    apps = {f"app-{number:02d}": [f"x.y/{number:02d}"] for number in range(20)}
    told = asyncio.run(World(apps, {**apps, "web": ["x.y/"]}).objections("web"))
    assert len(told) == 5 and "(and 15 more)" in told[-1].message
