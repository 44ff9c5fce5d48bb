"""Each Consul in turn: as recorded, and the real one of CONSUL_TEST_ADDR."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.consul.consul_target import ADDRESS, RealConsul, RecordedConsul


@pytest.fixture(params=["recorded", pytest.param("real", marks=pytest.mark.real)], scope="session")
def consul(request: pytest.FixtureRequest, met: dict[str, str]) -> Iterator[RecordedConsul | RealConsul]:
    if request.param == "recorded":
        yield RecordedConsul()
        return
    if not ADDRESS:
        pytest.skip("the client on a real Consul (CONSUL_TEST_ADDR, and CONSUL_TEST_TOKEN where it has ACLs)")
    real = RealConsul()
    met["Consul"] = f"{real.version} (recorded: 1.21.4)"
    real.build()
    yield real
    real.take_away()
