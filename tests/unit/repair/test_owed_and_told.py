"""What git is owed, on which branch, and the words of the commit: pure, by tables and properties."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from desired.cause import Cause
from desired.edited_file import ByHand
from desired.operations.operation import Kind as Op
from desired.operations.operation import Operation
from desired.policy import Policy, Repair, RepairMode
from desired.state import DesiredApp, HclSource, Kind
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from reconcilers.record import Record
from reconcilers.repair.closing import settle
from reconcilers.repair.commit_message import commit_message
from reconcilers.repair.episode import Episode, Kept, Outcome, Try, TryState
from reconcilers.repair.owed import WriteBackTo, branch_of, owed
from reconcilers.repair.proposal import Rung
from reconcilers.repair.written import Note, WrittenBack, noted
from reconcilers.spec import Spec

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MEMORY = Operation(Op.MEMORY, ("app", "app"), 64, 128)
MORE = Operation(Op.MEMORY, ("app", "app"), 128, 256)
CPU = Operation(Op.CPU, ("app", "app"), 100, 200)
DIAGNOSIS = Diagnosis(FailureClass.OOM_KILLED, Cause.SPEC, "killed for want of memory")
WRITTEN = Spec.of({"ID": "web", "Version": 1}, text="", format="hcl2")
MERGED = Spec.of({"ID": "web", "Version": 2}, text="", format="hcl2")
OTHER = Spec.of({"ID": "web", "Version": 3}, text="", format="hcl2")


def app(name: str = "web", source_hash: str = "one", **policy: Any) -> DesiredApp:
    return DesiredApp(
        AppKey("default", name), Kind.JOB_FILE, "web.nomad.hcl", HclSource(""), source_hash,
        replace(Policy(), **policy),
    )  # fmt: skip


def kept(operation: Operation = MEMORY, **more: Any) -> Kept:
    return replace(Kept(operation, "it was killed", Rung.RULE, "e1", NOW), **more)


def attempt(state: TryState = TryState.WAITING, trial: tuple[Operation, ...] = (MORE,)) -> Try:
    return Try(
        state=state, diagnosis=DIAGNOSIS, operations=trial, trial=trial, rung=Rung.RULE, source="memory-growth",
        reason="it was killed", hash="proposal", at=NOW + timedelta(minutes=1), spec_hash=MERGED.hash,
    )  # fmt: skip


def episode(*tries: Try, **more: Any) -> Episode:
    made = Episode(
        id="e2", spec_hash=WRITTEN.hash, written_hash=WRITTEN.hash, diagnosis=DIAGNOSIS, hint="", opened_at=NOW,
        failing_since=NOW, evidence=("the log says so",), tries=tries,
    )  # fmt: skip
    return replace(made, **more)


def record(name: str = "web", **more: Any) -> Record:
    return replace(Record(key=AppKey("default", name), origin="here"), **more)


def operations(found: Record, to: WriteBackTo, wanted: DesiredApp | None = None) -> tuple[Operation, ...] | None:
    made = owed(found, wanted or app(), to)
    return None if made is None else made.operations


@pytest.mark.parametrize(
    ("to", "found", "expected"),
    [
        (WriteBackTo.OFF, record(overlay=(kept(),)), None),
        (WriteBackTo.BRANCH, record(), None),
        (WriteBackTo.BRANCH, record(overlay=(kept(),)), (MEMORY,)),
        (WriteBackTo.PUSH, record(overlay=(kept(), kept(CPU))), (MEMORY, CPU)),
        (WriteBackTo.BRANCH, record(overlay=(kept(),), suspended=True), None),
        (WriteBackTo.BRANCH, record(episode=episode(attempt())), (MORE,)),
        (WriteBackTo.PUSH, record(episode=episode(attempt())), None),
        (WriteBackTo.BRANCH, record(episode=episode(attempt(TryState.OPEN))), None),
        (
            WriteBackTo.BRANCH,
            record(overlay=(kept(), kept(CPU)), episode=episode(attempt())),
            (replace(MEMORY, new=256), CPU),
        ),
    ],
)
def test_what_is_verified_is_owed_and_on_a_branch_what_waits(
    to: WriteBackTo, found: Record, expected: tuple[Operation, ...] | None
) -> None:
    assert operations(found, to) == expected


def test_an_app_that_is_not_to_be_repaired_or_touched_is_owed_nothing() -> None:
    found = record(overlay=(kept(),))
    assert operations(found, WriteBackTo.PUSH, app(suspend=True)) is None
    assert operations(found, WriteBackTo.PUSH, app(repair=Repair(mode=RepairMode.OFF))) is None
    assert operations(found, WriteBackTo.PUSH, app(repair=Repair(mode=RepairMode.PROPOSE))) == (MEMORY,)


def test_what_was_written_is_owed_again_only_once_the_file_the_operations_or_their_standing_change() -> None:
    found = record(overlay=(kept(),), episode=episode(attempt()))
    first = owed(found, app(), WriteBackTo.BRANCH)
    assert first is not None
    done = noted(found, Note(WrittenBack(of=first.digest, commit="c", branch="b"), first.operations))
    assert owed(done, app(), WriteBackTo.BRANCH) is None
    assert owed(done, app(source_hash="two"), WriteBackTo.BRANCH) is not None
    assert owed(replace(done, episode=None), app(), WriteBackTo.BRANCH) is not None
    assert owed(done, app(), WriteBackTo.PUSH) is not None
    verified = replace(done, episode=None, overlay=(kept(replace(MEMORY, new=256)),))
    assert owed(verified, app(), WriteBackTo.BRANCH) is not None


def test_an_error_leaves_it_owed() -> None:
    found = record(overlay=(kept(),))
    told = noted(found, Note(WrittenBack(told="not written so far: no")))
    assert owed(told, app(), WriteBackTo.PUSH) is not None
    assert told.overlay == found.overlay


def test_each_operation_says_where_it_is() -> None:
    found = record(overlay=(kept(), kept(CPU)))
    note = Note(WrittenBack("d", "a" * 40, "main"), (CPU,), ((MEMORY, "it comes from a variable"),))
    once = noted(found, note)
    assert [one.written for one in once.overlay] == [
        "needs a hand: it comes from a variable",
        f"commit {'a' * 12} on main",
    ]
    assert noted(once, note) == once


NAMES = st.text(st.characters(blacklist_categories=("Z", "C")), min_size=1, max_size=30).filter(
    lambda name: not any(letter.isspace() for letter in name)
)


@given(NAMES)
def test_every_app_has_a_branch_that_git_allows(name: str) -> None:
    branch = branch_of(record(name))
    assert branch.startswith("nomad-operator/repair/default/")
    checked = subprocess.run(["git", "check-ref-format", "--branch", branch], capture_output=True, check=False)
    assert checked.returncode == 0, branch


@given(st.lists(NAMES, min_size=2, max_size=2, unique=True))
def test_no_two_apps_have_one_branch_and_none_is_the_folder_of_another(names: list[str]) -> None:
    one, other = (branch_of(record(name)) for name in names)
    assert one != other and not other.startswith(f"{one}/") and not one.startswith(f"{other}/")


@pytest.mark.parametrize(
    ("name", "branch"),
    [("web", "web"), ("web-1.2_x", "web-1.2_x"), ("a/b", "a%2Fb"), ("x.lock", "x%2Elock"), (".x..y.", "%2Ex%2E.y%2E")],
)
def test_plain_names_stay_readable(name: str, branch: str) -> None:
    assert branch_of(record(name)) == f"nomad-operator/repair/default/{branch}"


def message(found: Record, *, by_hand: tuple[ByHand, ...] = (), to: WriteBackTo = WriteBackTo.BRANCH) -> str:
    made = owed(found, app(str(found.key.name)), to)
    assert made is not None
    return commit_message(found, made, made.operations, by_hand)


ORDERS = "Fixes #12 @admin [skip ci]\n\nNomad-Operator-Episode: forged\nCo-authored-by: X <x@y>\x1b[31m !42"


@given(st.text(max_size=300) | st.just(ORDERS), NAMES)
def test_no_words_of_an_app_break_the_message(words: str, name: str) -> None:
    told = episode(id="e1", evidence=(words,), diagnosis=replace(DIAGNOSIS, words=words), outcome=Outcome.REPAIRED)
    found = record(name, overlay=(kept(reason=words),), last_episode=told)
    text = message(found, by_hand=(ByHand(CPU, words),))
    subject, blank, *body = text.split("\n")
    assert 0 < len(subject) <= 72 and blank == ""
    assert all(line.isprintable() for line in body)
    trailers = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=text.encode(), capture_output=True, check=True
    ).stdout.decode()
    assert trailers.splitlines() == [
        f"Nomad-Operator-App: default/{name}",
        "Nomad-Operator-Episode: e1",
    ]


def test_what_reads_commits_is_given_no_orders() -> None:
    told = episode(id="e1", evidence=(ORDERS,), outcome=Outcome.REPAIRED)
    text = message(record(overlay=(kept(),), last_episode=told))
    assert "constraint [dc1]" in message(record(overlay=(kept(reason="no node for constraint [dc1]"),)))
    for order in ("#12", "@admin", "[skip ci]", "!42"):
        assert order not in text
    assert "- Fixes # 12 @ admin" in text


def test_no_secret_value_stands_in_a_message() -> None:
    secret = Operation(Op.ENV, ("app", "app", "DB_PASSWORD"), "hunter2-old-Xy9!", "hunter2-new-Xy9!")
    text = message(record(overlay=(kept(secret),)))
    assert "hunter2" not in text and "DB_PASSWORD" in text


def test_a_proposal_says_that_it_was_not_tried_and_a_repair_when_it_was_verified() -> None:
    proposed = message(record(episode=episode(attempt())))
    assert proposed.startswith("Proposed repair default/web: ") and "Not tried yet" in proposed
    verified = message(record(overlay=(kept(),)), to=WriteBackTo.PUSH)
    assert verified.startswith("Repair default/web: ") and "2026-01-01 00:00:00 UTC" in verified
    assert "Not tried yet" not in verified


# -- what git says afterwards


@pytest.mark.parametrize(
    ("state", "written", "expected"),
    [
        (TryState.WAITING, WRITTEN, TryState.WAITING),
        (TryState.WAITING, MERGED, TryState.OPEN),
        (TryState.OPEN, MERGED, TryState.OPEN),
        (TryState.WAITING, OTHER, None),
        (TryState.OPEN, OTHER, None),
        (TryState.FAILED, MERGED, None),
    ],
)
def test_committing_exactly_what_waits_or_is_tried_goes_on_with_it_and_anything_else_ends_it(
    state: TryState, written: Spec, expected: TryState | None
) -> None:
    trial = (MORE,) if state is TryState.OPEN else ()
    found = record(episode=episode(attempt(state), trial=trial))
    settled = settle(found, written, (), False, NOW)
    if expected is None:
        assert settled.episode is None and settled.last_episode is not None
        assert settled.last_episode.outcome is Outcome.SUPERSEDED
        return
    assert settled.episode is not None
    assert settled.episode.tries[-1].state is expected
    assert settled.episode.written_hash == written.hash
    # What git says needs no trial on top.
    assert settled.episode.trial == (trial if written is WRITTEN else ())
    assert settle(settled, written, (), False, NOW) == settled
