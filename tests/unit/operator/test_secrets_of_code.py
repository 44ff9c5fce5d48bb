"""A secret that stands in code, wherever and under whatever name: no command that reads the code ever shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nomad_operator.cli import main

# Made up for this test, and of no form that a scanner looks for.
SOME = "Kq8sVx2nW9"
LONG = f"{SOME}{SOME}{SOME}"
PLANTED: dict[str, tuple[str, str]] = {
    "a German name": ("compose", f"environment: {{GEHEIM: {SOME}}}"),
    "a French name": ("compose", f"environment: {{MOT_DE_PASSE: {SOME}}}"),
    "written in one": ("compose", f"environment: [APIPW={SOME}]"),
    "who and what in one": ("compose", f"environment: {{LOGIN: 'admin:{SOME}'}}"),
    "in a connection text": ("compose", f"environment: {{CONN: 'Server=db;Uid=sa;Pw={SOME};'}}"),
    "made by chance": ("compose", f"environment: {{THING: {LONG}}}"),
    "a user's group": ("compose", f"user: app:{SOME}"),
    "an option": ("compose", f"command: run -u bob:{SOME}"),
    "an address in an option": ("compose", f"command: [run, 'http://x.example/?api_key={SOME}']"),
    "an option of a check": ("compose", f"healthcheck: {{test: ['CMD', 'ask', '--token', '{SOME}']}}"),
    "a path of a check": ("docker", f"HEALTHCHECK CMD curl -f http://localhost:8080/up?token={SOME}"),
    "a variable of the image": ("docker", f"ENV DB_KENNWORT={SOME}"),
    "a build argument under another name": ("docker", f"ARG APP_SECRET={SOME}\nENV SPECIAL=$APP_SECRET"),
    "a default in code": ("python", f'import os\nTOKEN = os.environ.get("API_TOKEN", "{SOME}")\n'),
    "a broken file": ("compose", f"environment: {{PASSWORD: {SOME}"),
    "a line that is none": ("docker", f"HEALTHCHEK --password {SOME}"),
}


def _written(folder: Path, place: str, text: str) -> None:
    docker = "FROM python:3.12\nEXPOSE 8080\n" + (text if place == "docker" else "") + '\nCMD ["python", "app.py"]\n'
    (folder / "Dockerfile").write_text(docker)
    service = f"\n    {text}" if place == "compose" else ""
    (folder / "compose.yaml").write_text(f"services:\n  web:\n    build: .\n    image: r.example/web:1{service}\n")
    (folder / "app.py").write_text(text if place == "python" else "print(1)\n")


@pytest.mark.parametrize("case", PLANTED)
def test_no_command_shows_it(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    _written(code, *PLANTED[case])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NOMAD_ADDR", "http://127.0.0.1:9")
    told = ""
    for arguments in (
        ["analyze", "code"],
        ["analyze", "code", "--json"],
        ["init", "code", "--no-questions", "--skip-infra-check", "--output", "-"],
        ["init", "code", "--no-questions", "--skip-infra-check", "--output", "apps/"],
        ["generate", "code"],
        ["generate", "code", "--format", "json"],
        ["validate", "apps"],
    ):
        assert main(arguments) in (0, 1), arguments
        shown = capsys.readouterr()
        told += shown.out + shown.err
    told += "".join(path.read_text() for path in (tmp_path / "apps").rglob("*") if path.is_file())
    assert "web" in told and SOME not in told


@pytest.mark.parametrize("case", [case for case in PLANTED if "broken" not in case and "line" not in case])
def test_that_something_was_left_out_is_told(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A test that plants nothing would see nothing either."""
    _written(tmp_path, *PLANTED[case])
    assert main(["analyze", str(tmp_path), "--json"]) == 0
    shown = capsys.readouterr()
    (app,) = json.loads(shown.out)["apps"]
    hidden = any(one["field"].startswith(("secret_literals.", "left_out.")) for one in app["facts"])
    assert hidden or "holds a secret" in shown.out or "env_uses.API_TOKEN" in shown.out
