"""The command line as a person meets it: exit codes, what goes where, and errors of one line and a hint."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


def _environment(tmp_path: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "operator"), str(ROOT)]), "PYTHONWARNINGS": "error", **more,
    }  # fmt: skip


def _run(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nomad_operator", *arguments],
        cwd=tmp_path, env=_environment(tmp_path, **environment), capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def _told(done: subprocess.CompletedProcess[str], code: int) -> list[str]:
    """The error lines, after checking that nothing else was written."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    *errors, hint = done.stderr.splitlines()
    assert hint.startswith("hint: ")
    assert all(line.startswith("error: ") for line in errors)
    assert errors
    return errors


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["stauts"], ["status", "a", "b"], ["status", "a b"], ["graph", "--format", "dot"], ["settings", "--nope"],
        ["reconcile"], ["plan", "--ref", "x", "--path", "y"], ["validate"], ["embedded", "--listen", "nowhere"],
        ["once", "--timeout", "soon"], ["embedded", "--world", "missing.yaml"], ["plan", "--path", "missing"],
        ["run"], ["once"], ["status", ""], ["demo", "--nomad", "nonsense"], ["demo", "--nomad", ""],
        ["demo", "--port", "99999"], ["demo", "--port", "x"],
    ],
)  # fmt: skip
def test_wrong_usage_ends_with_2_and_one_line_and_a_hint(tmp_path: Path, arguments: list[str]) -> None:
    assert len(_told(_run(tmp_path, *arguments), 2)) == 1


def test_a_mistyped_command_is_guessed(tmp_path: Path) -> None:
    assert "did you mean status?" in _told(_run(tmp_path, "stauts"), 2)[0]


def test_wrong_settings_end_with_2_and_tell_all_problems(tmp_path: Path) -> None:
    done = _run(tmp_path, "status", NOMAD_OPERATOR_MODE="x", NOMAD_OPERATOR_PRUNE="so", NOMAD_OPERATOR_PRUME="1")
    assert len(_told(done, 2)) == 3


def test_a_dotenv_file_of_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NOMAD_OPERATOR_CONCURRENCY=3\nNOMAD_OPERATOR_GIT_TOKEN=hunter2\n")
    done = _run(tmp_path, "settings", "--json", NOMAD_OPERATOR_RESYNC_SECONDS="60")
    rows = {row["name"]: row for row in json.loads(done.stdout)["settings"]}
    assert (done.returncode, done.stderr) == (0, "")
    concurrency = rows["NOMAD_OPERATOR_CONCURRENCY"]
    assert (concurrency["value"], concurrency["source"], concurrency["default"]) == (3, ".env", 8)
    assert (rows["NOMAD_OPERATOR_RESYNC_SECONDS"]["source"], rows["NOMAD_ADDR"]["source"]) == ("environment", "default")
    assert "hunter2" not in done.stdout


def test_settings_are_explained_whatever_is_set_wrongly(tmp_path: Path) -> None:
    done = _run(tmp_path, "settings", "--defaults", NOMAD_OPERATOR_MODE="x")
    assert (done.returncode, done.stderr) == (0, "")
    assert "NOMAD_OPERATOR_MODE=act" in done.stdout


@pytest.mark.parametrize("arguments", ["version", "--version", "graph", "graph --format mermaid", "--help"])
def test_what_needs_no_service_needs_no_settings_either(tmp_path: Path, arguments: str) -> None:
    done = _run(tmp_path, *arguments.split(), NOMAD_OPERATOR_MODE="x")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_version_as_json_names_the_nomad_versions(tmp_path: Path) -> None:
    told = json.loads(_run(tmp_path, "version", "--json").stdout)
    assert told["nomad"]["oldest"] == "1.8.0"
    assert set(told) == {"version", "python", "nomad"}


@pytest.mark.parametrize("command", ["version", "graph"])
def test_what_is_quick_imports_nothing_slow(tmp_path: Path, command: str) -> None:
    slow = ("httpx", "pydantic", "starlette", "structlog", "nomad", "hcl2", "asyncio")
    code = (
        "import sys; from nomad_operator.cli import main; main(sys.argv[1:]); "
        f"print([name for name in {slow} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, command],
        cwd=tmp_path, env=_environment(tmp_path), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == "[]\n"


def test_an_app_that_cannot_be_one_is_wrong_usage_for_plan_too(tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    for name in ("", "a b", "x y/z"):
        done = _run(tmp_path, "plan", "--path", "apps", name, NOMAD_ADDR="http://127.0.0.1:9")
        assert done.returncode == 2 and "is not a" in _told(done, 2)[0], done.stderr


def test_a_folder_that_was_removed_meanwhile_is_no_bug(tmp_path: Path) -> None:
    code = (
        "import os, sys; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone'); "
        "from nomad_operator.cli import main; sys.exit(main(['validate', '.']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=_environment(tmp_path), capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert _told(done, 2) == ["error: the current folder is not there any more"]


def test_no_daemon_is_one_line_and_what_to_do(tmp_path: Path) -> None:
    for arguments in (["status"], ["reconcile", "web"], ["prune", "--confirm"]):
        errors = _told(_run(tmp_path, *arguments, NOMAD_OPERATOR_ADDR="http://127.0.0.1:9"), 1)
        assert errors == ["error: no nomad-operator answers at http://127.0.0.1:9: Connection refused"]


def test_status_is_a_table_without_colour_away_from_a_terminal(tmp_path: Path, served: Any) -> None:
    done = _run(tmp_path, "status", NOMAD_OPERATOR_ADDR=served.address)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "1 of 2 apps ready · revision 01234567"
    header = next(line for line in lines if line.startswith("APP"))
    rows = [line for line in lines if line.startswith("default/")]
    assert [row.split()[:3] for row in rows] == [
        ["default/web", "True", "Healthy"],
        ["default/team/deep", "False", "NoProgress"],
    ]
    assert all(row.index(word) == header.index("READY") for row, word in zip(rows, ("True", "False"), strict=True))
    assert "x" * 300 in done.stdout
    assert "apps/bad.yaml: 3:1: no such key" in done.stdout
    assert "\x1b" not in done.stdout


def test_status_as_json_is_what_the_daemon_says(tmp_path: Path, served: Any) -> None:
    done = _run(tmp_path, "status", "--json", NOMAD_OPERATOR_ADDR=served.address)
    assert json.loads(done.stdout) == served.backend.status()
    done = _run(tmp_path, "status", "web", "--json", NOMAD_OPERATOR_ADDR=served.address)
    assert json.loads(done.stdout)["key"] == "default/web"


def test_status_of_one_app_tells_its_conditions_its_diff_and_its_story(tmp_path: Path, served: Any) -> None:
    done = _run(tmp_path, "status", "web", NOMAD_OPERATOR_ADDR=served.address)
    assert (done.returncode, done.stderr) == (0, "")
    for text in ("default/web", "by hand", "+ Count: 1 -> 2", "NoProgress: stood still", "apps/web.yaml"):
        assert text in done.stdout
    assert "\x1b" not in done.stdout


def test_an_unknown_app_ends_with_1(tmp_path: Path, served: Any) -> None:
    assert "no app default/none" in _told(_run(tmp_path, "status", "none", NOMAD_OPERATOR_ADDR=served.address), 1)[0]


def test_an_app_whose_name_holds_slashes_is_reached(tmp_path: Path, served: Any) -> None:
    done = _run(
        tmp_path, "reconcile", "default/team/deep",
        NOMAD_OPERATOR_ADDR=served.address, NOMAD_OPERATOR_API_TOKEN=served.token,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert served.backend.asked == [("default/team/deep", "reconcile")]


def test_the_token_beside_the_state_lets_a_command_in(tmp_path: Path, served: Any) -> None:
    assert "API token" in _told(_run(tmp_path, "resume", "web", NOMAD_OPERATOR_ADDR=served.address), 1)[0]
    file = tmp_path / "state" / "nomad-operator" / "api-token"
    file.parent.mkdir(parents=True)
    file.write_text(served.token)
    assert _run(tmp_path, "resume", "web", NOMAD_OPERATOR_ADDR=served.address).returncode == 0
    assert served.backend.asked == [("default/web", "resume")]


def test_prune_shows_and_confirm_confirms(tmp_path: Path, served: Any) -> None:
    access = {"NOMAD_OPERATOR_ADDR": served.address, "NOMAD_OPERATOR_API_TOKEN": served.token}
    done = _run(tmp_path, "prune", **access)
    assert done.returncode == 0
    assert "default/gone" in done.stdout
    assert "held: 5 of 9 apps at once" in done.stdout
    assert served.backend.confirmed is False
    assert "confirmed" in _run(tmp_path, "prune", "--confirm", **access).stdout
    assert served.backend.confirmed is True


def test_a_reader_that_has_enough_is_no_error(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "nomad_operator", "graph"],
            cwd=tmp_path, env=_environment(tmp_path), stdout=write, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_an_unexpected_error_is_one_line_and_a_traceback_only_when_asked_for(tmp_path: Path) -> None:
    code = (
        "import sys; from nomad_operator import cli\n"
        "def broken(name): raise KeyError('hunter2')\n"
        "cli._command = broken; sys.exit(cli.main(['version']))"
    )
    for level, traceback in (("info", False), ("debug", True)):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
            env=_environment(tmp_path, NOMAD_OPERATOR_LOG_LEVEL=level),
        )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr.startswith("error: this is a bug of nomad-operator: KeyError")
        assert ("Traceback" in done.stderr, "hunter2" in done.stderr) == (traceback, traceback)


def test_ctrl_c_ends_a_command_quietly_with_130(tmp_path: Path) -> None:
    # A run that was started in the background hands SIGINT down as ignored; a terminal does not.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys, time; from nomad_operator import cli\n"
        "def waiting(name):\n print('up', flush=True); time.sleep(60)\n"
        "cli._command = waiting; sys.exit(cli.main(['version']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, env=_environment(tmp_path),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "up\n"
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read() == ""
        assert time.monotonic() - started < 10


def test_text_that_the_terminal_cannot_show_does_not_end_a_command(tmp_path: Path, served: Any) -> None:
    done = _run(tmp_path, "status", NOMAD_OPERATOR_ADDR=served.address, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "apps ready" in done.stdout
