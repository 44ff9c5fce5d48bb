"""What is remembered survives as it was; what did not move is not looked at."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from desired.app import AppKey
from desired.cause import Cause
from desired.errors import StateUnusable
from desired.policy import Policy
from desired.reasons import Reason
from desired.state import DesiredApp, DesiredState, HclSource, Kind
from observers.running import Fleet, FleetEntry, Running, RunningJob
from reconcilers.decision import Condition, Decision, Remember, Rest, Step, Truth
from reconcilers.graph import mermaid, text
from reconcilers.record import Applied, Attempt, Correction, FailedSpec, LastGood, Record, Run, Withdrawal
from reconcilers.record_json import from_document, to_document
from reconcilers.reports import Reports, Transition
from reconcilers.resync import moved_in_git, moved_in_nomad
from reconcilers.spec import Spec, scaled_groups, with_counts
from reconcilers.steps import TABLE

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = AppKey("default", "web")
SPEC = Spec.of({"ID": "web", "TaskGroups": [{"Name": "web", "Count": 2}]}, text="job", format="hcl2")
FULL = Record(
    key=KEY, origin="here", path="web.nomad", kind="JobFile", prune=False, suspended=True, adopt=True,
    applied=Applied("s", 4, "h", "r", AT), last_good=LastGood(SPEC, 3, AT),
    attempt=Attempt("s", "h", 3, AT, AT, healthy_since=AT), run=Run("s", AT), withdrawal=Withdrawal(AT, True),
    failed=(FailedSpec("s", Reason.NO_PROGRESS, "m", Cause.TIME, AT, 2, AT),),
    corrections=(Correction("web/Count", "3", AT),), stopped_index=7,
)  # fmt: skip


@pytest.mark.parametrize("record", [FULL, Record(key=KEY, origin="here")])
def test_a_record_comes_back_from_json_as_it_was(record: Record) -> None:
    assert from_document("app", json.loads(json.dumps(to_document(record)))) == record


@pytest.mark.parametrize(
    "document",
    [{"version": 99, "record": {}}, {"version": "x"}, {}, {"version": 1, "record": {"key": 3}}],
)
def test_a_record_that_cannot_be_understood_is_refused_not_guessed(document: dict[str, object]) -> None:
    with pytest.raises(StateUnusable) as caught:
        from_document("app:default/web", document)
    assert caught.value.hint


def test_the_spec_hash_ignores_key_order_and_unset_keys_but_not_values() -> None:
    same = Spec.of(
        {"TaskGroups": [{"Count": 2, "Name": "web", "Meta": None}], "ID": "web"}, text="# comment", format="hcl2"
    )
    other = Spec.of({"ID": "web", "TaskGroups": [{"Name": "web", "Count": 3}]}, text="job", format="hcl2")
    assert same.hash == SPEC.hash != other.hash


def test_the_live_count_is_copied_only_for_groups_that_somebody_else_scales() -> None:
    body = {
        "TaskGroups": [
            {"Name": "web", "Count": 2, "Scaling": {"Enabled": None}},
            {"Name": "db", "Count": 1},
            {"Name": "off", "Count": 1, "Scaling": {"Enabled": False}},
        ]
    }
    assert scaled_groups(body) == {"web"}
    copied = with_counts(body, {"web": 7, "db": 7, "off": 7}, scaled_groups(body))
    assert [group["Count"] for group in copied["TaskGroups"]] == [7, 1, 1]


def test_a_contest_needs_the_same_field_from_the_same_value_within_the_hour() -> None:
    record = Record(key=KEY, origin="here")
    for minutes in (0, 20, 40):
        record = record.with_corrections((Correction("web/Count", "3", AT + timedelta(minutes=minutes)),))
    hour = timedelta(hours=1)
    assert record.contested("web/Count", "3", AT + timedelta(minutes=50), within=hour)
    assert not record.contested("web/Count", "4", AT + timedelta(minutes=50), within=hour)
    assert not record.contested("web/Count", "3", AT + timedelta(minutes=70), within=hour)


def test_both_drawings_show_every_step_and_every_edge_of_the_table() -> None:
    drawn = mermaid()
    for row in TABLE:
        assert row.step in text() and row.meaning in text()
        for follower in row.leads_to:
            assert f"{row.step} --> {follower}" in drawn
    assert len({row.step for row in TABLE}) == len(TABLE) == len(Step)


# -- resync


def entry(index: int = 5, **more: object) -> FleetEntry:
    return replace(FleetEntry(KEY, "service", "running", False, index, index, counts={"running": 1}), **more)  # type: ignore[arg-type]


def settled(index: int = 5, source_hash: str = "h", settled: bool = True) -> Reports:
    reports = Reports(now=lambda: AT)
    app = DesiredApp(KEY, Kind.JOB_FILE, "web.nomad", HclSource(""), source_hash, Policy())
    running = Running(KEY, RunningJob(KEY, "service", "running", 0, index, index, 1))
    action = Rest() if settled else Rest(settled=False)
    reports.decided(KEY, Decision(Step.STEADY, action, Truth.TRUE, Reason.HEALTHY, "ok"), app=app, running=running)
    return reports


def compare(reports: Reports, *fleets: Fleet) -> list[bool]:
    """Whether the app moved, for one resync after the other."""
    seen: dict[AppKey, object] = {}
    moved = []
    for fleet in fleets:
        found = moved_in_nomad(fleet, seen, {one.key: one for one in reports}, [KEY])  # type: ignore[arg-type]
        seen = dict(found.seen)
        moved.append(KEY in found.moved)
    return moved


def test_a_settled_app_that_looks_as_it_did_is_not_looked_at() -> None:
    fleet = Fleet(9, {KEY: entry()})
    assert compare(settled(), fleet, fleet, fleet) == [False, False, False]


@pytest.mark.parametrize(
    "changed",
    [{"job_modify_index": 6}, {"stop": True}, {"status": "dead"}, {"counts": {"running": 1, "failed": 1}},
     {"unhealthy": 1}, {"deployment_status": "failed"}],
)  # fmt: skip
def test_any_difference_is_a_reason_to_look(changed: dict[str, object]) -> None:
    fleet = Fleet(9, {KEY: entry()})
    assert compare(settled(), fleet, Fleet(10, {KEY: entry(**changed)})) == [False, True]


def test_a_job_that_is_gone_is_a_reason_to_look() -> None:
    assert compare(settled(), Fleet(9, {KEY: entry()}), Fleet(10, {})) == [False, True]


def test_a_change_between_the_pass_and_the_first_resync_is_not_taken_for_what_was_decided_on() -> None:
    assert compare(settled(index=5), Fleet(9, {KEY: entry(index=6)})) == [True]


def test_an_app_that_is_not_settled_is_looked_at() -> None:
    assert compare(settled(settled=False), Fleet(9, {KEY: entry()})) == [True]


def test_git_moves_new_changed_gone_and_unclear_apps_and_no_others() -> None:
    reports = {one.key: one for one in settled(source_hash="h")}
    app = DesiredApp(KEY, Kind.JOB_FILE, "web.nomad", HclSource(""), "h", Policy())
    other = AppKey("default", "new")
    assert moved_in_git(DesiredState("r", {KEY: app}), reports, [KEY]) == set()
    assert moved_in_git(DesiredState("r", {KEY: replace(app, source_hash="i")}), reports, [KEY]) == {KEY}
    assert moved_in_git(DesiredState("r", {}), reports, [KEY]) == {KEY}
    assert moved_in_git(DesiredState("r", {KEY: app, other: app}), reports, [KEY, other]) == {other}


# -- reports


def test_a_condition_keeps_its_transition_time_until_its_status_changes() -> None:
    times = iter([AT, AT + timedelta(minutes=1), AT + timedelta(minutes=2)])
    reports = Reports(now=lambda: next(times))
    told: list[Transition] = []
    reports.listen(told.append)
    for step, ready in ((Step.VERIFYING, Truth.UNKNOWN), (Step.SOAKING, Truth.UNKNOWN), (Step.STEADY, Truth.TRUE)):
        flags = {Condition.RECONCILING: (Reason.PROGRESSING, "x")} if ready is Truth.UNKNOWN else {}
        decision = Decision(step, Remember(FULL), ready, Reason.PROGRESSING, step.value, flags)
        reports.decided(KEY, decision, app=None, running=Running(KEY, None))
        found = reports.get(KEY)
        assert found is not None
        if step is Step.SOAKING:
            assert found.conditions[Condition.READY].since == AT
    assert found.conditions[Condition.READY].since == AT + timedelta(minutes=2)
    assert Condition.RECONCILING not in found.conditions
    assert [one.step for one in told] == [Step.VERIFYING, Step.SOAKING, Step.STEADY]
