"""What is remembered of secrets is bounded, and never that of another job."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observers.job_secrets import known_in
from observers.known_secrets import KnownSecrets
from observers.redaction import Placeholders

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["TaskGroups", "Tasks", "Env", "Templates", "Config", "args", "EmbeddedTmpl", "TOKEN"]), inner,
        max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


def body(secret: str) -> dict[str, Any]:
    return {"TaskGroups": [{"Tasks": [{"Env": {"TOKEN": secret}}]}]}


@given(st.lists(st.integers(0, 6), max_size=40))
def test_what_is_remembered_is_what_would_be_found(asked: list[int]) -> None:
    known = KnownSecrets(most_jobs=3)
    for number in asked:
        job = body(f"secret-{number}")
        assert known.of(job) == known_in(job) == {f"secret-{number}"}
        assert len(known) <= 3


@given(st.dictionaries(st.sampled_from(["TaskGroups", "Meta", "ID"]), JSON))
def test_a_job_of_any_shape_is_looked_through(job: dict[str, Any]) -> None:
    """A JSON job file may be shaped like none; it is refused, and the words of the refusal are redacted, too."""
    assert all(len(secret) >= 4 for secret in known_in(job))


@pytest.mark.parametrize("job", [{"TaskGroups": {"a": 1}}, {"TaskGroups": [{"Tasks": ["x"]}]}, {"TaskGroups": "x"}])
def test_a_part_of_another_shape_is_no_part(job: dict[str, Any]) -> None:
    assert known_in(job) == set()


def test_of_very_many_secrets_those_met_longest_ago_are_forgotten_and_no_number_is_given_twice() -> None:
    placeholders = Placeholders(most=3)
    first = [placeholders.of(secret) for secret in ("aaaa", "bbbb", "cccc", "aaaa", "dddd")]
    assert first == ["«secret:1»", "«secret:2»", "«secret:3»", "«secret:1»", "«secret:4»"]
    shown = placeholders.restore(" ".join(first), among={"aaaa", "bbbb", "cccc", "dddd"})
    assert shown == "aaaa «secret:2» cccc aaaa dddd"
    assert placeholders.of("bbbb") == "«secret:5»"
