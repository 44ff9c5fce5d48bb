"""The small measures that rules share: what fits on nodes, sizes as Docker writes them, durations as Go does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcilers.repair.rules.driver_keys import environment_of, megabytes, split
from reconcilers.repair.rules.restarts import duration
from reconcilers.repair.rules.room import fitting

SECOND = 10**9


@pytest.mark.parametrize(
    ("free", "count", "size"),
    [
        ((6000, 2000), 1, 6000),
        ((6000, 2000), 2, 3000),
        ((6000, 2000), 3, 2000),
        ((6000, 2000), 4, 2000),
        ((6000, 2000), 5, 1500),
        ((0, -5), 1, 0),
        ((), 1, 0),
        ((3,), 5, 0),
    ],
)
def test_the_largest_size_that_fits_so_often(free: tuple[int, ...], count: int, size: int) -> None:
    assert fitting(free, count) == size


@given(st.lists(st.integers(0, 60), max_size=4), st.integers(1, 6))
def test_no_larger_size_fits_so_often(free: list[int], count: int) -> None:
    size = fitting(free, count)
    assert size == 0 or sum(room // size for room in free) >= count
    assert not any(sum(room // more for room in free) >= count for more in range(size + 1, 62))


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("512m", 512),
        ("1g", 1024),
        ("512MB", 512),
        ("2Gi", 2048),
        (536870912, 512),
        (256, 256),
        ("64k", 0),
        ("lots", None),
    ],
)
def test_a_size_as_docker_writes_it(told: Any, found: int | None) -> None:
    assert megabytes(told) == found


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("5s", 5 * SECOND),
        ("1m30s", 90 * SECOND),
        ("10m0s", 600 * SECOND),
        ("500ms", SECOND // 2),
        ("1.5h", 5400 * SECOND),
        ("", None),
        ("soon", None),
        ("5s later", None),
    ],
)
def test_a_duration_as_go_writes_it(told: str, found: int | None) -> None:
    assert duration(told) == found


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"A": "b", "N": 1, "ON": True}, {"A": "b", "N": "1", "ON": "true"}),
        ([{"A": "b"}], {"A": "b"}),
        (["A=b=c", "B="], {"A": "b=c", "B": ""}),
        (["A"], None),
        ("A=b", {"A": "b"}),
        ({"A": {"nested": 1}}, None),
        ({"not a name": "x"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_an_environment_in_whatever_shape(told: Any, found: dict[str, str] | None) -> None:
    assert environment_of(told) == found


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("npm start", ("npm", "start")),
        ("a 'b c'", ("a", "b c")),
        ("a && b", None),
        ("echo $HOME", None),
        ("a 'b", None),
    ],
)
def test_a_command_line_in_words_unless_a_shell_is_needed(told: str, found: tuple[str, ...] | None) -> None:
    assert split(told) == found
