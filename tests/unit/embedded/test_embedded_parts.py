"""The small pure parts of the embedded Nomad, by tables and properties."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.errors import UsageError
from nomad_operator.embedded.constraint import satisfied
from nomad_operator.embedded.cron import next_launch
from nomad_operator.embedded.instant import SECOND, from_datetime, rfc3339, to_datetime
from nomad_operator.embedded.rescheduling import eligible, next_delay
from nomad_operator.embedded.restarts import Restarts
from nomad_operator.embedded.timers import Timers
from nomad_operator.embedded.world import load_world, read_world

NODE: dict[str, Any] = {
    "ID": "1", "Datacenter": "dc1", "Name": "n", "NodeClass": "gpu", "NodePool": "default",
    "Attributes": {"nomad.version": "2.0.5", "cpu.numcores": "4", "os.signals": "SIGHUP,SIGINT"},
    "Meta": {"rack": "r1"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("left", "operand", "right", "holds"),
    [
        ("${attr.nomad.version}", "semver", ">= 1.4.0", True),
        ("${attr.nomad.version}", "semver", ">= 1.7.0-a", True),
        ("${attr.nomad.version}", "version", "~> 2.0.4", True),
        ("${attr.nomad.version}", "version", "~> 2.1.0", False),
        ("${attr.cpu.numcores}", ">", "10", False),
        ("${attr.cpu.numcores}", ">=", "4", True),
        ("${meta.rack}", "=", "r1", True),
        ("${meta.nope}", "=", "r1", False),
        ("${meta.nope}", "!=", "r1", True),
        ("${meta.nope}", "is_not_set", "", True),
        ("${meta.rack}", "is_set", "", True),
        ("${attr.os.signals}", "set_contains", "SIGINT,SIGHUP", True),
        ("${attr.os.signals}", "set_contains", "SIGINT,SIGTERM", False),
        ("${attr.os.signals}", "set_contains_any", "SIGINT,SIGTERM", True),
        ("${node.class}", "regexp", "^g", True),
        ("${node.class}", "nonsense", "gpu", False),
    ],
)
def test_a_constraint_holds_as_in_nomad(left: str, operand: str, right: str, holds: bool) -> None:
    assert satisfied({"LTarget": left, "Operand": operand, "RTarget": right}, NODE) is holds


@pytest.mark.parametrize(
    ("spec", "zone", "due"),
    [
        ("*/15 * * * *", "UTC", "2026-01-01T00:15:00+00:00"),
        ("0 3 * * *", "UTC", "2026-01-01T03:00:00+00:00"),
        ("0 3 * * *", "Europe/Berlin", "2026-01-01T02:00:00+00:00"),
        ("0 0 * * mon", "UTC", "2026-01-05T00:00:00+00:00"),
        ("30 4 1,15 * 5", "UTC", "2026-01-01T04:30:00+00:00"),
        ("@monthly", "UTC", "2026-02-01T00:00:00+00:00"),
        ("0 0 29 feb *", "UTC", "2028-02-29T00:00:00+00:00"),
        ("*/4 * * * * * *", "UTC", "2026-01-01T00:00:04+00:00"),
        ("30 59 23 31 12 * 2027", "UTC", "2027-12-31T23:59:30+00:00"),
        ("0 12 1 1 * 2027", "UTC", "2027-01-01T12:00:00+00:00"),
    ],
)
def test_a_cron_expression_is_due_next(spec: str, zone: str, due: str) -> None:
    assert next_launch([spec], zone, datetime(2026, 1, 1, tzinfo=UTC)) == datetime.fromisoformat(due)


def test_a_cron_expression_that_cannot_be_read_is_never_due() -> None:
    assert next_launch(["nonsense", "1 2 3"], "UTC", datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_reschedule_delays_double_up_to_their_limit() -> None:
    policy = {"Delay": 5 * SECOND, "DelayFunction": "exponential", "MaxDelay": 18 * SECOND}
    delays: list[int] = []
    for _ in range(4):
        events = [{"Delay": delay, "RescheduleTime": 0} for delay in delays]
        delays.append(next_delay(policy, {"RescheduleTracker": {"Events": events}}, SECOND))
    assert delays == [5 * SECOND, 10 * SECOND, 18 * SECOND, 18 * SECOND]


def test_reschedule_attempts_count_within_their_interval() -> None:
    policy = {"Attempts": 1, "Unlimited": False, "Interval": 60 * SECOND}
    tracker = {"Events": [{"RescheduleTime": 100 * SECOND, "Delay": 0}]}
    assert eligible(policy, None, 0)
    assert not eligible(policy, tracker, 150 * SECOND)
    assert eligible(policy, tracker, 161 * SECOND)


def test_restarts_in_delay_mode_wait_for_the_rest_of_the_interval_and_never_end() -> None:
    policy = {"Attempts": 1, "Delay": SECOND, "Interval": 10 * SECOND, "Mode": "delay"}
    restarts = Restarts(policy, on_success=True, random=lambda: 0.0)
    assert restarts.verdict(0).reason == "Restart within policy"
    slow = restarts.verdict(2 * SECOND)
    assert (slow.delay, slow.reason) == (8 * SECOND, "Exceeded allowed attempts, applying a delay")


@given(st.lists(st.integers(min_value=0, max_value=50), max_size=20), st.integers(min_value=0, max_value=60))
def test_timers_fire_once_in_order_at_their_own_time_and_not_before(dues: list[int], until: int) -> None:
    timers = Timers(now=0)
    fired: list[tuple[int, int]] = []
    for place, due in enumerate(dues):
        timers.at(due, lambda due=due, place=place: fired.append((timers.now, place)))  # type: ignore[misc]
    timers.advance(until)
    expected = sorted((due, place) for place, due in enumerate(dues) if due <= until)
    assert fired == expected
    timers.advance(until)
    assert fired == expected
    assert timers.now == until


def test_a_cancelled_timer_is_not_what_is_due_next() -> None:
    timers = Timers(now=0)
    first = timers.at(5, lambda: None)
    timers.at(7, lambda: None)
    first.cancel()
    assert timers.next_due() == 7


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_instants_and_datetimes_agree(at: datetime) -> None:
    assert to_datetime(from_datetime(at)) == at
    assert datetime.fromisoformat(rfc3339(from_datetime(at))) == at


def test_the_world_that_comes_with_the_package_has_a_node_and_takes_any_image() -> None:
    world = load_world()
    assert world.nodes
    what = {"image": "anything:1", "job": "j", "driver": "docker", "command": "", "version": 0, "attempt": 0}
    assert world.behaviour(**what).runs_for is None
    assert world.registry("anything:1") is None


def test_the_first_behaviour_that_matches_is_taken() -> None:
    text = """
behaviours:
  - {image: "a:*", command: "serve$", exit_code: 1}
  - {image: "a:*", from_attempt: 2, exit_code: 2}
  - {image: "a:*", exit_code: 3}
"""
    world = read_world(text, "w")
    what = {"image": "a:1", "job": "j", "driver": "docker", "version": 0}
    assert world.behaviour(**what, command="sh serve", attempt=5).exit_code == 1
    assert world.behaviour(**what, command="", attempt=2).exit_code == 2
    assert world.behaviour(**what, command="", attempt=1).exit_code == 3


def test_every_mistake_of_a_world_file_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text("nodes: [{name: n, cpus: 3}]\nbehaviours: [{runs_for: soon}]\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_world(path)
    assert "nodes.0.cpus" in caught.value.message
    assert "behaviours.0.runs_for" in caught.value.message


def test_the_world_file_of_the_documentation_can_be_read() -> None:
    page = (Path(__file__).parents[3] / "docs" / "embedded-nomad.md").read_text(encoding="utf-8")
    text = page.partition("```yaml\n")[2].partition("```")[0]
    world = read_world(text, "docs/embedded-nomad.md")
    assert (world.nodes[0].name, world.tokens[0].node_read) == ("node-1", True)
