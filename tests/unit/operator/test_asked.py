"""What is answered to a command: it promises nothing that no pass will do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from desired.app import AppKey
from desired.cause import Cause
from desired.errors import Unavailable, UsageError
from desired.reasons import Reason
from nomad_operator import status
from nomad_operator.asked import check, told
from reconcilers.decision import Step, Truth
from reconcilers.record import Applied, FailedSpec, Record
from reconcilers.reports import AppReport
from reconcilers.requests import Verb

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = AppKey("default", "web")
AWAY = Unavailable("list jobs at http://nomad: refused")
CLEAN = Record(key=KEY, origin="here")
LATER = NOW + timedelta(minutes=5)
FAILED = FailedSpec("a", Reason.PLACEMENT_FAILED, "no room", Cause.CLUSTER, NOW, retry_at=LATER)
STANDS = replace(CLEAN, failed=(FAILED,), applied=Applied("a", 7, "s", "r", NOW))
RAN = replace(STANDS, failed=(replace(FAILED, reason=Reason.RUN_FAILED, retry_at=None),))
ROLLED_BACK = replace(STANDS, applied=Applied("b", 7, "s", "r", NOW))


def report(step: Step) -> AppReport:
    return AppReport(KEY, step, Truth.FALSE, "Reason", "message", True, MappingProxyType({}), NOW)


@pytest.mark.parametrize(
    ("verb", "step", "record", "nomad", "mode", "words", "not_said"),
    [
        (Verb.RECONCILE, Step.STEADY, CLEAN, None, "act", "is looked at now", "again"),
        (Verb.RECONCILE, Step.STEADY, ROLLED_BACK, None, "act", "what failed before is tried again", "stands"),
        (Verb.RECONCILE, Step.LEFT_FAILED, STANDS, None, "act", "again if nothing of it runs", "is tried again"),
        (Verb.RECONCILE, Step.LEFT_FAILED, RAN, None, "act", "the run is started again, unless", "not started"),
        (Verb.RECONCILE, Step.STEADY, CLEAN, AWAY, "act", "once Nomad answers again", "now"),
        (Verb.RECONCILE, Step.STEADY, CLEAN, None, "observe", "nothing is written to Nomad", "again"),
        (Verb.ADOPT, Step.ADOPTION_REQUIRED, CLEAN, None, "act", "is taken over", "once"),
        (Verb.ADOPT, Step.ADOPTION_REQUIRED, CLEAN, AWAY, "observe", "is taken over, once Nomad answers", "now"),
        (Verb.RESUME, Step.SUSPENDED, CLEAN, AWAY, "act", "goes on, once Nomad answers", "now"),
        (Verb.SUSPEND, Step.STEADY, CLEAN, AWAY, "act", "is left alone from now on", "Nomad"),
    ],
)
def test_the_answer_says_what_will_follow(
    verb: Verb, step: Step, record: Record, nomad: Unavailable | None, mode: str, words: str, not_said: str
) -> None:
    text = told(verb, report(step), record, nomad=nomad, mode=mode)
    assert words in text and not_said not in text.replace("MODE=observe", ""), text


def test_what_git_suspends_is_not_said_to_go_on() -> None:
    said = told(Verb.RESUME, report(Step.SUSPENDED), CLEAN, nomad=None, mode="act", held_by_file=True)
    assert said == "stays suspended: its manifest says `suspend: true`"


@pytest.mark.parametrize("seen", [report(Step.STEADY), report(Step.VERIFYING), None])
def test_only_what_asks_for_it_can_be_adopted(seen: AppReport | None) -> None:
    with pytest.raises(UsageError, match="does not ask to be taken over"):
        check(Verb.ADOPT, seen, CLEAN)
    check(Verb.ADOPT, report(Step.ADOPTION_REQUIRED), CLEAN)
    check(Verb.RECONCILE, seen, CLEAN)


@pytest.mark.parametrize(
    ("step", "record", "again"),
    [(Step.LEFT_FAILED, STANDS, None), (Step.STEADY, ROLLED_BACK, "2026-01-01T00:05:00Z")],
)
def test_status_promises_another_try_only_where_one_will_be_made(step: Step, record: Record, again: str | None) -> None:
    assert status.app(report(step), record, ())["failed"][0]["retryAt"] == again


@pytest.mark.parametrize(
    ("verb", "mode", "stopped", "words", "not_said"),
    [
        (Verb.APPROVE, "act", False, "it is tried now", "nothing is written"),
        (Verb.APPROVE, "act", True, "nothing is written while repairs are stopped", "tried now"),
        (Verb.APPROVE, "observe", False, "nothing is written to Nomad", "tried now"),
        (Verb.REVERT, "act", True, "repairs start", "stays so"),
        (Verb.REJECT, "act", True, "not proposed again", "repairs start"),
    ],
)
def test_a_decision_about_a_repair_says_whether_anything_is_written(
    verb: Verb, mode: str, stopped: bool, words: str, not_said: str
) -> None:
    said = told(verb, None, CLEAN, nomad=None, mode=mode, repairs_stopped=stopped)
    assert words in said
    assert not_said not in said
