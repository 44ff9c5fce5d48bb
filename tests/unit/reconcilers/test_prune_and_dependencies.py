"""Who is withdrawn, what holds pruning back, and what an app waits for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from desired.app import AppKey
from desired.policy import Policy
from desired.problem import Problem
from desired.state import DesiredApp, DesiredState, HclSource, Kind, UnreadableFile
from reconcilers.dependencies import circle, unready
from reconcilers.prune import PruneRules, withdrawals
from reconcilers.record import Applied, Record, Withdrawal

AT = datetime(2026, 1, 1, tzinfo=UTC)
HERE, RULES = "git+path", PruneRules()


def key(name: str) -> AppKey:
    return AppKey("default", name)


def app(name: str, *depends_on: str) -> DesiredApp:
    policy = Policy(depends_on=tuple(key(one) for one in depends_on))
    return DesiredApp(key(name), Kind.JOB_FILE, f"{name}.nomad", HclSource(""), "h", policy)


def state(*names: str, unreadable: tuple[UnreadableFile, ...] = (), **conflicts: tuple[str, ...]) -> DesiredState:
    found = {key(path): paths for path, paths in conflicts.items()}
    return DesiredState("sha", {key(name): app(name) for name in names}, unreadable, found)


def records(number: int, origin: str = HERE) -> list[Record]:
    applied = Applied("s", 1, "h", "r", AT)
    return [Record(key=key(f"app-{n}"), origin=origin, applied=applied) for n in range(number)]


def test_what_no_file_speaks_of_is_withdrawn() -> None:
    found = withdrawals(records(3), state("app-0", "app-1"), HERE, RULES)
    assert (found.keys, found.held) == ({key("app-2")}, "")


def test_another_repositorys_apps_are_never_withdrawn() -> None:
    assert not withdrawals(records(5, origin="elsewhere"), state(), HERE, RULES).keys


def test_an_emptied_folder_holds_everything_until_a_person_confirms() -> None:
    everything = records(10)
    assert "10 of 10" in withdrawals(everything, state(), HERE, RULES).held
    confirmed = [replace(one, withdrawal=Withdrawal(AT, True, confirmed=True)) for one in everything]
    assert withdrawals(confirmed, state(), HERE, RULES).held == ""


def test_what_was_confirmed_goes_although_more_was_withdrawn_since() -> None:
    """`prune --confirm` lets exactly that go; a file that cannot be read holds it all the same."""
    first, later = records(10)[:4], records(10)[4:8]
    confirmed = [replace(one, withdrawal=Withdrawal(AT, True, confirmed=True)) for one in first]
    found = withdrawals([*confirmed, *later, *records(10)[8:]], state("app-8", "app-9"), HERE, RULES)
    assert {one.key for one in first} == {one for one in found.keys if not found.holds(one)}
    assert all("4 of 10" in found.holds(one.key) for one in later)
    broken = UnreadableFile("a.nomad", (Problem("a.nomad", 1, 1, "no"),))
    found = withdrawals([*confirmed, *later], state(unreadable=(broken,)), HERE, RULES)
    assert all(found.holds(one) for one in found.keys)


@pytest.mark.parametrize(
    ("total", "gone", "held"), [(3, 3, False), (10, 3, False), (10, 4, True), (100, 30, False), (100, 31, True)]
)
def test_up_to_three_or_the_share_may_go_at_once(total: int, gone: int, held: bool) -> None:
    left = [f"app-{n}" for n in range(gone, total)]
    assert bool(withdrawals(records(total), state(*left), HERE, RULES).held) is held


def test_any_unreadable_file_holds_because_a_rename_may_hide_in_it() -> None:
    broken = UnreadableFile("new-name.nomad", (Problem("new-name.nomad", 1, 1, "no"),))
    found = withdrawals(records(2), state("app-0", unreadable=(broken,)), HERE, RULES)
    assert "new-name.nomad" in found.held


def test_a_conflict_holds_and_its_own_key_is_not_withdrawn() -> None:
    found = withdrawals(records(1), state(**{"app-0": ("a.nomad", "b.nomad")}), HERE, RULES)
    assert not found.keys
    assert found.held


def test_pruning_can_be_switched_off() -> None:
    assert "PRUNE=false" in withdrawals(records(1), state(), HERE, PruneRules(enabled=False)).held


def test_a_dependency_that_nobody_wants_or_that_is_not_ready_is_waited_for() -> None:
    web = app("web", "db", "cache", "queue")
    wanted = {key("db"): app("db"), key("cache"): app("cache")}
    found = unready(web, wanted, lambda one: (one == key("cache"), "Progressing"))
    assert found == {key("db"): "Progressing", key("queue"): "no file asks for it"}


@pytest.mark.parametrize(
    ("edges", "found"),
    [
        ({"a": ["b"], "b": ["c"]}, ""),
        ({"a": ["a"]}, "aa"),
        ({"a": ["b"], "b": ["a"]}, "aba"),
        ({"a": ["b", "c"], "b": ["d"], "c": ["a"], "d": ["a"]}, "aca"),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, ""),
    ],
)
def test_a_circle_is_named_shortest_first(edges: dict[str, list[str]], found: str) -> None:
    path = circle(key("a"), lambda one: [key(follower) for follower in edges.get(one.name, [])])
    assert "".join(one.name for one in path) == found
