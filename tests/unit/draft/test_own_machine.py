"""A database at localhost is no default in a container, and an app there listens everywhere."""

from __future__ import annotations

import pytest

from desired.draft.own_machine import listens_on_itself, of_this_machine


@pytest.mark.parametrize(
    ("name", "default", "found"),
    [
        ("REDIS_URL", "redis://localhost:6379/0", True),
        ("DATABASE_URL", "postgres://me:x@127.0.0.1/shop", True),
        ("BACKEND", "http://localhost", True),
        ("KAFKA", "localhost:9092", True),
        ("DB_HOST", "localhost", True),
        ("SHOP_DB_HOST", "127.0.0.1", True),
        ("PGHOST", "localhost", True),
        ("API_HOST", "localhost", False),
        ("GREETING", "localhost", False),
        ("REDIS_URL", "redis://redis:6379", False),
        ("SITE", "http://localhost.example.org", False),
        ("REDIS_URL", None, False),
        ("REDIS_URL", "", False),
    ],
)
def test_what_would_have_to_run_in_the_same_container(name: str, default: str | None, found: bool) -> None:
    assert of_this_machine(name, default) is found


@pytest.mark.parametrize(
    ("name", "default", "found"),
    [
        ("HOST", "127.0.0.1", True),
        ("APP_HOST", "localhost", True),
        ("BIND_ADDRESS", "::1", True),
        ("HOST", "0.0.0.0", False),
        ("DB_HOST", "localhost", False),
        ("HOST", "shop.example.org", False),
        ("HOST", None, False),
    ],
)
def test_who_would_be_reached_by_nobody(name: str, default: str | None, found: bool) -> None:
    assert listens_on_itself(name, default) is found
