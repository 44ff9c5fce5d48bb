"""What may be a secret is left out of what is made of code; what only speaks of one is not."""

from __future__ import annotations

import pytest

from desired.facts.possible_secret import may_be_secret

# Nobody's: made up for this test, and of no form that a scanner looks for.
SOME = "Kq8sVx2nW9"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("JAVA_OPTS", f"-Xmx1g -Dspring.datasource.password={SOME}"),
        ("JDBC", f"jdbc:postgresql://db/x?user=a&password={SOME}"),
        ("JDBC", f"jdbc:oracle:thin:scott/{SOME}@db:1521/x"),
        ("HOOK", f"https://hooks.slack.com/services/{SOME}"),
        ("HOOK", f"https://discord.com/api/webhooks/123456789012345678/{SOME}"),
        ("CALLBACK", f"https://x.example/z?token={SOME}"),
        ("STORE", f"https://acc.blob.core.windows.net/c?sv=2020&sig={SOME}"),
        ("STORE", f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={SOME};EndpointSuffix=x"),
        ("SENTRY_DSN", f"https://{SOME}{SOME}@sentry.example/2"),
        ("OPTS", f"--db-password {SOME} --x 1"),
        ("CFG", f'{{"user":"a","password":"{SOME}"}}'),
        ("CREDS", f"admin:{SOME}"),
        ("BASIC", f"admin:$$2y$$05$${SOME}"),
        ("KEY64", SOME),
        ("ENCRYPTION", SOME),
        ("PRIVKEY", SOME),
        ("DB_PASSWORD_PROD", SOME),
        ("PASSWORD_HASH", SOME),
        ("SECRET_KEY_BASE", SOME),
        ("JWT", SOME),
        ("API_KEY_STRIPE", SOME),
        ("ADMIN_CREDENTIALS", SOME),
        ("SMTP_AUTH", SOME),
        ("dbPassword", SOME),
        ("SALT", SOME),
        ("LICENSE", SOME),
        ("GEHEIM", SOME),
        ("APIPW", SOME),
        ("DBSECRET", SOME),
        ("APITOKEN", SOME),
        ("DB_KENNWORT", SOME),
        ("MOT_DE_PASSE", SOME),
        ("CONTRASENA", SOME),
        ("SENHA_DB", SOME),
        ("PIN", "483920"),
        ("SIM_PIN_CODE", "4711"),
        ("LOGIN", f"admin:{SOME}"),
        ("DB_USER", f"bob:{SOME}"),
        ("OPTIONS", f"host=db pw={SOME} mode=fast"),
        ("CONN", f"Server=db;Uid=sa;Pw={SOME};"),
        ("THING", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        ("THING", f"{SOME}{SOME}{SOME}"),
    ],
)
def test_it_may_be_one(name: str, text: str) -> None:
    assert may_be_secret(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("TOKEN_TTL", "3600"),
        ("MAX_TOKENS", "4096"),
        ("PASSWORD_MIN_LENGTH", "8"),
        ("JWT_ALGORITHM", "HS256"),
        ("AUTH_URL", "https://a.example/b"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("CACHE_KEY_PREFIX", "shop"),
        ("REDIS_URL", "redis://redis:6379/0"),
        ("KEYCLOAK_REALM", "shop"),
        ("AUTHOR", "me"),
        ("MONKEY", "business"),
        ("GREETING", "good day"),
        ("SECRET_KEY_FILE", "/run/secrets/key"),
        ("SECRET_KEY", "${SECRET_KEY}"),
        ("KEYSPACE", "shop"),
        ("PUBLIC_KEY", "abc"),
        ("BYPASS", "all"),
        ("IMAGE", "redis:7.4-alpine"),
        ("JAVA_OPTS", "-Xmx512m -Dlogging.level=debug"),
        ("PAGE", "https://x.example/z?page=2&sort=name"),
        ("LOGIN", "admin"),
        ("USER", "1000:1000"),
        ("SHOPPING", "4711"),
        ("PIN", "GPIO"),
        ("GIT_SHA", "0123456789abcdef0123456789abcdef01234567"),
        ("IMAGE_DIGEST", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        ("CLIENT_ID", f"{SOME}{SOME}{SOME}"),
        ("MODEL", "Qwen/Qwen2.5-7B-Instruct-AWQ"),
        ("TZ", "Europe/Berlin"),
        ("OPTS", "pass=1 pw=on"),
    ],
)
def test_it_is_none(name: str, text: str) -> None:
    assert not may_be_secret(name, text)
