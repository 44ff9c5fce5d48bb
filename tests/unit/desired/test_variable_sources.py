"""Where a variable's value comes from, by its name and by what a cluster agreed on."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.conventions import Conventions, conventions
from desired.variable_sources import TABLE, Source, guess

AGREED = {
    "vault": {
        "path_patterns": {"database": "secret/data/{app_name}/db"},
        "env_var_mappings": {
            "DB_PASSWORD": {"path": "database", "key": "pass"},
            "SMTP_LOGIN": {"path": "mail", "key": "login"},
            "SHARED": {"path": "kv/data/shared/all", "key": "it"},
        },
    },
    "fabio": {"default_port": 9999, "hostname_suffix": ".cluster"},
    "env_var_sources": [{"pattern": "FEATURE_*", "source": "consul", "value": "features/{app_name}/{name}"}],
}


@pytest.mark.parametrize(
    ("name", "source", "value", "confidence"),
    [
        ("HOST", "fixed", "0.0.0.0", 0.8),
        ("APP_HOST", "fixed", "0.0.0.0", 0.8),
        ("PORT", "fixed", "5000", 0.6),
        ("DB_PASSWORD", "vault", "secret/data/shop/db#password", 0.7),
        ("POSTGRES_PASSWORD", "vault", "secret/data/shop/postgres#password", 0.7),
        ("JWT_SECRET", "vault", "secret/data/shop/jwt#secret", 0.6),
        ("SECRET_KEY", "vault", "secret/data/shop/config#secret_key", 0.5),
        ("STRIPE_API_KEY", "vault", "secret/data/shop/stripe#api_key", 0.5),
        ("GITHUB_TOKEN", "vault", "secret/data/shop/github#token", 0.6),
        ("TOKEN", "vault", "secret/data/shop/config#token", 0.6),
        ("AWS_SECRET_ACCESS_KEY", "vault", "secret/data/aws/shop#secret_access_key", 0.5),
        ("CONSUL_HTTP_ADDR", "fixed", "http://consul.service.consul:8500", 0.6),
        ("REDIS_URL", "consul", "shop/config/redis_url", 0.4),
        ("DATABASE_URL", "vault", "secret/data/shop/database#url", 0.5),
        ("SENTRY_DSN", "vault", "secret/data/shop/sentry#dsn", 0.5),
        ("MONGODB_URI", "vault", "secret/data/shop/mongodb#uri", 0.5),
        ("JWT_PUBLIC_KEY", "consul", "shop/config/jwt_public_key", 0.4),
    ],
)
def test_a_name_says_where_the_value_comes_from(name: str, source: str, value: str, confidence: float) -> None:
    found = guess(name, app="shop", port=5000, conventions=Conventions())
    assert found is not None
    assert (found.source, found.value, found.confidence) == (source, value, confidence)


@pytest.mark.parametrize("name", ["LOG_LEVEL", "WORKERS", "KEYBOARD", "MONKEY", "PORTAL", "HOSTNAME"])
def test_a_name_that_says_nothing_is_left_to_a_person(name: str) -> None:
    assert guess(name, app="shop", port=None, conventions=Conventions()) is None


def test_without_a_known_port_the_usual_one_is_taken() -> None:
    found = guess("PORT", app="shop", port=None, conventions=Conventions())
    assert found is not None
    assert found.value == "8080"


@pytest.mark.parametrize(
    ("name", "source", "value"),
    [
        ("DB_PASSWORD", "vault", "secret/data/shop/db#pass"),
        ("SMTP_LOGIN", "vault", "secret/data/shop/mail#login"),
        ("SHARED", "vault", "kv/data/shared/all#it"),
        ("FEATURE_CART", "consul", "features/shop/feature_cart"),
    ],
)
def test_what_the_cluster_agreed_on_comes_first(name: str, source: str, value: str) -> None:
    agreed, problems = conventions(json.dumps(AGREED))
    assert problems == ()
    assert (agreed.fabio_port, agreed.hostname_suffix) == (9999, ".cluster")
    found = guess(name, app="shop", port=None, conventions=agreed)
    assert found is not None
    assert (found.source, found.value) == (source, value)
    assert found.confidence >= 0.8


def test_what_is_wrong_in_the_conventions_is_told_and_the_rest_holds() -> None:
    broken = {
        **AGREED,
        "fabio": {"default_port": "many", "hostname_suffix": 5},
        "env_var_sources": [{"pattern": "X"}, AGREED["env_var_sources"][0]],  # type: ignore[index]
    }
    agreed, problems = conventions(json.dumps(broken))
    assert len(agreed.mappings) == 3
    assert len(agreed.rules) == 1
    assert [problem.split()[0] for problem in problems] == [
        "fabio.default_port",
        "fabio.hostname_suffix",
        "env_var_sources[0]",
    ]


@given(
    st.text()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["vault", "fabio", "path_patterns", "env_var_mappings", "env_var_sources", "path", "key"]
                ),
                inner,
            )
        ),
    ).map(json.dumps)
)
def test_any_text_is_understood_or_told_in_lines_and_guessing_goes_on(text: str) -> None:
    agreed, problems = conventions(text)
    assert all(problem and "\n" not in problem for problem in problems)
    found = guess("DB_PASSWORD", app="shop", port=None, conventions=agreed)
    assert found is not None
    assert found.source in set(Source)


def test_only_a_source_that_manifests_know_is_ever_named() -> None:
    assert {row.source for row in TABLE} <= set(Source)
