"""What a plan says of times is read as people write times, and nothing else is changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.job.duration import parse_duration
from observers.nomad.plan_answer import plan
from observers.nomad.plan_values import readable


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("KillTimeout", "5000000000", "5s"),
        ("HealthyDeadline", "300000000000", "5m"),
        ("Interval", "1500000000", "1500ms"),
        ("Stagger", "90000000000", "90s"),
        ("Delay", "0", "0s"),
        ("Max", "240000000000", "4m"),
        ("Max", "10", "10"),
        ("Min", "0", "0"),
        ("Attempts", "5000000000", "5000000000"),
        ("Env[Timeout]", "5000000000", "5000000000"),
        ("timeout", "5000000000", "5000000000"),
        ("Interval", "", ""),
        ("Interval", "often", "often"),
    ],
)
def test_times_have_their_unit(name: str, value: str, told: str) -> None:
    assert readable(name, value) == told


@given(st.timedeltas(min_value=timedelta(milliseconds=1), max_value=timedelta(days=9000)))
def test_no_time_is_told_wrongly(time: timedelta) -> None:
    nanoseconds = round(time / timedelta(microseconds=1)) * 1000
    assert parse_duration(readable("Interval", str(nanoseconds))) == nanoseconds


def test_a_diff_shows_times_and_keeps_the_numbers_for_whoever_compares_them() -> None:
    field = {"Type": "Edited", "Name": "KillTimeout", "Old": "5000000000", "New": "30000000000"}
    diff = {"Type": "Edited", "ID": "web", "Fields": [field], "Objects": None, "TaskGroups": None}
    found = plan({"Diff": diff, "JobModifyIndex": 3, "Annotations": None})
    assert 'KillTimeout: "5s" => "30s"' in found.text
    assert [(one.old, one.new) for one in found.changes] == [("5000000000", "30000000000")]
