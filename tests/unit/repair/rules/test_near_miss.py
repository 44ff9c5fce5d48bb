"""What counts as a misspelling of what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcilers.repair.rules.near_miss import edits, near_miss, near_misses
from reconcilers.repair.rules.template_names import near_path

WORDS = st.text("abcdexyz-_19", max_size=9)


@pytest.mark.parametrize(
    ("word", "choices", "meant"),
    [
        ("htpp", ("http", "admin"), "http"),
        ("HTTP", ("http", "admin"), "http"),
        ("workDir", ("work_dir", "workers"), "work_dir"),
        ("db-password", ("db_password", "db_passwords"), "db_password"),
        ("gup", ("gpu", "cpu"), "gpu"),
        ("pasword", ("password",), "password"),
        ("passwrd", ("password",), "password"),
        ("pswrd", ("password",), None),  # three edits
        ("eu-west", ("eu-west",), None),  # it is right already
        ("rack1", ("rack2",), None),  # a sibling
        ("rack", ("rack2",), None),
        ("r12", ("r21",), None),
        ("db", ("qa", "dc"), None),  # half of the word
        ("api", ("app",), None),  # a word of its own
        ("weeb", ("webb", "weob"), None),  # two are as near
        ("colour", ("color", "colours", "cooler"), None),
        ("", ("a",), None),
        ("a", (), None),
        ("Linux", ("linux", "LINUX"), None),  # both differ in case only
    ],
)
def test_a_misspelling_is_near_to_exactly_one_word(word: str, choices: tuple[str, ...], meant: str | None) -> None:
    assert near_miss(word, choices) == meant


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [("", "", 0), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("abc", "axc", 1), ("abcd", "badc", 2)],
)
def test_an_exchange_of_neighbours_is_one_edit(one: str, other: str, far: int) -> None:
    assert edits(one, other) == far


@given(WORDS, WORDS)
def test_edits_count_the_same_both_ways_and_none_only_for_the_same_word(one: str, other: str) -> None:
    assert edits(one, other) == edits(other, one)
    assert (edits(one, other) == 0) is (one == other)


@given(WORDS, st.lists(WORDS, max_size=5))
def test_what_is_meant_is_a_choice_and_the_order_of_choices_decides_nothing(word: str, choices: list[str]) -> None:
    found = near_miss(word, choices)
    assert found is None or (found in choices and found != word)
    assert near_misses(word, choices) == near_misses(word, reversed(choices))


@pytest.mark.parametrize(
    ("path", "there", "meant"),
    [
        ("secret/web/databse", {"secret/web/database", "secret/web/cache"}, "secret/web/database"),
        ("nomad/jobs/wbe", {"nomad/jobs/web"}, "nomad/jobs/web"),
        ("web/confg/url", {"web/config/url", "web/config/user"}, "web/config/url"),
        ("nomad/jobs/api", {"nomad/jobs/app"}, None),  # a word of its own
        ("wbe/confg/url", {"web/config/url"}, None),  # two parts differ
        ("web/config/db1", {"web/config/db2"}, None),
    ],
)
def test_a_path_is_misspelt_in_one_part_only(path: str, there: set[str], meant: str | None) -> None:
    assert near_path(path, there) == meant
