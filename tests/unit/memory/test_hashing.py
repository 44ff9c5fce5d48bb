"""The built-in embedding: the same everywhere, of one length, and alike where the words are alike."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.memory.hashing import DIMENSIONS, Hashing


def likeness(one: str, other: str) -> float:
    first, second = Hashing().vector(one), Hashing().vector(other)
    return sum(a * b for a, b in zip(first, second, strict=True))


@given(st.text())
def test_every_text_has_a_vector_of_length_one(text: str) -> None:
    found = Hashing().vector(text)
    assert len(found) == DIMENSIONS
    assert math.isclose(math.hypot(*found), 1.0, rel_tol=1e-9)


def test_it_is_the_same_in_every_process() -> None:
    """Vectors are compared with those of years ago: what is stored must be found again."""
    found = Hashing().vector("killed for want of memory")
    assert {number for number, value in enumerate(found) if abs(value) > 0.25} == {
        43, 52, 122, 227, 232, 240, 324, 364, 373,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        (
            "oom_killed task <name> terminated",
            "oom_killed task <name> was terminated",
            "check <name> connection refused",
        ),
        ("connection refused by <host>", "<host> refused the connection", "killed for want of memory"),
        ("KeyError: 'DATABASE_URL'", "keyerror: 'database_url' is missing", "no such file or directory"),
        ("label not found", "labels not found", "permission denied"),
    ],
)
def test_what_shares_words_is_nearer(text: str, near: str, far: str) -> None:
    assert likeness(text, near) > likeness(text, far) + 0.2
    assert likeness(text, text) == pytest.approx(1.0)


def test_another_order_of_the_words_is_not_the_same() -> None:
    assert likeness("a before b in the list", "b before a in the list") < 0.999
