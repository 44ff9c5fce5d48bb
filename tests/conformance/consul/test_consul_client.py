"""What the client says of keys and services, on the recorded Consul and on a real one."""

from __future__ import annotations

import pytest

from desired.conventions import KEY, Conventions
from desired.errors import Unsupported
from tests.conformance.consul.consul_target import FOLDER, KEYS, SERVICE, TAGS, RealConsul, RecordedConsul

# One worker builds up, in the real one, what the tests read there, and takes it away.
pytestmark = pytest.mark.xdist_group("consul-conformance")

Consul = RecordedConsul | RealConsul


async def test_a_key_has_a_value_or_is_not_there(consul: Consul) -> None:
    client = consul.client()
    if isinstance(consul, RealConsul):
        assert await client.key("operator/record") == KEYS["operator/record"]
    else:
        assert await client.key("operator/leader") is not None
    assert await client.key("nope") is None
    assert await client.key("/nope/at/all") is None


async def test_keys_are_listed_by_name(consul: Consul) -> None:
    client = consul.client()
    assert await client.keys(f"{FOLDER}/") == tuple(sorted(KEYS))
    assert await client.keys(f"{FOLDER}/o") == ("operator/other/deep",)
    assert await client.keys("nothing/here") == ()


async def test_who_misspelled_a_key_is_told_what_is_beside_it(consul: Consul) -> None:
    client = consul.client()
    assert await client.keys_near("operator/recrod") == ("operator/record",)
    assert await client.keys_near("operator/otter/deep") == ("operator/other/deep",)
    assert await client.keys_near("oprator/record") == ("operator/record",)
    assert await client.keys_near("nothing/like/it") == ()


async def test_services_have_the_tags_of_all_their_instances(consul: Consul) -> None:
    services = await consul.client().services()
    assert "consul" in services
    assert services[SERVICE] == TAGS


async def test_an_instance_tells_where_it_is_and_how_it_is(consul: Consul) -> None:
    (one,) = await consul.client().instances(SERVICE)
    assert (one.address, one.port, one.status, one.healthy) == ("127.0.0.1", 21495, "passing", True)
    assert one.tags == TAGS and one.failing == ()
    assert await consul.client().instances("nope") == ()


async def test_the_agent_and_the_leader_are_told(consul: Consul) -> None:
    client = consul.client()
    agent = await client.agent()
    assert agent.version == consul.version and agent.datacenter == "dc1"
    assert ":" in await client.leader()


async def test_conventions_are_read_and_what_is_wrong_in_them_is_told(consul: Consul) -> None:
    client = consul.client()
    if isinstance(consul, RecordedConsul):
        assert await client.conventions() == (Conventions(), ())
        return
    try:
        consul.put(KEY, '{"fabio": {"default_port": "x", "hostname_suffix": ".cluster"}}')
        found, problems = await client.conventions()
        assert found.hostname_suffix == ".cluster" and len(problems) == 1 and KEY in problems[0]
        consul.put(KEY, "{not json: s3cret")
        found, problems = await client.conventions()
        assert found == Conventions() and "not JSON" in problems[0] and "s3cret" not in problems[0]
    finally:
        consul.delete(KEY)


@pytest.mark.parametrize("key", ["", "/", "a/../b", "./a"])
async def test_a_key_that_http_would_read_as_another_is_not_asked_for(consul: Consul, key: str) -> None:
    with pytest.raises(Unsupported):
        await consul.client().key(key)
