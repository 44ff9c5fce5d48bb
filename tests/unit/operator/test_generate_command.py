"""`generate`: the job as HCL with sources, the same bytes each time, from code, manifests and job files."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.draft.sourced_hcl import sourced_hcl
from desired.job.hcl_read import LocalParser
from desired.state import HclSource
from nomad_operator.cli import main

SAMPLES = Path(__file__).parents[2] / "samples"
NAMES = sorted(path.name for path in SAMPLES.iterdir() if path.is_dir())
Run = Callable[..., tuple[int, str, str]]
MANIFEST = """\
apiVersion: nomad-operator/v1
kind: App
metadata: {name: web}
spec:
  image: busybox:1
  count: 2
  ports:
    http: {to: 8080}
  env:
    MODE: {fixed: prod}
    TOKEN:
      vault: secret/data/web#token
  volumes: [{host: data, mount: /data}]
  files:
    /etc/x: {consul: web/x}
  job:
    group: {app: {task: {app: {kill_timeout: 20s}}}}
---
apiVersion: nomad-operator/v1
kind: App
metadata: {name: other}
spec: {image: busybox:2}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def parsed(text: str) -> object:
    return asyncio.run(LocalParser().parse(HclSource(text)))


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_gives_the_same_bytes_each_time_and_its_hcl_is_its_json(run: Run, name: str, tmp_path: Path) -> None:
    folder = str(SAMPLES / name / "code")
    first = run("generate", folder, "--output", "a/")
    assert run("generate", folder, "--output", "b/")[0] == first[0]
    assert run("generate", folder, "--output", "c/", "--format", "json")[0] == first[0]
    files = sorted(Path("a").iterdir())
    assert [str(file) for file in files] == sorted(first[1].split())
    for file in files:
        text = file.read_text()
        assert text == (tmp_path / "b" / file.name).read_text()
        assert "# " in text
        job = json.loads((tmp_path / "c" / file.name.replace(".nomad.hcl", ".json")).read_text())
        assert parsed(text) == job


def test_every_value_names_the_place_it_is_from(run: Run) -> None:
    _, text, _ = run("generate", str(SAMPLES / "video-transcription" / "code"))
    for line in (
        'image = "registry.cluster:5000/video-transcription:3.2.0" # build_yaml: build.yaml:1',
        'WORKERS    = "2"          # build_yaml: build.yaml:30',
        "memory = 16384 # build_yaml: build.yaml:8",
        "# S3_SECRET_KEY: build_yaml: build.yaml:22",
        "count = 1 # build_yaml: build.yaml:11",
    ):
        assert line in text
    assert "# dockerfile: Dockerfile:8\n      port" in text
    assert "# build_yaml: build.yaml:13\n  constraint {" in text


def test_what_is_open_is_said_at_the_head_and_in_the_exit_code(run: Run) -> None:
    code, text, err = run("generate", str(SAMPLES / "flask-api" / "code"))
    assert code == 1
    assert text.startswith("# open: env.DB_HOST: Where does DB_HOST come from (app/settings.py:8)?\njob ")
    assert "open: flask-api: env.DB_HOST" in err
    Path("a").write_text("env.DB_HOST = fixed: db.cluster\n")
    code, text, err = run("generate", str(SAMPLES / "flask-api" / "code"), "--answers", "a")
    assert (code, err) == (0, "")
    assert 'DB_HOST  = "db.cluster" # answer' in text


def test_a_manifests_values_are_named_by_its_lines(run: Run) -> None:
    Path("web.yaml").write_text(MANIFEST)
    code, text, err = run("generate", "web.yaml", "--app", "web")
    assert (code, err) == (0, "")
    for line in (
        'image   = "busybox:1" # web.yaml:5',
        "count = 2 # web.yaml:6",
        'MODE = "prod" # web.yaml:10',
        "# TOKEN: web.yaml:11",
        "# /etc/x: web.yaml:15",
        'kill_timeout = "20s" # web.yaml:17',
        "# web.yaml:13\n    volume",
    ):
        assert line in text, line
    assert parsed(text) == json.loads(run("generate", "web.yaml", "--app", "web", "--format", "json")[1])
    both = run("generate", "web.yaml")[1]
    assert 'job "other"' in both and "# web.yaml:22" in both
    assert [job["ID"] for job in json.loads(run("generate", "web.yaml", "--format", "json")[1])] == ["web", "other"]


def test_a_job_file_is_itself_and_as_json_what_it_means(run: Run) -> None:
    text = '# by hand\njob "web" {\n  group "g" {\n    task "t" {\n      driver = "docker"\n    }\n  }\n}\n'
    Path("web.nomad.hcl").write_text(text)
    assert run("generate", "web.nomad.hcl") == (0, text, "")
    assert json.loads(run("generate", "web.nomad.hcl", "--format", "json")[1])["ID"] == "web"


def test_variables_of_a_job_file_are_in_what_is_printed(run: Run) -> None:
    Path("web.nomad.hcl").write_text(
        'variable "image" {}\njob "web" {\n  group "g" {\n    task "t" {\n      driver = "docker"\n'
        "      config {\n        image = var.image\n      }\n    }\n  }\n}\n"
    )
    Path("web.vars.hcl").write_text('image = "busybox:3"\n')
    code, text, _ = run("generate", "web.nomad.hcl")
    assert code == 0
    assert "busybox:3" in text and "variable" not in text


def test_what_cannot_become_a_job_is_told_with_its_question(run: Run) -> None:
    Path("code").mkdir()
    Path("code/Dockerfile").write_text("FROM scratch\n")
    code, out, err = run("generate", "code")
    assert (code, out) == (1, "")
    assert "Which image runs?" in err
    Path("bad.yaml").write_text(MANIFEST.replace("count: 2", "count: two"))
    code, out, err = run("generate", "bad.yaml")
    assert (code, out) == (1, "")
    assert "bad.yaml:6" in err
    Path("notes.yaml").write_text("a: b\n")
    assert "holds no app" in run("generate", "notes.yaml")[2]
    assert run("generate", "nowhere")[0] == 2
    Path("one.yaml").write_text(MANIFEST)
    Path("two.yaml").write_text(MANIFEST)
    assert "two.yaml:1: claims default/web as well" in run("generate", "one.yaml")[2]


@given(st.text(max_size=60))
def test_whatever_a_source_says_it_stays_a_comment(said: str) -> None:
    text = (
        'job "a" {\n  type = "batch"\n\n  group "g" {\n    task "t" {\n      driver = "docker"\n\n      config {\n'
        '        args = [\n          "a",\n        ]\n        command = <<-EOT\n          x\n        EOT\n      }\n'
        "    }\n  }\n}\n"
    )
    task = ("group", "g", "task", "t")
    told = [("type",), ("group", "g"), (*task, "nothing"), (*task, "config", "args"), (*task, "config", "command")]
    made = sourced_hcl(text, {path: [said] for path in told})
    assert parsed(made) == parsed(text)
    assert sourced_hcl(text, {path: [said] for path in told}) == made


def test_what_a_manifest_leaves_to_its_code_is_named_by_the_codes_lines(run: Run, tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "flask-api" / "code", tmp_path / "flask-api")
    (tmp_path / ".git").mkdir()
    Path("flask-api.yaml").write_text(
        "apiVersion: nomad-operator/v1\nkind: App\nmetadata: {name: flask-api}\nspec:\n  source: {path: flask-api}\n"
        "  count: 3\n  env:\n    DB_HOST: {fixed: db}\n    REDIS_URL: {consul: a/b}\n    SECRET_KEY: {vault: a/b#c}\n"
    )
    code, text, err = run("generate", "flask-api.yaml")
    assert (code, err) == (0, "")
    for line in (
        "count = 3 # flask-api.yaml:6",
        'image = "registry.cluster:5000/flask-api:1.4.2" # build_yaml: build.yaml:1',
        'DB_HOST  = "db"       # flask-api.yaml:8',
        'GREETING = "good day" # build_yaml: build.yaml:9',
        "# REDIS_URL: flask-api.yaml:9",
        "# DB_PASSWORD: build_yaml: build.yaml:13",
        "# app_code: app/__init__.py:15\n      check",
    ):
        assert line in text, line
