"""`explain` and `repairs`: what people read, and what reaches the daemon."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from desired.app import AppKey
from desired.cause import Cause
from desired.operations.operation import Kind, Operation
from nomad_operator import repair_view
from nomad_operator.cli import main
from nomad_operator.commands.repair_words import listed, report
from nomad_operator.commands.table import Style
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from reconcilers.record import Record
from reconcilers.repair.episode import Episode, Kept, Outcome, Try, TryState
from reconcilers.repair.proposal import Rung

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PLAIN = Style(color=False, width=None)
FOUND = Diagnosis(
    FailureClass.OOM_KILLED, Cause.SPEC, "OOM Killed \x1b[2J", group="web", task="app", facts={"limit": "64"}
)
MORE = Operation(Kind.MEMORY, ("web", "app"), 64, 128)
TRY = Try(
    state=TryState.WAITING, diagnosis=FOUND, operations=(MORE,), trial=(MORE,), rung=Rung.RULE, source="memory",
    reason="it was killed at its limit", hash="3f2a9c41d07be815", at=NOW,
)  # fmt: skip
EPISODE = Episode(
    id="e1", spec_hash="a", written_hash="a", diagnosis=FOUND, hint="give it more", opened_at=NOW, failing_since=NOW,
    evidence=("03:04:05 task app: Terminated: OOM Killed",), tries=(TRY,),
)  # fmt: skip
RECORD = Record(key=AppKey("default", "web"), origin="somewhere")


def told(record: Record) -> str:
    answer = json.loads(json.dumps(repair_view.story(record)))
    return "\n".join(report(answer, NOW + timedelta(minutes=5), PLAIN))


def test_a_report_says_what_failed_why_what_is_proposed_and_how_to_decide() -> None:
    text = told(replace(RECORD, episode=EPISODE))
    for words in (
        "default/web: oom_killed",
        "group web, task app",
        "the job itself must change",
        "give it more",
        "03:04:05 task app: Terminated: OOM Killed",
        "attempt 1: waits for your approval",
        "memory of web/app: 64 MB → 128 MB",
        "it was killed at its limit (rule: memory)",
        "nomad-operator repairs approve default/web --proposal 3f2a9c41d07be815",
    ):
        assert words in text, text
    assert "\x1b" not in text


def test_a_report_of_a_repair_says_that_it_held_and_by_what_git_differs() -> None:
    verified = replace(TRY, state=TryState.VERIFIED)
    closed = replace(EPISODE, tries=(verified,)).ended(Outcome.REPAIRED, "it was killed at its limit", NOW)
    kept = Kept(MORE, "it was killed at its limit", Rung.RULE, "e1", NOW)
    text = told(replace(RECORD, last_episode=replace(closed, durable=True), overlay=(kept,)))
    assert "repaired, and verified healthy" in text
    assert "it held for half an hour" in text
    assert "git and cluster differ by these repairs" in text


@pytest.mark.parametrize("outcome", Outcome)
def test_every_way_to_end_is_told_in_words(outcome: Outcome) -> None:
    text = told(replace(RECORD, last_episode=EPISODE.ended(outcome, "so it was", NOW)))
    assert "so it was" in text
    assert f"  {outcome.value}\n" not in text


@pytest.mark.parametrize("state", TryState)
def test_every_state_of_a_try_is_told_in_words(state: TryState) -> None:
    assert "attempt 1: " in told(replace(RECORD, episode=replace(EPISODE, tries=(replace(TRY, state=state),))))


def test_an_app_that_never_failed_says_so() -> None:
    assert told(RECORD) == "default/web: nothing has failed since this operator knows it"


def test_the_list_shows_what_waits_what_is_tried_and_what_differs() -> None:
    kept = Kept(MORE, "because", Rung.RULE, "e1", NOW)
    apps = [
        {"key": "default/a", "episode": repair_view.episode(EPISODE), "overlay": []},
        {
            "key": "default/b",
            "episode": repair_view.episode(replace(EPISODE, tries=(replace(TRY, state=TryState.OPEN),))),
            "overlay": repair_view.overlay((kept,)),
        },
    ]
    text = "\n".join(listed({"repairs": "on", "apps": apps}, NOW, PLAIN))
    assert "3f2a9c41d07be815" in text
    assert "UNDER REPAIR" in text
    assert "DIFFERS FROM GIT" in text


def test_a_secret_in_an_operation_is_never_shown() -> None:
    secret = Operation(Kind.ENV, ("web", "app", "DB_PASSWORD"), "hunter2hunter2", "hunter3hunter3")
    shown = replace(TRY, operations=(secret,), trial=(secret,))
    record = replace(
        RECORD,
        episode=replace(EPISODE, tries=(shown,)),
        overlay=(Kept(secret, "because", Rung.RULE, "e1", NOW),),
    )
    assert "hunter" not in json.dumps(repair_view.story(record))
    assert "hunter" not in told(record)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["repairs", "approve"], "needs an app"),
        (["repairs", "stop", "web"], "takes no app"),
        (["repairs", "list", "--rollback"], "--rollback belongs to repairs stop"),
        (["repairs", "reject", "web", "--proposal", "x"], "--proposal belongs to repairs approve"),
        (["repairs", "aprove", "web"], "did you mean approve"),
    ],
)
def test_wrong_arguments_are_told(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_plain_words_are_told_as_the_models_own() -> None:
    answer = json.loads(json.dumps(repair_view.story(replace(RECORD, episode=EPISODE))))
    said = {**answer, "plainly": {"text": "It ran out\x1b of memory.", "by": "model"}}
    text = "\n".join(report(said, NOW, PLAIN))
    assert "in plain words, by the model\n  It ran out of memory." in text
    assert "by the model" not in "\n".join(report({**answer, "plainly": None}, NOW, PLAIN))
