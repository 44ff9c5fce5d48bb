"""The table that the client reads is the one that the services' tags ask for, on a recorded Fabio and on a real one."""

from __future__ import annotations

import json
import time
import uuid

import httpx
import pytest
import requests

from desired.errors import Forbidden, OperatorError, Unavailable, Unsupported
from desired.fabio_tag import FabioRoute
from desired.route_conflicts import Claim, Kind, Origin, conflicts
from observers.fabio.claims import broken_tags, claims_of_services, claims_of_table
from tests.conformance.fabio.fabio_target import ADDRESS, CONSUL, client, expected, moments, recorded

MOMENTS = list(moments())


@pytest.mark.parametrize("moment", range(len(MOMENTS)))
async def test_the_table_holds_what_the_tags_ask_for(moment: int) -> None:
    services, body = MOMENTS[moment]
    routes = await recorded("/api/routes", body).routes()
    seen = {(one.service, one.host, one.path) for one in routes}
    wanted = expected(services)
    if wanted is None:
        assert not {name for name, _, _ in seen} & {name for name in services if name.startswith("after-")}
    else:
        assert seen == wanted


def test_the_recording_holds_a_frozen_table_and_an_empty_one() -> None:
    assert any(expected(services) is None for services, _ in MOMENTS)
    assert [body for services, body in MOMENTS if not services] == [None, None]


async def test_two_services_of_one_route_are_two_entries_and_an_exact_match() -> None:
    services, body = next((s, b) for s, b in MOMENTS if {"claims-a", "claims-b"} <= s.keys())
    routes = await recorded("/api/routes", body).routes()
    shared = [one for one in routes if one.host == "same.cluster"]
    assert [(one.service, one.weight) for one in shared] == [("claims-b", 0.5), ("claims-a", 0.5)]
    mine = Claim("default/new", "new", FabioRoute("same.cluster", "/x"))
    found = conflicts([mine], [*claims_of_table(routes), *claims_of_services(services)])
    assert [(one.kind, one.other.owner) for one in found] == [
        (Kind.EXACT_MATCH, "claims-a"),
        (Kind.EXACT_MATCH, "claims-b"),
    ]
    assert {one.other.origin for one in found} == {Origin.TABLE}


async def test_the_version_is_told() -> None:
    assert await recorded("/api/version", "1.7.3").version() == "1.7.3"


@pytest.mark.parametrize("body", [{}, "x", 3, [1]])
async def test_what_is_no_table_is_told(body: object) -> None:
    with pytest.raises(Unavailable, match="no table of routes"):
        await recorded("/api/routes", body).routes()


@pytest.mark.parametrize(
    ("status", "kind"), [(403, Forbidden), (404, Unsupported), (500, Unavailable), (302, Unsupported)]
)
async def test_an_answer_that_is_not_good_is_an_error(status: int, kind: type[OperatorError]) -> None:
    with pytest.raises(kind) as raised:
        await recorded("/api/routes", None, status).routes()
    assert raised.value.hint


async def test_an_address_of_something_else_is_told() -> None:
    page = client("http://page", httpx.MockTransport(lambda request: httpx.Response(200, text="<html></html>")))
    with pytest.raises(Unavailable, match="which Fabio never sends"):
        await page.version()
    with pytest.raises(Unavailable, match="not JSON"):
        await page.routes()


def test_tags_that_stop_fabio_are_found_in_consul() -> None:
    services = {"web": ["urlprefix-web.cluster/"], "odd": ["urlprefix-"], "plain": ["v1"]}
    assert [name for name, _ in broken_tags(services)] == ["odd"]


@pytest.mark.real
@pytest.mark.xdist_group("consul-conformance")
@pytest.mark.skipif(
    not (ADDRESS and CONSUL), reason="the client on a real Fabio (FABIO_TEST_ADDR and CONSUL_TEST_ADDR)"
)
async def test_a_real_fabio_routes_what_a_tag_asks_for_and_freezes_by_a_broken_one(met: dict[str, str]) -> None:
    fabio = client(ADDRESS)
    name = f"conformance-{uuid.uuid4().hex[:8]}"

    def register(service: str, *tags: str) -> None:
        check = {"TTL": "10m", "Status": "passing"}
        body = {"ID": service, "Name": service, "Address": "127.0.0.1", "Port": 1, "Tags": tags, "Check": check}
        requests.put(f"{CONSUL}/v1/agent/service/register", data=json.dumps(body), timeout=10).raise_for_status()

    def deregister(*services: str) -> None:
        for service in services:
            requests.put(f"{CONSUL}/v1/agent/service/deregister/{service}", timeout=10)

    async def seen(service: str) -> set[tuple[str, str]]:
        return {(one.host, one.path) for one in await fabio.routes() if one.service == service}

    async def within(seconds: float, service: str) -> set[tuple[str, str]]:
        until = time.monotonic() + seconds
        while not (found := await seen(service)) and time.monotonic() < until:
            pass
        return found

    try:
        met["Fabio"] = f"{await fabio.version()} (recorded: 1.7.3)"
        register(name, f"urlprefix-{name}.Cluster/v1 strip=/v1")
        assert await within(15, name) == {(f"{name}.cluster", "/v1")}
        register(f"{name}-odd", "urlprefix-")
        register(f"{name}-after", f"urlprefix-{name}-after.cluster/")
        assert await within(3, f"{name}-after") == set()
        deregister(f"{name}-odd")
        assert await within(15, f"{name}-after") == {(f"{name}-after.cluster", "/")}
    finally:
        deregister(name, f"{name}-odd", f"{name}-after")
        await fabio.aclose()
