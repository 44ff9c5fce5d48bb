"""The table of failures is whole: a row for each class, and each row keeps its promises."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import timedelta

import pytest

from desired.cause import Cause
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from observers.failures.row import Row
from observers.failures.table import ROWS, TABLE, advice, cause_of

# Parts of a pattern that a recogniser reads and turns into a documented fact.
_INTERNAL = {"file", "floor"}
_PLACES = {"group", "task", "service", "check", "port"}


def test_every_class_has_exactly_one_row() -> None:
    assert sorted(row.failure.value for row in ROWS) == sorted(one.value for one in FailureClass)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.failure.value)
def test_a_row_says_how_it_is_recognised_and_documents_what_its_words_give(row: Row) -> None:
    named = {name.removesuffix("_2") for words in row.words for name in words.pattern.groupindex} - _INTERNAL
    assert row.words or row.seen
    assert named <= set(row.facts)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.failure.value)
def test_the_advice_names_only_facts_that_the_row_documents(row: Row) -> None:
    named = {name for _, name, _, _ in string.Formatter().parse(row.advice) if name}
    assert named <= set(row.facts) | _PLACES
    assert row.advice.format_map(dict.fromkeys(named, "x"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.failure.value)
def test_what_the_job_cannot_mend_is_not_said_to_be_mended_by_it(row: Row) -> None:
    assert set(row.spec_with) <= set(row.facts)
    if row.cause is Cause.NONE:
        assert not row.may_help
    if row.spec_with:
        assert row.cause is not Cause.SPEC and row.may_help


def test_a_cause_turns_when_the_failure_lasts_and_when_the_facts_say_so() -> None:
    unreachable, missing = TABLE[FailureClass.REGISTRY_UNREACHABLE], TABLE[FailureClass.VARIABLE_MISSING]
    assert cause_of(unreachable, {}, timedelta(minutes=1)) is Cause.TIME
    assert cause_of(unreachable, {}, timedelta(minutes=6)) is Cause.EXTERNAL
    assert cause_of(missing, {}, timedelta(hours=1)) is Cause.EXTERNAL
    assert cause_of(missing, {"near": "nomad/jobs/web"}, timedelta(0)) is Cause.SPEC


def test_advice_is_whole_where_facts_are_missing() -> None:
    told = Diagnosis(FailureClass.MEMORY_EXHAUSTED, Cause.SPEC, "memory", facts={"asked": "9000"})
    assert advice(told) == "no node has 9000 MB of memory free (at most ?): ask for less, or add nodes"


def test_a_crash_without_a_word_is_told_as_that() -> None:
    told = Diagnosis(FailureClass.CRASH, Cause.UNKNOWN, "crash", task="app", facts={"exit_code": "1", "line": ""})
    assert advice(told) == "app ends with exit code 1; its log says: nothing that tells why"
    assert advice(replace(told, facts={"exit_code": "1", "line": "boom"})).endswith("its log says: boom")
