"""Each Vault in turn: as recorded, and the real one of VAULT_TEST_ADDR."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.vault.vault_target import ADDRESS, TOKEN, RealVault, RecordedVault


@pytest.fixture(params=["recorded", pytest.param("real", marks=pytest.mark.real)], scope="session")
def vault(request: pytest.FixtureRequest, met: dict[str, str]) -> Iterator[RecordedVault | RealVault]:
    if request.param == "recorded":
        yield RecordedVault()
        return
    if not (ADDRESS and TOKEN):
        pytest.skip("the client on a real Vault (VAULT_TEST_ADDR and VAULT_TEST_TOKEN, a token that may do everything)")
    real = RealVault()
    met["Vault"] = f"{real.version} (recorded: OpenBao 2.6.2)"
    real.build()
    yield real
    real.take_away()
    real.write()
