"""Whatever JSON comes back instead of what was asked for: plain values, or an error that repeats nothing of it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desired.errors import OperatorError
from observers.consul.client import ConsulClient
from observers.fabio.client import FabioClient
from observers.reach.address import Reach
from observers.vault.client import VaultClient
from observers.vault.login import GivenToken
from tests.service_replay import Replay, Reply

_NAMES = st.sampled_from([
    "data", "auth", "keys", "path", "type", "options", "version", "subkeys", "metadata", "versions", "current_version",
    "errors", "warnings", "sealed", "Key", "Value", "Config", "DebugConfig", "Node", "Service", "Checks", "Tags",
    "Status", "Policies", "secret", "client_token", "lease_duration", "ttl", "policies", "kv", "2", "s3cr3t",
])  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | _NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)
_STATUS = st.sampled_from([200, 204, 307, 400, 403, 404, 429, 500, 503])


def _reach(service: str) -> Reach:
    return Reach(service=service, setting=f"{service}_URL", address="http://it", deadline=timedelta(seconds=5))


async def _only_errors_of_the_tree(questions: list[Callable[[], Awaitable[Any]]]) -> None:
    for ask in questions:
        try:
            await ask()
        except OperatorError as error:
            assert error.message and "Traceback" not in error.message


@settings(max_examples=60)
@given(_JSON, _STATUS)
async def test_vaults_client_takes_any_shape(body: Any, status: int) -> None:
    vault = VaultClient(
        reach=_reach("Vault"),
        login=GivenToken(token="t"),
        adapter=Replay(lambda asked: Reply(status, json.dumps(body))),
    )
    await _only_errors_of_the_tree([
        vault.health, vault.token, vault.mounts, vault.roles, lambda: vault.look("secret/data/a"),
        lambda: vault.capabilities(["a"]), lambda: vault.names("secret"), lambda: vault.paths_under("secret"),
        lambda: vault.paths_near("secret/data/a"),
    ])  # fmt: skip


@settings(max_examples=60)
@given(_JSON, _STATUS)
async def test_consuls_client_takes_any_shape(body: Any, status: int) -> None:
    consul = ConsulClient(reach=_reach("Consul"), adapter=Replay(lambda asked: Reply(status, json.dumps(body))))
    await _only_errors_of_the_tree([
        consul.agent, consul.leader, consul.policies, consul.services, consul.conventions, lambda: consul.key("a"),
        lambda: consul.keys("a"), lambda: consul.keys_near("a/b"), lambda: consul.instances("a"),
    ])  # fmt: skip


@settings(max_examples=60)
@given(_JSON, _STATUS)
async def test_fabios_client_takes_any_shape(body: Any, status: int) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(status, text=json.dumps(body)))
    fabio = FabioClient(reach=_reach("Fabio"), transport=transport)
    await _only_errors_of_the_tree([fabio.version, fabio.routes])


@pytest.mark.parametrize(
    "body", ['{"a": "s3cr3t"}', '["s3cr3t"]', '[{"Value": "s3cr3t"}]', '"s3cr3t', '[{"Value": 3}]']
)
async def test_a_key_of_another_shape_is_told_and_not_repeated(body: str) -> None:
    """py-consul decodes each value, and repeats what it cannot read."""
    consul = ConsulClient(reach=_reach("Consul"), adapter=Replay(lambda asked: Reply(200, body)))
    with pytest.raises(OperatorError) as raised:
        await consul.key("a")
    assert "s3cr3t" not in raised.value.message + raised.value.hint
    assert raised.value.__cause__ is None
