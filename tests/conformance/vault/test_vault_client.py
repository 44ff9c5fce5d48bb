"""What the client says of paths, fields, folders and rights, on the recorded Vault and on a real one."""

from __future__ import annotations

import pytest

from desired.errors import Forbidden, OperatorError, Unsupported
from observers.vault.standing import Mount, Standing
from tests.conformance.vault.vault_target import KV1, KV2, PERSONAS, SECRETS, RealVault, RecordedVault

# One worker builds up, in the real one, what the tests read there, and takes it away.
pytestmark = pytest.mark.xdist_group("vault-conformance")

Vault = RecordedVault | RealVault
NEW, OLD = Mount(KV2, "kv", version=2), Mount(KV1, "kv", version=1)


@pytest.mark.parametrize(
    ("path", "standing", "keys"),
    [
        (f"{KV2}/data/web/db", Standing.PRESENT, ("DB_PASSWORD", "DB_USER")),
        (f"{KV2}/web/db", Standing.PRESENT, ("DB_PASSWORD", "DB_USER")),
        (f"/{KV2}/data/web/db/", Standing.PRESENT, ("DB_PASSWORD", "DB_USER")),
        (f"{KV2}/data/web/api/stripe", Standing.PRESENT, ("STRIPE_KEY", "more")),
        (f"{KV2}/metadata/web/db", Standing.WRONG_SHAPE, None),
        (f"{KV2}/data/web/nope", Standing.MISSING, None),
        (f"{KV2}/data/web", Standing.MISSING, None),
        (f"{KV2}/data", Standing.MISSING, None),
        (f"{KV2}/data/web/gone", Standing.DELETED, None),
        (f"{KV2}/data/web/shredded", Standing.DELETED, None),
        (f"{KV1}/web/db", Standing.PRESENT, None),
        (f"{KV1}/data/web/db", Standing.WRONG_SHAPE, None),
        (f"{KV1}/web/nope", Standing.MISSING, None),
        ("no-such-mount/data/web/db", Standing.UNKNOWN_MOUNT, None),
        ("sys/data/web", Standing.NOT_A_STORE, None),
    ],
)
async def test_a_path_is_told_for_what_it_is(
    vault: Vault, path: str, standing: Standing, keys: tuple[str, ...] | None
) -> None:
    secret = await vault.client().look(path)
    assert (secret.standing, secret.keys) == (standing, keys)
    assert secret.path == path
    if not (secret.there and secret.keys is not None) and standing not in (Standing.MISSING, Standing.DELETED):
        assert secret.said


@pytest.mark.parametrize(
    ("persona", "path", "standing", "keys"),
    [
        ("limited", f"{KV2}/data/web/db", Standing.PRESENT, ("DB_PASSWORD", "DB_USER")),
        ("limited", f"{KV2}/data/web/nope", Standing.MISSING, None),
        ("limited", f"{KV2}/data/billing/db", Standing.FORBIDDEN, None),
        ("limited", f"{KV2}/data/billing/nope", Standing.FORBIDDEN, None),
        ("limited", "no-such-mount/data/web/db", Standing.FORBIDDEN, None),
        ("limited", f"{KV1}/web/db", Standing.FORBIDDEN, None),
        ("without-subkeys", f"{KV2}/data/web/db", Standing.PRESENT, None),
        ("without-subkeys", f"{KV2}/data/web/gone", Standing.DELETED, None),
        ("without-subkeys", f"{KV2}/data/web/shredded", Standing.DELETED, None),
        ("without-subkeys", f"{KV2}/data/web/nope", Standing.MISSING, None),
    ],
)
async def test_what_a_token_may_not_see_is_not_taken_for_absent(
    vault: Vault, persona: str, path: str, standing: Standing, keys: tuple[str, ...] | None
) -> None:
    secret = await vault.client(persona).look(path)
    assert (secret.standing, secret.keys) == (standing, keys)


async def test_a_token_that_vault_does_not_know_is_an_error_and_no_standing(vault: Vault) -> None:
    with pytest.raises(Forbidden) as raised:
        await vault.client("nobody").look(f"{KV2}/data/web/db")
    assert "VAULT_TOKEN" in raised.value.hint
    with pytest.raises(Forbidden):
        await vault.client("nobody").token()


async def test_mounts_tell_their_version(vault: Vault) -> None:
    mounts = await vault.client().mounts()
    assert {NEW, OLD} <= set(mounts)
    assert all(mount.version is None for mount in mounts if mount.type != "kv")
    assert await vault.client().mount_of(f"{KV1}/any/thing") == OLD
    assert await vault.client("limited").mount_of(f"{KV1}/any/thing") is None


async def test_a_folder_is_listed(vault: Vault) -> None:
    client = vault.client()
    assert await client.names(KV2) == ("billing/", "web/")
    assert await client.names(f"{KV2}/data/web") == ("api/", "db", "gone", "shredded")
    assert await client.names(f"{KV1}/web") == ("db",)
    assert await client.names(f"{KV2}/data/nope") == ()
    assert await vault.client("limited").names(f"{KV2}/billing") == ()


async def test_who_misspelled_a_path_is_told_what_is_beside_it(vault: Vault) -> None:
    near = await vault.client("limited").paths_near(f"{KV2}/data/web/database")
    assert near == (f"{KV2}/data/web/db", f"{KV2}/data/web/gone", f"{KV2}/data/web/shredded")
    client = vault.client()
    assert await client.paths_near(f"{KV1}/web/database") == (f"{KV1}/web/db",)
    assert await client.paths_near(f"{KV1}/wbe/db") == (f"{KV1}/web/db",)
    assert await client.paths_near(f"{KV2}/data/biling/db") == (f"{KV2}/data/billing/db",)
    assert await client.paths_near(f"{KV2}/data/web/apis/stripe") == (f"{KV2}/data/web/api/stripe",)
    assert await client.paths_near(f"{KV2}/data/no/thing") == ()


async def test_secrets_are_found_at_any_depth_and_no_more_than_asked_for(vault: Vault) -> None:
    everything = await vault.client().paths_under(KV2)
    assert f"{KV2}/data/web/api/stripe" in everything and f"{KV2}/data/billing/db" in everything
    assert len(await vault.client().paths_under(KV2, most=2)) == 2


async def test_rights_are_asked_for_without_trying_them(vault: Vault) -> None:
    paths = [f"{KV2}/data/web/db", f"{KV2}/metadata/web/db", f"{KV2}/metadata/billing/db"]
    may = await vault.client("limited").capabilities(paths)
    assert may == {
        paths[0]: frozenset({"read"}),
        paths[1]: frozenset({"read", "list"}),
        paths[2]: frozenset(),
    }
    assert (await vault.client().capabilities(paths))[paths[0]] == frozenset({"root"})


async def test_health_needs_no_token(vault: Vault) -> None:
    health = await vault.client("nobody").health()
    assert health.version and health.initialized and not health.sealed


async def test_a_token_tells_its_policies_and_its_time(vault: Vault) -> None:
    token = await vault.client("limited").token()
    assert "nomad-operator-conformance-limited" in token.policies
    assert token.renewable and 0 < token.ttl_seconds <= 600


async def test_roles_of_an_auth_method_that_is_not_there_are_not_known(vault: Vault) -> None:
    assert await vault.client().roles("no-such-auth") is None


@pytest.mark.parametrize(
    "path", ["", "/", f"{KV2}/data/../web", f"{KV2}/metadata/../data/web/db", f"{KV2}//web", "a/\n"]
)
async def test_a_path_that_http_would_read_as_another_is_not_asked_for(vault: Vault, path: str) -> None:
    with pytest.raises(Unsupported):
        await vault.client().look(path)


async def test_no_answer_ever_holds_a_value(vault: Vault) -> None:
    """Whoever asks, and whatever is asked: neither what comes back nor an error repeats a secret."""
    told: list[str] = []
    for persona in PERSONAS:
        client = vault.client(persona)
        for path in (f"{KV2}/data/web/db", f"{KV2}/web/api/stripe", f"{KV1}/web/db", f"{KV2}/metadata/web/db"):
            for ask in (client.look, client.keys_of, client.path_exists, client.names, client.paths_near):
                try:
                    told.append(repr(await ask(path)))
                except OperatorError as error:
                    told.append(error.message + error.hint)
    assert told and not [one for one in told if any(secret in one for secret in SECRETS)]
