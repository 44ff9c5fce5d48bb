"""The Nomads that the client is held to."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from desired.errors import OperatorError
from nomad_operator.embedded.server import serve
from observers.nomad.client import NomadClient
from observers.nomad.connection import Connection
from tests.conformance.client.client_target import Target
from tests.conformance.nomad.embedded import world

ADDRESS = os.environ.get("NOMAD_TEST_ADDR", "")


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.real)])
async def target(request: pytest.FixtureRequest) -> AsyncIterator[Target]:
    """Each Nomad in turn, without the test's jobs afterwards."""
    if request.param == "embedded":
        serving = await serve(world("healthy-service"))
        yield Target(Connection(address=serving.address))
        await serving.stop()
        return
    if not ADDRESS:
        pytest.skip("the client on a real Nomad (NOMAD_TEST_ADDR)")
    found = Target(Connection(address=ADDRESS, token=os.environ.get("NOMAD_TEST_TOKEN")))
    yield found
    client = found.client()
    for key in found.keys:
        with suppress(OperatorError):
            await client.stop(key, purge=True)
    await client.aclose()


@pytest.fixture
async def client(target: Target) -> AsyncIterator[NomadClient]:
    client = target.client()
    yield client
    await client.aclose()
