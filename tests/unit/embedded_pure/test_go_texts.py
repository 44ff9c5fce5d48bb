"""Durations and lists of errors as Go prints them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomad_operator.embedded import gotext
from nomad_operator.embedded.flatten import text


@pytest.mark.parametrize(
    ("nanoseconds", "printed"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1500, "1.5µs"),
        (250_000_000, "250ms"),
        (1_500_000_000, "1.5s"),
        (90_000_000_000, "1m30s"),
        (3_600_000_000_000, "1h0m0s"),
        (5_400_000_000_001, "1h30m0.000000001s"),
        (-2_000_000_000, "-2s"),
    ],
)
def test_a_duration_reads_as_in_go(nanoseconds: int, printed: str) -> None:
    assert gotext.duration(nanoseconds) == printed


@given(st.integers(min_value=0, max_value=2**62))
def test_no_two_durations_read_the_same(nanoseconds: int) -> None:
    assert gotext.duration(nanoseconds) != gotext.duration(nanoseconds + 1)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (1e6, "1e+06"),
        (12345678.0, "1.2345678e+07"),
        (123456.5, "123456.5"),
        (1e-05, "1e-05"),
        (2.5, "2.5"),
        (100000.0, "100000"),
        (-1e6, "-1e+06"),
    ],
)
def test_a_float_reads_as_in_go(value: float, printed: str) -> None:
    assert text(value) == printed


def test_lists_of_errors_nest_without_further_indentation() -> None:
    inner = gotext.errors(["a", "b"])
    assert inner == "2 errors occurred:\n\t* a\n\t* b\n\n"
    assert gotext.errors([inner]) == "1 error occurred:\n\t* 2 errors occurred:\n\t* a\n\t* b\n\n\n\n"
    assert gotext.errors([]) == ""
