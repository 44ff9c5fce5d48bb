"""How much is repaired at once and in an hour, and whose turn it is when a place is free."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from desired.app import AppKey
from desired.cause import Cause
from desired.operations.operation import Kind, Operation
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from reconcilers.record import Record
from reconcilers.repair.budget import Budget, BudgetSettings
from reconcilers.repair.episode import Episode, Try, TryState
from reconcilers.repair.proposal import Rung

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MEMORY = Operation(Kind.MEMORY, ("app", "app"), 64, 128)
DIAGNOSIS = Diagnosis(FailureClass.OOM_KILLED, Cause.SPEC, "killed for want of memory")


def key(name: str) -> AppKey:
    return AppKey("default", name)


class Fleet:
    """Records that change, a budget over them, and who was woken."""

    def __init__(self, *, at_once: int = 1, per_hour: int = 30) -> None:
        self.known: dict[AppKey, Record] = {}
        self.woken: list[str] = []
        settings = BudgetSettings(per_hour=per_hour, at_once=at_once)
        self.budget = Budget(
            settings=settings, records=_Values(self.known), wake=lambda one: self.woken.append(one.name)
        )

    def refused(self, *names: str) -> list[str]:
        return [name for name in names if self.budget.refusal(key(name), NOW)]

    def tries(self, name: str, *, waits: bool = False) -> None:
        assert not self.budget.reserve(key(name), NOW)
        state = TryState.WAITING if waits else TryState.OPEN
        one = Try(
            state=state, diagnosis=DIAGNOSIS, operations=(MEMORY,), trial=(MEMORY,), rung=Rung.RULE, source="memory",
            reason="it was killed", hash="proposal", at=NOW, spec_hash="made",
        )  # fmt: skip
        made = Episode(
            id="e", spec_hash="failed", written_hash="failed", diagnosis=DIAGNOSIS, hint="", opened_at=NOW,
            failing_since=NOW, tries=(one,), trial=() if waits else (MEMORY,),
        )  # fmt: skip
        self.save(replace(Record(key=key(name), origin="here"), episode=made))
        self.budget.release(key(name))

    def ends(self, name: str) -> None:
        record = self.known[key(name)]
        assert record.episode is not None
        self.save(replace(record, episode=None, last_episode=replace(record.episode, trial=(), ended_at=NOW)))

    def save(self, record: Record) -> None:
        before = self.known.get(record.key, Record(key=record.key, origin="here"))
        self.known[record.key] = record
        self.budget.saved(before, record)


class _Values(Iterable[Record]):
    def __init__(self, known: dict[AppKey, Record]) -> None:
        self._known = known

    def __iter__(self) -> Iterator[Record]:
        return iter(self._known.values())


def test_who_waited_longest_is_woken_when_a_place_is_free_and_nobody_else() -> None:
    fleet = Fleet()
    fleet.tries("a")
    assert fleet.refused("b", "c", "b") == ["b", "c", "b"]
    assert fleet.woken == []
    fleet.ends("a")
    assert fleet.woken == ["b"]
    fleet.tries("b")
    assert fleet.woken == ["b"]
    fleet.ends("b")
    assert fleet.woken == ["b", "c"]


def test_a_repair_that_waits_for_a_person_takes_no_place() -> None:
    fleet = Fleet()
    assert not fleet.budget.reserve(key("a"), NOW)
    assert fleet.refused("b") == ["b"]
    fleet.tries("a", waits=True)
    assert fleet.woken == ["b"]


def test_who_needs_no_place_any_more_is_not_woken() -> None:
    fleet = Fleet(at_once=2)
    fleet.tries("a")
    fleet.tries("b")
    assert fleet.refused("c", "d") == ["c", "d"]
    fleet.ends("a")
    assert fleet.refused("d") == []
    fleet.ends("b")
    assert fleet.woken == ["c"]


def test_a_place_that_is_free_does_not_help_where_the_hour_is_used_up() -> None:
    fleet = Fleet(per_hour=1)
    fleet.tries("a")
    fleet.ends("a")
    assert fleet.refused("b") == ["b"]
    assert fleet.budget.refusal(key("b"), NOW + timedelta(hours=1, seconds=1)) == ""
