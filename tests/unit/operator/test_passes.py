"""What the log says of passes that fail: nothing of what passes or belongs to an outage, once of the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from desired.app import AppKey
from desired.errors import Conflict, Forbidden, Unavailable
from desired.reasons import Reason
from nomad_operator.metrics import Metrics
from nomad_operator.passes import Passes
from reconcilers.reports import Reports
from reconcilers.result import Settled

WEB, API = AppKey("default", "web"), AppKey("default", "api")


class World:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.down = False
        reports = Reports(now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
        self.passes = Passes(log=self, metrics=Metrics(version="0"), reports=reports, explained=lambda error: self.down)

    def info(self, event: str, **values: Any) -> None:
        self.lines.append(f"{event} {values['app']}")

    warning = error = info

    def fail(self, error: Exception, *keys: AppKey) -> None:
        for key in keys or (WEB,):
            self.passes.failed(key, error, 0.1, 1.0)

    def work(self) -> None:
        self.passes.passed(WEB, Settled(Reason.HEALTHY, timedelta(minutes=5)), 0.1, 0.0)


@pytest.mark.parametrize("error", [Unavailable("refused"), Conflict("written meanwhile"), TimeoutError()])
def test_a_failure_that_passes_is_not_told(error: Exception) -> None:
    world = World()
    world.fail(error)
    world.work()
    world.fail(error)
    world.work()
    assert world.lines == []


def test_a_failure_that_stays_is_told_once_and_so_is_its_end() -> None:
    world = World()
    for _ in range(5):
        world.fail(Unavailable("refused"))
    world.fail(Unavailable("timed out"))
    world.work()
    world.work()
    assert world.lines == ["pass failed default/web", "pass failed default/web", "pass works again default/web"]


def test_passes_under_way_when_nomad_goes_are_no_lines_of_their_own() -> None:
    world = World()
    world.fail(Unavailable("reset"), WEB, API)
    world.down = True
    for _ in range(3):
        world.fail(Unavailable("refused"), WEB, API)
    world.down = False
    world.work()
    assert world.lines == []


@pytest.mark.parametrize("error", [Forbidden("no", hint="more rights"), ValueError("a bug")])
def test_what_will_not_pass_is_told_at_once_and_once(error: Exception) -> None:
    world = World()
    world.fail(error)
    world.fail(error)
    assert len(world.lines) == 1
