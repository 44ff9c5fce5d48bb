"""A job with a `scaling` block plans as Edited although nothing is to be done; that must not be fought over."""

from __future__ import annotations

from pathlib import Path

from observers.nomad.plan_answer import plan
from tests import recordings_reader

MORE = Path(recordings_reader.__file__).parent / "recordings" / "nomad-2.0.5-more"


def test_a_plan_that_only_shows_an_empty_scaling_object_is_settled() -> None:
    recording = recordings_reader.read("scaling", MORE)
    plans = [plan(one.body) for one in recording.exchanges if one.path.endswith("/plan") and one.status == 200]
    only_scaling = [one for one in plans if one.diff_type == "Edited" and not one.changes]
    assert only_scaling, "the recording holds such a plan"
    assert all(one.settled for one in only_scaling)


def test_a_plan_of_a_scaled_job_that_changes_a_field_is_not_settled() -> None:
    recording = recordings_reader.read("scaling", MORE)
    plans = [plan(one.body) for one in recording.exchanges if one.path.endswith("/plan") and one.status == 200]
    assert any(one.changes and not one.settled for one in plans)
