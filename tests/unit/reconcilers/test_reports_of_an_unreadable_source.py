"""While git cannot be read every app says so and why, and nothing else about it changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from desired.app import AppKey
from desired.errors import Unavailable
from desired.git_errors import error_of, failure
from desired.reasons import Reason
from observers.running import Running
from reconcilers.decision import Condition, Decision, Rest, Step, Truth
from reconcilers.reports import Reports, Transition

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEYS = [AppKey("default", "api"), AppKey("default", "web")]
AWAY = Unavailable("look at git: connection refused", hint="is the server up?")


class Clock:
    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at


def steady(reports: Reports, key: AppKey) -> None:
    reports.decided(
        key, Decision(Step.STEADY, Rest(), Truth.TRUE, Reason.HEALTHY, "ok"), app=None, running=Running(key, None)
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reports(clock: Clock) -> Reports:
    made = Reports(now=clock)
    for key in KEYS:
        steady(made, key)
    return made


def test_every_app_says_it_with_the_cause_and_stays_ready(reports: Reports) -> None:
    before = {one.key: one for one in reports}
    reports.source_read(AWAY)
    for key in KEYS:
        report = reports.get(key)
        assert report is not None
        failed = report.conditions[Condition.OBSERVE_FAILED]
        assert (failed.status, failed.reason) == (Truth.TRUE, "SourceUnavailable")
        assert "last good revision stays in force" in failed.message
        assert "connection refused" in failed.message and "is the server up?" in failed.message
        assert (report.ready, report.reason, report.settled) == (Truth.TRUE, "Healthy", True)
        assert report.conditions[Condition.READY] == before[key].conditions[Condition.READY]
    assert [one.conditions.keys() for one in reports] == [report.conditions.keys()] * 2


def test_it_is_gone_with_the_first_look_that_works(reports: Reports) -> None:
    before = list(reports)
    reports.source_read(AWAY)
    reports.source_read(None)
    assert list(reports) == before


def test_a_hundred_failed_looks_tell_nobody_and_keep_the_time_of_the_first(reports: Reports, clock: Clock) -> None:
    told: list[Transition] = []
    reports.listen(told.append)
    for minute in range(100):
        clock.at = AT + timedelta(minutes=minute)
        reports.source_read(Unavailable(f"look at git: try {minute}"))
    steady(reports, KEYS[0])
    assert told == []
    for report in reports:
        failed = report.conditions[Condition.OBSERVE_FAILED]
        assert failed.since == AT and "try 99" in failed.message
        assert report.conditions[Condition.READY].since == AT


def test_an_app_that_is_seen_for_the_first_time_meanwhile_says_it_too(reports: Reports) -> None:
    reports.source_read(AWAY)
    new = AppKey("default", "new")
    steady(reports, new)
    report = reports.get(new)
    assert report is not None and Condition.OBSERVE_FAILED in report.conditions


def test_what_a_pass_could_not_read_of_an_app_itself_is_told_before(reports: Reports) -> None:
    reports.source_read(AWAY)
    reports.unobserved(KEYS[0], Unavailable("plan default/api: no leader"))
    own, other = (one.conditions[Condition.OBSERVE_FAILED] for one in reports)
    assert (own.reason, "no leader" in own.message) == ("Unavailable", True)
    assert other.reason == "SourceUnavailable"
    steady(reports, KEYS[0])
    assert next(iter(reports)).conditions[Condition.OBSERVE_FAILED].reason == "SourceUnavailable"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("fatal: unable to access 'https://git/': Failed to connect to git port 443", "SourceUnavailable"),
        ("fatal: couldn't find remote ref refs/heads/main", "SourceUnavailable"),
        ("fatal: Authentication failed for 'https://git/'", "SourceUnavailable"),
        ("fatal: repository 'https://git/' not found", "SourceUnavailable"),
        ("error: object file is corrupt", "SourceUnavailable"),
        ("Host key verification failed.", "HostKeyRefused"),
    ],
)
def test_the_reason_is_gits_alone_whatever_the_error_is_called(reports: Reports, words: str, reason: str) -> None:
    reports.source_read(error_of(failure(words), doing="look at git", where="https://git/"))
    assert {one.conditions[Condition.OBSERVE_FAILED].reason for one in reports} == {reason}
    assert all(words.split(": ")[-1] in one.conditions[Condition.OBSERVE_FAILED].message for one in reports)
