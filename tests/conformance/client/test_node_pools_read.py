"""The names of node pools, on a Nomad that works."""

from __future__ import annotations

import pytest

from desired.errors import Rejected
from observers.nomad.client import NomadClient
from tests.conformance.client.client_target import Target, parsed


async def test_node_pools_are_told_by_name_and_the_one_of_all_nodes_is_none(
    target: Target, client: NomadClient
) -> None:
    """Whatever is told may be asked for, and what is not told is refused."""
    pools = await client.node_pools()
    assert [endpoint for endpoint, _ in target.requests] == ["node/pools"]
    assert "default" in pools and "all" not in pools and list(pools) == sorted(set(pools))
    key = target.key("pool")
    body = await parsed(client, key, "healthy-service")
    for pool in pools:
        assert (await client.plan(key, body | {"NodePool": pool})).diff_type == "Added"
    with pytest.raises(Rejected, match="nonexistent node pool"):
        await client.plan(key, body | {"NodePool": f"{target.prefix}-none"})
