"""`validate` compares the routes of the files with each other, and reads tags as Fabio would."""

from __future__ import annotations

from pathlib import Path

import pytest

from nomad_operator.cli import main

JOB = """job "{name}" {{
  group "g" {{
    service {{
      name = "{name}"
      tags = ["{tag}"]
      check {{
        type     = "tcp"
        interval = "10s"
        timeout  = "2s"
      }}
    }}
    task "t" {{
      driver = "mock_driver"
    }}
  }}
}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, tag in (("api", "urlprefix-web.cluster/"), ("web", "urlprefix-web.cluster/")):
        (tmp_path / f"{name}.nomad.hcl").write_text(JOB.format(name=name, tag=tag))
    return tmp_path


@pytest.mark.parametrize(("strict", "code", "begins"), [("true", 1, ""), ("false", 0, "warning: ")])
def test_two_files_that_ask_for_one_route_are_told_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    strict: str, code: int, begins: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("NOMAD_OPERATOR_FABIO_STRICT", strict)
    assert main(["validate", "."]) == code
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"web.nomad.hcl:5:14: {begins}web.cluster/ is claimed by app default/api too")
    assert "web-2.cluster is free" in line and line.endswith("[routes.exact_match]")


def test_a_tag_that_stops_fabio_is_a_problem_of_its_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "api.nomad.hcl").write_text(JOB.format(name="api", tag="urlprefix-"))
    assert main(["validate", "api.nomad.hcl"]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("api.nomad.hcl:5:14: service api: ") and line.endswith("[routes.tag]")
