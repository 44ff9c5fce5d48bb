"""Text for people: aligned, coloured only where wanted, and harmless."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest

from nomad_operator.commands.app_list import age, version
from nomad_operator.commands.table import Style, columns, plain, plain_lines

TERMINAL = Style(color=True, width=40)
PLAIN = Style(color=False, width=None)


def test_columns_are_aligned_and_end_without_blanks() -> None:
    lines = columns(("APP", "READY"), [("default/long", "True"), ("a", "False")], PLAIN)
    assert lines == ["APP           READY", "default/long  True", "a             False"]


def test_on_a_terminal_the_last_column_is_cut_at_the_edge() -> None:
    lines = columns(("APP", "MESSAGE"), [("a" * 10, "m" * 100)], Style(color=False, width=40))
    assert len(lines[1]) == 40
    assert lines[1].endswith("…")
    assert "m" * 100 in columns(("APP", "MESSAGE"), [("a", "m" * 100)], PLAIN)[1]


def test_the_answer_to_ready_has_a_colour_and_alignment_does_not_suffer() -> None:
    lines = columns(("READY", "X"), [("True", "y"), ("Unknown", "y")], TERMINAL)
    assert "\x1b[32mTrue   \x1b[0m  y" in lines
    assert "\x1b[33mUnknown\x1b[0m  y" in lines


@pytest.mark.parametrize("text", ["\x1b[2Jcleared", "a\rb", "a\x07b", "a\nb", "\x9b31m", "a\u202eb"])
def test_nothing_a_job_says_can_steer_the_terminal(text: str) -> None:
    assert plain(text).isprintable()
    assert all(line.isprintable() for line in plain_lines(text))
    assert all(line.isprintable() for line in columns(("MESSAGE",), [(text,)], PLAIN))


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert Style.of(Terminal()).color
    assert not Style.of(io.StringIO()).color
    assert Style.of(io.StringIO()).width is None
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Style.of(Terminal()).color
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not Style.of(Terminal()).color


@pytest.mark.parametrize(
    ("ago", "text"), [(5, "5s"), (119, "119s"), (120, "2m"), (7200, "2h"), (259200, "3d"), (-60, "0s")]
)
def test_an_age_is_told_in_the_unit_that_matters(ago: int, text: str) -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    assert age((now - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%SZ"), now) == text


@pytest.mark.parametrize("since", [None, "", "yesterday"])
def test_an_age_that_is_not_known_is_a_dash(since: str | None) -> None:
    assert age(since, datetime(2026, 1, 2, tzinfo=UTC)) == "-"


def test_an_app_without_a_job_has_no_version() -> None:
    assert version({"job": {"version": 0, "modifyIndex": 0}}) == ""
    assert version({"job": {"version": 0, "modifyIndex": 7}}) == "0"
    assert version({"job": None}) == version({}) == ""


def test_a_very_long_name_leaves_room_for_the_rest_of_its_line() -> None:
    rows = [["default/" + "n" * 129, "True", "healthy"], ["default/web", "False", "it failed"]]
    for line in columns(["APP", "READY", "MESSAGE"], rows, Style(color=False, width=80)):
        assert len(line) <= 80
    text = "\n".join(columns(["APP", "READY", "MESSAGE"], rows, Style(color=False, width=80)))
    assert "n… " in text and "healthy" in text
    assert "n" * 129 in "\n".join(columns(["APP", "READY", "MESSAGE"], rows, Style(color=False, width=None)))
