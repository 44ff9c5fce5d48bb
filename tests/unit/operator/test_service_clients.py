"""What the settings say of Vault, Consul and Fabio becomes clients; what they hold in secret is told to nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from nomad_operator.from_settings import secrets_of
from nomad_operator.service_clients import consul_client, fabio_client, vault_client, vault_login
from nomad_operator.settings import Settings
from observers.vault.login import GivenToken, WorkloadIdentity


def test_what_is_not_set_has_no_client() -> None:
    settings = Settings()
    assert vault_client(settings) is None and consul_client(settings) is None and fabio_client(settings) is None
    assert vault_login(settings) is None


def test_a_token_comes_before_an_identity(tmp_path: Path) -> None:
    identity = Settings(vault_identity_file=tmp_path / "jwt", vault_role="web", vault_auth_path="jwt-other")
    assert vault_login(identity) == WorkloadIdentity(file=tmp_path / "jwt", role="web", mount="jwt-other")
    both = identity.model_copy(update={"vault_token": SecretStr("t")})
    assert vault_login(both) == GivenToken(token="t")
    assert "'t'" not in repr(vault_login(both))


@pytest.mark.parametrize("address", ["127.0.0.1:8500", "http://127.0.0.1:8500/", "https://consul.example:8501"])
async def test_consuls_forms_of_an_address_are_taken(address: str) -> None:
    client = consul_client(Settings(consul_http_addr=address))
    assert client is not None
    await client.aclose()


@pytest.mark.parametrize("field", ["vault_addr", "consul_http_addr", "fabio_url", "qdrant_url", "openai_base_url"])
@pytest.mark.parametrize("address", ["ftp://x", "http://", "http://user:pw@x", "http://x:notaport"])
def test_an_address_that_is_none_is_refused(field: str, address: str) -> None:
    values: dict[str, Any] = {field: address}
    with pytest.raises(ValueError):
        Settings(**values)


def test_every_secret_of_the_settings_is_one_that_nobody_is_told() -> None:
    names = [name for name, info in Settings.model_fields.items() if (info.json_schema_extra or {}).get("secret")]  # type: ignore[union-attr]
    texts = {name: f"secret-of-{name}" for name in names} | {"notify_urls": "https://chat.example/hook/T0"}
    values: dict[str, Any] = {name: SecretStr(text) for name, text in texts.items()}
    assert {"nomad_token", "vault_token", "consul_http_token", "langfuse_secret_key", "openai_api_key"} <= set(names)
    # Of a webhook's address the path alone opens it as well.
    assert {*secrets_of(Settings(**values))} == {*texts.values(), "/hook/T0"}
