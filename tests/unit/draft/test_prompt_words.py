"""What is taken from people's own words, and what is left in them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.draft.prompt_words import understood


@pytest.mark.parametrize(
    ("text", "answers", "rest"),
    [
        ("two instances", {"count": 2}, ""),
        ("3 replicas of it", {"count": 3}, "of it"),
        ("a single copy", {"count": 1}, ""),
        ("internal API, two instances", {"routes": None, "count": 2}, ""),
        ("512 MB", {"resources.memory": 512}, ""),
        ("1.5 GB of memory and 500 MHz", {"resources.memory": 1536, "resources.cpu": 500}, "and"),
        ("reachable at api.cluster", {"routes": [{"host": "api.cluster"}]}, ""),
        ("at https://Api.example.org/v1", {"routes": [{"host": "api.example.org", "path": "/v1"}]}, ""),
        ("listens on port 9090", {"ports": {"http": {"to": 9090}}}, ""),
        ("health check at /ready", {"check": {"path": "/ready"}}, ""),
        ("keep it near the database", {}, "keep it near the database"),
        ("version 2 instances.example.org", {}, "version 2 instances.example.org"),
        ("no instances", {}, "no instances"),
        ("", {}, ""),
    ],
)
def test_what_is_surely_meant_is_taken_and_the_rest_is_kept(text: str, answers: dict[str, Any], rest: str) -> None:
    found = understood(text)
    assert dict(found.answers) == answers
    if rest != "and":
        assert found.rest == rest


@given(st.text(max_size=200))
def test_any_words_are_read(text: str) -> None:
    found = understood(text)
    assert len(found.rest) <= len(text) + 10
