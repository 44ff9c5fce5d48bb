"""What is remembered of failures that ended: each once, the newest, and of each app the last from before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from desired.app import AppKey
from desired.cause import Cause
from nomad_operator.repair_ledger import RepairLedger
from nomad_operator.repair_view import past
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from reconcilers.record import Record
from reconcilers.repair.episode import Episode, Outcome

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
WEB = AppKey("default", "web")


def episode(number: int, outcome: Outcome | None = Outcome.REPAIRED) -> Episode:
    at = BEGIN + timedelta(minutes=number)
    return Episode(
        id=f"e{number}", spec_hash="a", written_hash="b",
        diagnosis=Diagnosis(FailureClass.OOM_KILLED, Cause.SPEC, "OOM"),
        hint="more memory", opened_at=at, failing_since=at, outcome=outcome,
        ended_at=at if outcome is not None else None,
    )  # fmt: skip


def record(*, last: Episode | None = None, current: Episode | None = None, key: AppKey = WEB) -> Record:
    return Record(key=key, origin="git", episode=current, last_episode=last)


def test_what_ends_is_known_once_and_the_newest_stands_first() -> None:
    ledger = RepairLedger(since=BEGIN)
    before = record()
    for number in (1, 2):
        ongoing = record(last=before.last_episode, current=episode(number, None))
        ledger.saved(before, ongoing)
        before = record(last=episode(number))
        ledger.saved(ongoing, before)
        ledger.saved(before, before)
    assert [one.episode.id for one in ledger.past([before])] == ["e2", "e1"]


def test_whether_it_lasted_is_added_later() -> None:
    ledger = RepairLedger(since=BEGIN)
    ended, held = record(last=episode(1)), record(last=replace(episode(1), durable=True))
    ledger.saved(record(current=episode(1, None)), ended)
    ledger.saved(ended, held)
    assert [one.episode.durable for one in ledger.past([held])] == [True]


def test_a_new_process_knows_the_last_one_of_each_app() -> None:
    records = [record(last=episode(5)), record(last=episode(7), key=AppKey("default", "api")), record()]
    records[2] = replace(records[2], key=AppKey("default", "new"))
    known = RepairLedger(since=BEGIN).past(records)
    assert [str(one.key) for one in known] == ["default/api", "default/web"]


def test_it_does_not_grow_without_end() -> None:
    ledger = RepairLedger(since=BEGIN, most=3)
    for number in range(10):
        ledger.saved(record(current=episode(number, None)), record(last=episode(number)))
    assert [one.episode.id for one in ledger.past([])] == ["e9", "e8", "e7"] and ledger.full


def test_a_row_tells_who_tried_and_what_helped() -> None:
    told = past(WEB, episode(1, Outcome.EXHAUSTED))
    assert (told["key"], told["rung"], told["outcome"], told["operations"]) == ("default/web", "none", "exhausted", [])
