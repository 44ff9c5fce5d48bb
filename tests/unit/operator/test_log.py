"""Log lines: one an event, the same form for everybody's, no local variables, and an outage told twice at most."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from desired.app import AppKey
from nomad_operator.log import Outages, configure
from nomad_operator.metrics import Metrics
from nomad_operator.passes import Passes
from nomad_operator.settings import LogFormat, LogLevel
from reconcilers.decision import Step, Truth
from reconcilers.reports import Reports, Transition


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _fail() -> None:
    token = "hunter2"
    raise ValueError("no " + token[:0])


def test_away_from_a_terminal_a_line_is_json() -> None:
    stream = io.StringIO()
    configure(form=LogFormat.AUTO, level=LogLevel.INFO, stream=stream)
    structlog.get_logger().info("reconciled", app="default/web", changed=True)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["app"], line["changed"]) == ("reconciled", "info", "default/web", True)
    assert line["timestamp"].endswith("Z")


def test_on_a_terminal_a_line_is_coloured_text_unless_no_color_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = []
    for no_color in ("", "1"):
        monkeypatch.setenv("NO_COLOR", no_color)
        stream = Terminal()
        configure(form=LogFormat.AUTO, level=LogLevel.INFO, stream=stream)
        structlog.get_logger().info("reconciled", app="default/web")
        texts.append(stream.getvalue())
    assert "\x1b[" in texts[0]
    assert "\x1b[" not in texts[1]
    assert "app=default/web" in texts[1]


def test_a_line_of_text_keeps_the_order_it_was_told_in_and_leaves_out_what_is_empty() -> None:
    stream = io.StringIO()
    configure(form=LogFormat.TEXT, level=LogLevel.INFO, stream=stream)
    structlog.get_logger().info("app", app="default/web", step="Steady", ready="True", hint="", reason="X", message="z")
    assert stream.getvalue().endswith("app app=default/web step=Steady ready=True reason=X message=z\n")


def test_the_line_of_a_pass_begins_with_the_app_and_ends_with_the_words() -> None:
    stream = io.StringIO()
    configure(form=LogFormat.TEXT, level=LogLevel.INFO, stream=stream)
    reports = Reports(now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    log, metrics = structlog.get_logger(), Metrics(version="0")
    passes = Passes(log=log, metrics=metrics, reports=reports, explained=lambda error: False)
    told = Transition(
        datetime(2026, 1, 1, tzinfo=UTC), AppKey("default", "web"), Step.STEADY, Truth.TRUE, "Healthy", "2 of 2 run"
    )
    passes.transition(told)
    [line] = stream.getvalue().splitlines()
    assert line.endswith("app app=default/web step=Steady ready=True reason=Healthy message='2 of 2 run'")


def test_the_format_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    configure(form=LogFormat.JSON, level=LogLevel.INFO, stream=stream)
    structlog.get_logger().info("x")
    assert json.loads(stream.getvalue())["event"] == "x"


@pytest.mark.parametrize("form", [LogFormat.JSON, LogFormat.TEXT])
def test_a_traceback_holds_no_local_variables(form: LogFormat) -> None:
    stream = io.StringIO()
    configure(form=form, level=LogLevel.INFO, stream=stream)
    try:
        _fail()
    except ValueError:
        structlog.get_logger().exception("broken")
        logging.getLogger("library").exception("broken too")
    assert "ValueError" in stream.getvalue()
    assert "hunter2" not in stream.getvalue().replace('token = "hunter2"', "")


def test_lines_of_libraries_take_the_same_form_and_talkative_ones_are_quiet() -> None:
    stream = io.StringIO()
    configure(form=LogFormat.JSON, level=LogLevel.INFO, stream=stream)
    logging.getLogger("library").warning("%d things", 3)
    logging.getLogger("httpx").info("HTTP Request")
    logging.getLogger("apscheduler.scheduler").info("Added job")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [("3 things", "warning")]


def test_lines_below_the_level_are_not_written() -> None:
    stream = io.StringIO()
    configure(form=LogFormat.JSON, level=LogLevel.WARNING, stream=stream)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]


class Lines:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def info(self, event: str, **values: Any) -> None:
        self.lines.append(("info", event, values))

    def warning(self, event: str, **values: Any) -> None:
        self.lines.append(("warning", event, values))


def test_an_outage_is_one_line_when_it_begins_and_one_when_it_ends() -> None:
    log, clock = Lines(), [100.0]
    outages = Outages(log=log, clock=lambda: clock[0])
    assert not outages.report("nomad", None)
    assert outages.report("nomad", "refused", hint="start it")
    for second in range(50):
        clock[0] += 1
        assert not outages.report("nomad", f"refused after {second} s" if second % 2 else "refused")
    assert outages.open["nomad"].problem == "refused after 49 s"
    assert outages.report("nomad", None)
    assert not outages.report("nomad", None)
    assert log.lines == [
        ("warning", "dependency down", {"service": "nomad", "problem": "refused", "hint": "start it"}),
        ("warning", "dependency still down", {"service": "nomad", "problem": "refused after 1 s"}),
        ("info", "dependency back", {"service": "nomad", "after_seconds": 50.0}),
    ]


def test_another_cause_is_told_once_and_not_without_end() -> None:
    log = Lines()
    outages = Outages(log=log, clock=lambda: 0.0)
    for problem in ("refused", "403 Permission denied", "refused", "403 Permission denied", "a", "b", "c", "d"):
        outages.report("nomad", problem)
    assert [values["problem"] for _, _, values in log.lines] == ["refused", "403 Permission denied", "a", "b"]
    outages.report("nomad", None)
    outages.report("nomad", "403 Permission denied")
    assert log.lines[-1][1:] == ("dependency down", {"service": "nomad", "problem": "403 Permission denied"})


def test_outages_of_two_services_do_not_mix() -> None:
    log = Lines()
    outages = Outages(log=log, clock=lambda: 0.0)
    outages.report("nomad", "refused")
    assert outages.report("git", "no route")
    assert outages.report("nomad", None)
    assert set(outages.open) == {"git"}
