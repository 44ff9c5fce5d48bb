"""Files that are none, outputs that take no more, a Ctrl-C before anything is there: one line each, no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from desired.errors import UsageError
from desired.whole_file import MOST_BYTES, read_whole
from nomad_operator.interview.answers_given import answers_given

ROOT = Path(__file__).parents[3]


def run(*arguments: str, cwd: Path, **options: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}", "NOMAD_ADDR": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "nomad_operator", *arguments]
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        command, cwd=cwd, env=environment, text=True, timeout=60, stderr=subprocess.PIPE, **options
    )


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM python:3.12\nEXPOSE 8000\n")
    return tmp_path


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, Path("/dev/zero")):
        with pytest.raises(OSError, match="and no file"):
            read_whole(path)
    (tmp_path / "huge").write_bytes(b"x" * (MOST_BYTES + 1))
    with pytest.raises(OSError, match="holds more than"):
        read_whole(tmp_path / "huge")


def test_answers_from_a_device_or_without_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="/dev/urandom cannot be read: it is a device"):
        answers_given("/dev/urandom")


def test_a_pipe_of_the_shell_is_read(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"count = 2\n")
    os.close(writing)
    assert read_whole(Path(f"/dev/fd/{reading}")) == b"count = 2\n"
    os.close(reading)


def test_rules_in_a_pipe_are_told_and_not_waited_for(code: Path) -> None:
    os.mkfifo(code / "rules")
    (code / "apps").mkdir()
    done = run("validate", "--policy", "rules", "apps", cwd=code, stdout=subprocess.PIPE)
    assert done.returncode != 0 and "rules" in done.stdout + done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(
    "command",
    [("analyze", "."), ("init", ".", "--no-questions", "--output", "-"), ("settings",), ("graph",), ("version",)],
)
def test_a_full_standard_output_is_an_error_and_no_bug(command: tuple[str, ...], code: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(*command, cwd=code, stdout=full)
    assert done.returncode == 1
    assert "error: standard output cannot be written: No space left on device" in done.stderr
    assert "bug" not in done.stderr and "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


def test_json_and_a_manifest_do_not_both_fit_on_standard_output(code: Path) -> None:
    done = run("init", ".", "--no-questions", "--json", "--output", "-", cwd=code, stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_prompt_that_tells_a_secret_is_refused_without_repeating_it(code: Path) -> None:
    words = "two instances, the password is hunter2xyz"
    done = run("init", ".", "--no-questions", "--prompt", words, cwd=code, stdout=subprocess.PIPE)
    assert done.returncode == 2 and "hunter2xyz" not in done.stdout + done.stderr
    assert not (code / "apps").exists()


def test_an_interrupt_while_it_starts_is_no_traceback(code: Path) -> None:
    # As a terminal sends it, at the first thing that is imported.
    (code / "desired").mkdir()
    (code / "desired" / "__init__.py").write_text("raise KeyboardInterrupt\n")
    environment = {**os.environ, "PYTHONPATH": f"{code}:{ROOT / 'operator'}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-m", "nomad_operator", "version"], env=environment, cwd=code, text=True, timeout=60,
        capture_output=True,
    )  # fmt: skip
    assert done.returncode in (130, -signal.SIGINT)
    assert "Traceback" not in done.stderr
