"""Nomad away is one outage, whatever meets it first: the lists, the stream, a pass, or the parser of job files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from desired.errors import Unavailable
from desired.problem import Problem
from desired.state import DesiredState, UnreadableFile
from nomad_operator.log import Outages
from nomad_operator.metrics import Metrics
from nomad_operator.nomad_watch import NomadWatch
from nomad_operator.source_problems import SourceProblems, held_up
from reconcilers.reports import Reports

AWAY = Unavailable("list the jobs: refused", hint="is it running?")
BROKEN = Unavailable("events: reset", hint="look there")
UNPARSED = "web.hcl: cannot be parsed now: refused"


class World:
    """`up` is what a read of the lists finds; it is done as soon as somebody asks for a look."""

    def __init__(self) -> None:
        self.up = True
        self.lines: list[str] = []
        self.reads_of_git = 0
        self.watch = NomadWatch(
            outages=Outages(log=self, clock=lambda: 0.0), metrics=Metrics(version="0"),
            reports=Reports(now=lambda: datetime(2026, 1, 1, tzinfo=UTC)), look=self.read, back=self._back,
        )  # fmt: skip

    def read(self) -> None:
        self.watch.read(None if self.up else AWAY)

    def _back(self) -> None:
        self.reads_of_git += 1

    def info(self, event: str, **values: Any) -> None:
        self.lines.append(f"{event}: {values.get('service') or values.get('path')}")

    warning = info


def test_with_nomad_away_files_that_cannot_be_parsed_are_no_outage_of_their_own() -> None:
    world = World()
    world.up = False
    world.watch.parser(UNPARSED)
    world.watch.stream(BROKEN)
    assert world.watch.explains(AWAY)
    world.watch.parser(UNPARSED)
    assert world.lines == ["dependency down: nomad"]
    world.up = True
    world.read()
    assert world.reads_of_git == 1, "what its parser held up is read again at once"
    world.watch.parser("")
    world.read()
    assert world.lines == ["dependency down: nomad", "dependency back: nomad"]


def test_a_parser_that_fails_while_the_lists_answer_is_told_once() -> None:
    world = World()
    for _ in range(3):
        world.watch.parser(UNPARSED)
        world.read()
    assert world.lines == ["dependency down: job file parser"]
    world.watch.parser("")
    assert world.lines[1:] == ["dependency back: job file parser"]


def test_a_parser_that_goes_on_failing_when_nomad_is_back_is_told_then() -> None:
    world = World()
    world.up = False
    world.watch.parser(UNPARSED)
    world.up = True
    world.read()
    world.watch.parser(UNPARSED)
    assert world.lines == ["dependency down: nomad", "dependency back: nomad", "dependency down: job file parser"]


def waiting(*paths: str) -> DesiredState:
    files = [UnreadableFile(path, (Problem(path, message="cannot be parsed now"),), transient=True) for path in paths]
    wrong = UnreadableFile("bad.yaml", (Problem("bad.yaml", message="no such key"),))
    return DesiredState("r1", {}, (*files, wrong))


def test_files_that_wait_for_the_parser_are_no_lines_of_their_own() -> None:
    world = World()
    SourceProblems(log=world, metrics=Metrics(version="0")).read(waiting(*(f"{n}.hcl" for n in range(50))))
    assert world.lines == ["file problem: bad.yaml"]


def test_what_waits_for_the_parser_is_told_together() -> None:
    assert held_up(waiting()) == ""
    assert held_up(waiting("a.hcl")) == "a.hcl: cannot be parsed now"
    assert held_up(waiting("a.hcl", "b.hcl", "c.hcl")) == "a.hcl: cannot be parsed now, and 2 more files"
