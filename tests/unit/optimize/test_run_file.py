"""What a run has found is on disk before anything else is asked, and survives whatever ends the process."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from desired.errors import UsageError
from nomad_operator.optimize.outcome import Ending, Exchange, Played
from nomad_operator.optimize.run_file import RunFile

ABOUT = {"format": 1, "run": "abc"}
ONE = Played(
    case="a", failure="crash", ending=Ending.DURABLE, questions=1, tokens=120, seconds=0.5, exchange=Exchange("q", "{}")
)


def test_what_was_kept_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run.jsonl"
    with RunFile(path=path, about=ABOUT) as file:
        file.keep("p", ONE)
        file.keep_told("q", "answer")
        file.keep_spent(120, 0.5)
        assert json.loads(path.read_text().splitlines()[1])["case"] == "a"
    with RunFile(path=path, about=ABOUT) as file:
        assert file.played("p", "a") == ONE and file.played("other", "a") is None
        assert file.told("q") == "answer"
        assert (file.tokens, file.seconds, len(file)) == (120, 0.5, 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_that_was_cut_off_is_dropped_and_the_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with RunFile(path=path, about=ABOUT) as file:
        file.keep("p", ONE)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"kind": "played", "prom')
    with RunFile(path=path, about=ABOUT) as file:
        assert len(file) == 1
        file.keep_spent(1, 0.0)
    with RunFile(path=path, about=ABOUT) as file:
        assert (len(file), file.tokens) == (1, 1)


@pytest.mark.parametrize("size", range(0, 330, 7))
def test_wherever_a_write_was_cut_off_the_file_is_read(tmp_path: Path, size: int) -> None:
    path = tmp_path / "run.jsonl"
    with RunFile(path=path, about=ABOUT) as file:
        file.keep("p", ONE)
        file.keep_spent(5, 0.1)
    path.write_bytes(path.read_bytes()[:size])
    with RunFile(path=path, about=ABOUT) as file:
        assert file.tokens in (0, 5) and len(file) in (0, 1)


def test_an_answer_that_came_too_late_counts_for_this_session_alone(tmp_path: Path) -> None:
    late = Played(case="b", failure="crash", ending=Ending.LATE)
    path = tmp_path / "run.jsonl"
    with RunFile(path=path, about=ABOUT) as file:
        file.keep("p", late)
        assert file.played("p", "b") == late
    with RunFile(path=path, about=ABOUT) as file:
        assert file.played("p", "b") is None


def test_another_run_and_another_file_are_told(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with RunFile(path=path, about=ABOUT):
        pass
    with pytest.raises(UsageError, match="of another run"), RunFile(path=path, about={**ABOUT, "run": "other"}):
        pass
    path.write_text("hello\nworld\n")
    with pytest.raises(UsageError, match="no file of a run"), RunFile(path=path, about=ABOUT):
        pass


def test_two_processes_do_not_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with (
        RunFile(path=path, about=ABOUT),
        pytest.raises(UsageError, match="another process"),
        RunFile(path=path, about=ABOUT),
    ):
        pass
