"""A variable is offered the fields that its name speaks of, with more confidence the more it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.draft.value import SURE
from observers.vault.suggest import suggest

PATHS = {
    "secret/data/flask-api/db": ("password", "username"),
    "secret/data/flask-api/config": ("SECRET_KEY", "debug"),
    "secret/data/other/db": ("password",),
    "secret/data/stripe": ("api_key",),
    "secret/data/aws/flask-api": ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"),
    "secret/data/redis": None,
}


@pytest.mark.parametrize(
    ("variable", "reference", "at_least"),
    [
        ("DB_PASSWORD", "secret/data/flask-api/db#password", 0.8),
        ("DATABASE_PASSWORD", "secret/data/flask-api/db#password", 0.8),
        ("DB_USER", "secret/data/flask-api/db#username", 0.8),
        ("SECRET_KEY", "secret/data/flask-api/config#SECRET_KEY", 0.9),
        ("STRIPE_API_KEY", "secret/data/stripe#api_key", 0.6),
        ("AWS_SECRET_ACCESS_KEY", "secret/data/aws/flask-api#SECRET_ACCESS_KEY", 0.8),
        ("REDIS_PASSWORD", "secret/data/redis#password", 0.35),
    ],
)
def test_the_first_suggestion_is_the_one_that_a_person_would_pick(
    variable: str, reference: str, at_least: float
) -> None:
    first = suggest(variable, "flask-api", PATHS)[0]
    assert first.reference == reference
    assert first.confidence >= at_least and first.reason


def test_the_apps_own_secret_comes_before_that_of_another() -> None:
    found = suggest("DB_PASSWORD", "flask-api", PATHS)
    assert [one.path for one in found[:2]] == ["secret/data/flask-api/db", "secret/data/other/db"]
    assert found[0].confidence > found[1].confidence


def test_what_may_be_anothers_is_never_sure() -> None:
    (first,) = suggest("API_KEY", "shop", {"secret/data/flask-api/app": ("api_key",)})
    assert first.confidence < SURE and "another's" in first.reason
    (own,) = suggest("API_KEY", "shop", {"secret/data/shop/app": ("api_key",)})
    (shared,) = suggest("STRIPE_API_KEY", "shop", {"secret/data/stripe": ("api_key",)})
    assert min(own.confidence, shared.confidence) >= SURE


@pytest.mark.parametrize("variable", ["LOG_LEVEL", "PORT", "", "___"])
def test_nothing_is_suggested_for_what_no_secret_is_named_like(variable: str) -> None:
    assert suggest(variable, "flask-api", PATHS) == []


def test_a_path_whose_fields_are_not_known_is_less_sure() -> None:
    known = suggest("DB_PASSWORD", "web", {"secret/data/web/db": ("password",)})[0]
    unknown = suggest("DB_PASSWORD", "web", {"secret/data/web/db": None})[0]
    assert unknown.reference == known.reference and unknown.confidence < known.confidence


_NAMES = st.text("ABCdb_password/-.1", max_size=20)


@given(_NAMES, _NAMES, st.dictionaries(_NAMES, st.none() | st.lists(_NAMES, max_size=3)))
def test_suggestions_are_there_in_range_and_do_not_depend_on_order(
    variable: str, app: str, paths: dict[str, list[str] | None]
) -> None:
    found = suggest(variable, app, paths)
    for one in found:
        keys = paths[one.path]
        assert keys is None or one.key in keys
        assert 0 <= one.confidence <= 1
    assert [one.confidence for one in found] == sorted((one.confidence for one in found), reverse=True)
    assert len(found) <= 3
    turned = {path: keys[::-1] if keys is not None else None for path, keys in reversed(paths.items())}
    assert suggest(variable, app, turned) == found
