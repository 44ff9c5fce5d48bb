"""What people say in their own words, and whether it tells a secret."""

from __future__ import annotations

import pytest

from desired.said_secret import says_a_secret


@pytest.mark.parametrize(
    "text",
    [
        "two instances with password hunter2xyz",
        "the db password is hunter2xyz.",
        "token=abc123def456ghi",
        "login: adm1n-2024",
        "use the API key 'Zx81kQpLw9'",
        "secret: s3cr3t!",
        "password correct!horse",
        "db at postgres://me:pw123@h/db",
        "key: sk-proj-" + "abcdefghijklmnopqrstuvwxyz0123456789",
    ],
)
def test_a_secret_is_seen(text: str) -> None:
    assert says_a_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "password-protected, two instances",
        "it reads its password from Vault",
        "the password is in secret/data/shop/db#password",
        "take the token from Vault at secret/data/shop",
        "password comes from DB_PASSWORD_V2",
        "OAuth login with oauth2, internal",
        "key rotation every 30d",
        "secret: kv2/shop",
        "tokens live 15m, 512 MB, at api.cluster",
        "login at auth.example.org",
        "API key v2 is supported",
        "",
    ],
)
def test_where_one_is_kept_and_that_there_is_one_is_none(text: str) -> None:
    assert not says_a_secret(text)
