"""The fleet read of a Nomad that has many pages, many namespaces, an old version, or a token that may not see all."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from urllib.parse import parse_qs, urlsplit

import pytest

from desired.app import AppKey
from desired.errors import Forbidden, Unavailable
from observers.nomad.client import NomadClient
from observers.nomad.connection import Connection
from observers.running import Agent, Fleet
from tests.unit.observers.nomad_stub import Exchange, Stub, serve

A, B = AppKey("team-a", "web"), AppKey("team-b", "web")
JOBS = {key: {"ID": key.name, "Namespace": key.namespace, "Type": "service", "JobModifyIndex": 5} for key in (A, B)}


def cluster(
    *, may_list: Collection[str] = ("team-a", "team-b"), statuses: int = 200
) -> Callable[[Stub, Exchange], None]:
    """Lists one job a page; `*` leaves out what may not be listed, as Nomad does."""

    def answer(stub: Stub, exchange: Exchange) -> None:
        parts = urlsplit(exchange.asked.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/v1/jobs/statuses":
            asked = json.loads(exchange.asked.body)["Jobs"]
            told = [one | {"Version": 2, "Allocs": [{"ClientStatus": "running", "JobVersion": 2}]} for one in asked]
            exchange.say(statuses, json.dumps(told) if statuses == 200 else "")
            return
        namespace = query["namespace"]
        if namespace != "*" and namespace not in may_list:
            exchange.say(403, "Permission denied")
            return
        seen = [job for key, job in JOBS.items() if key.namespace in may_list and namespace in ("*", key.namespace)]
        page = int(query.get("next_token", "0"))
        more = {"X_Nomad_NextToken": str(page + 1)} if page + 1 < len(seen) else {}
        exchange.say(200, json.dumps(seen[page : page + 1]), X_Nomad_Index=str(40 + page), **more)

    return answer


async def fleet(stub: Stub, keys: Collection[AppKey], *, namespaces: Collection[str] = ("*",)) -> Fleet:
    client = NomadClient(connection=Connection(address=stub.address), namespaces=namespaces)
    try:
        return await client.fleet(keys)
    finally:
        await client.aclose()


async def test_all_pages_are_read_and_the_first_ones_index_counts() -> None:
    with serve(cluster()) as stub:
        found = await fleet(stub, [A, B])
    assert found.entries.keys() == {A, B} and found.index == 40 and found.hidden == frozenset()
    assert all(entry.version == 2 and entry.counts == {"running": 1} for entry in found.entries.values())
    assert len(stub.asked) == 3


async def test_without_keys_that_exist_nobody_is_asked_for_statuses() -> None:
    """Nomad answers an empty question with an error."""
    with serve(cluster()) as stub:
        assert (await fleet(stub, [])).entries.keys() == {A, B}
        await fleet(stub, [AppKey("team-a", "none")])
    assert {asked.method for asked in stub.asked} == {"GET"}


async def test_a_namespace_that_may_not_be_listed_is_hidden_and_not_empty() -> None:
    with serve(cluster(may_list=("team-a",))) as stub:
        found = await fleet(stub, [A, B])
    assert found.entries.keys() == {A} and found.hidden == {"team-b"}


async def test_named_namespaces_are_listed_one_by_one_and_those_of_the_keys_with_them() -> None:
    with serve(cluster(may_list=("team-a",))) as stub:
        found = await fleet(stub, [B], namespaces=("team-a",))
    assert found.entries.keys() == {A} and found.hidden == {"team-b"}
    assert not any("namespace=%2A" in asked.path for asked in stub.asked)


async def test_a_token_that_may_list_nothing_is_forbidden_and_not_an_empty_fleet() -> None:
    with serve(cluster(may_list=())) as stub, pytest.raises(Forbidden):
        await fleet(stub, [A], namespaces=("team-a",))


@pytest.mark.parametrize("status", [404, 405])
async def test_a_nomad_without_statuses_is_read_by_its_lists_and_asked_no_more(status: int) -> None:
    with serve(cluster(statuses=status)) as stub:
        client = NomadClient(connection=Connection(address=stub.address))
        assert (await client.fleet([A, B])).entries.keys() == {A, B}
        before = len(stub.asked)
        assert (await client.fleet([A, B])).entries.keys() == {A, B}
        await client.aclose()
    assert all(asked.method == "GET" for asked in stub.asked[before:])


async def test_statuses_that_fail_are_not_taken_for_an_old_nomad() -> None:
    with serve(cluster(statuses=502)) as stub, pytest.raises(Unavailable):
        await fleet(stub, [A])


async def test_who_answers_is_learned_from_the_servers_where_the_agent_may_not_be_read() -> None:
    def may_read_nodes(stub: Stub, exchange: Exchange) -> None:
        if exchange.asked.path == "/v1/agent/self":
            exchange.say(403, "Permission denied")
        else:
            member = {"Status": "alive", "Tags": {"build": "1.9.4", "region": "eu"}}
            exchange.say(200, json.dumps({"Members": [member], "ServerRegion": "eu"}))

    def may_read_nothing(stub: Stub, exchange: Exchange) -> None:
        exchange.say(403, "Permission denied")

    found: list[Agent] = []
    for answer in (may_read_nodes, may_read_nothing):
        with serve(answer) as stub:
            client = NomadClient(connection=Connection(address=stub.address))
            found.append(await client.agent())
            await client.aclose()
    assert [(agent.version, agent.region, agent.acl_enabled) for agent in found] == [
        ("1.9.4", "eu", True),
        ("", "", True),
    ]
