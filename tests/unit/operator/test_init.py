"""`init` without a terminal: what it writes, lists, refuses, and answers from files and pipes."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from nomad_operator.cli import main

SAMPLES = Path(__file__).parents[2] / "samples"
Run = Callable[..., tuple[int, str, str]]
ANSWERS = """\
[flask-api]
env.DB_HOST = fixed: db.cluster
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in an empty folder in which nothing is set and no service is there."""
    for name in ("VAULT_ADDR", "CONSUL_HTTP_ADDR", "NOMAD_UNIX_SOCKET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NOMAD_ADDR", "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main(list(arguments))
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder of code: a Dockerfile, a variable that is needed, and one that is a secret."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM python:3.12\nEXPOSE 8000\nCMD python main.py\n")
    (folder / "main.py").write_text('import os\nos.environ["GREETING"]\nos.environ["API_TOKEN"]\n')
    return folder


def written(path: str) -> dict[str, object]:
    spec: dict[str, object] = yaml.safe_load(Path(path).read_text())["spec"]
    return spec


def test_without_questions_suggestions_are_taken_and_what_is_open_is_listed(run: Run) -> None:
    done, out, err = run("init", str(SAMPLES / "flask-api" / "code"), "--no-questions", "--app", "code")
    assert (done, out) == (2, "")
    assert "code is not among its apps" in err
    done, out, err = run("init", str(SAMPLES / "flask-api" / "code"), "--no-questions")
    assert (done, out) == (1, "apps/flask-api.yaml\n")
    assert "open: flask-api: env.DB_HOST: Where does DB_HOST come from (app/settings.py:8)?" in err
    spec = written("apps/flask-api.yaml")
    assert spec["env"] == {
        "DB_PASSWORD": {"vault": "secret/data/flask-api/db#password"},
        "DB_USER": {"vault": "secret/data/flask-api/db#username"},
        "APP_HOST": {"fixed": "0.0.0.0"},
        "GREETING": {"fixed": "good day"},
        "SECRET_KEY": {"vault": "secret/data/flask-api/config#secret_key"},
        "REDIS_URL": {"consul": "flask-api/config/redis_url"},
    }
    text = Path("apps/flask-api.yaml").read_text()
    assert "default, not sure: name (app/settings.py:9)" in text
    assert "# open: env.DB_HOST" in text


def test_answers_from_a_file_close_what_is_open(run: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.answers").write_text(ANSWERS)
    folder = str(SAMPLES / "flask-api" / "code")
    done, out, _ = run("init", folder, "--no-questions", "--answers", "shop.answers")
    assert (done, out) == (0, "apps/flask-api.yaml\n")
    assert written("apps/flask-api.yaml")["env"]["DB_HOST"] == {"fixed": "db.cluster"}  # type: ignore[index]
    assert run("validate", "apps")[0] == 0
    done, out, _err = run("init", folder, "--no-questions", "--answers", "-", "--output", "-", typed=ANSWERS)
    assert (done, yaml.safe_load(out)["metadata"]["name"]) == (0, "flask-api")


def test_answers_for_an_app_that_is_not_there_are_told(run: Run, code: Path, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("[shpo]\ncount = 2\n")
    for command in (["init", "--no-questions"], ["generate"]):
        done, out, err = run(*command, str(code), "--answers", "a")
        assert (done, out) == (1, "")
        assert "a: answers for shpo, which is none of its apps (did you mean `shop`?)" in err


def test_a_file_of_answers_that_holds_a_secret_is_refused_by_its_line_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("env.DB_PASSWORD = fixed: correct-horse-battery\nimgae = x\n")
    done, out, err = run("init", str(SAMPLES / "flask-api" / "code"), "--no-questions", "--answers", "a")
    assert (done, out) == (1, "")
    assert "a:1: env.DB_PASSWORD" in err and "a:2: imgae" in err
    assert "horse" not in err
    assert not Path("apps").exists()


def test_what_people_say_in_their_words_is_taken_and_told_as_that(run: Run, code: Path) -> None:
    words = "two instances, 512 MB, at api.cluster, please be gentle"
    done, _, err = run("init", str(code), "--no-questions", "--prompt", words)
    assert done == 1
    spec = written("apps/shop.yaml")
    assert (spec["count"], spec["resources"]["memory"]) == (2, 512)  # type: ignore[index]
    assert (spec["routes"], spec["prompt"]) == ([{"host": "api.cluster"}], "please be gentle")
    assert "count: 2  # prompt" in Path("apps/shop.yaml").read_text()
    assert "prompt" in next(line for line in err.splitlines() if " routes " in line)


def test_the_words_of_a_prompt_may_hold_no_secret(run: Run, code: Path) -> None:
    done, out, err = run("init", str(code), "--no-questions", "--prompt", "use password=correct-horse-1 here")
    assert (done, out) == (2, "")
    assert "horse" not in err
    assert not Path("apps").exists()


def test_a_manifest_that_is_there_is_never_overwritten_unasked(run: Run, code: Path) -> None:
    Path("apps").mkdir()
    Path("apps/shop.yaml").write_text("# mine\n")
    done, out, err = run("init", str(code), "--no-questions")
    assert (done, out) == (1, "")
    assert "--force" in err
    assert Path("apps/shop.yaml").read_text() == "# mine\n"
    typed = "\n".join(["", "", "img:1", "", "hello", "", "", "leave", ""])
    done, out, err = run("init", str(code), typed=typed)
    assert Path("apps/shop.yaml").read_text() == "# mine\n"
    assert "-# mine" in err
    done, out, err = run("init", str(code), "--no-questions", "--force")
    assert out == "apps/shop.yaml\n"
    again = run("init", str(code), "--no-questions", "--json")
    assert json.loads(again[1])["apps"][0]["state"] == "unchanged"


def test_through_a_pipe_one_line_is_one_answer(run: Run, code: Path) -> None:
    typed = ["Dockerfile", "registry.cluster/shop:1", "fixed: hello", "count", "2", "", ""]
    done, out, _err = run("init", str(code), typed="\n".join(typed) + "\n")
    assert (done, out) == (0, "apps/shop.yaml\n")
    spec = written("apps/shop.yaml")
    assert (spec["image"], spec["count"]) == ("registry.cluster/shop:1", 2)
    assert spec["env"] == {"GREETING": {"fixed": "hello"}, "API_TOKEN": {"vault": "secret/data/shop/api#token"}}
    assert not list(Path("apps").glob(".*"))
    assert run("validate", "apps")[0] == 0


def test_where_the_input_ends_the_answers_are_kept_and_the_next_run_goes_on(run: Run, code: Path) -> None:
    done, out, err = run("init", str(code), typed="\nregistry.cluster/shop:1\n")
    assert (done, out) == (1, "")
    assert "kept in apps/.shop.answers" in err
    assert "image = registry.cluster/shop:1" in Path("apps/.shop.answers").read_text()
    done, out, err = run("init", str(code), typed="hello\n\n\n")
    assert (done, out) == (0, "apps/shop.yaml\n")
    assert "going on with 2 answers" in err
    assert "Which image" not in err
    assert written("apps/shop.yaml")["image"] == "registry.cluster/shop:1"
    assert not Path("apps/.shop.answers").exists()


def test_where_nothing_was_answered_nothing_is_left_behind(run: Run, code: Path) -> None:
    done, _, err = run("init", str(code))
    assert done == 1
    assert "nothing was answered" in err
    assert not Path("apps").exists()


def test_a_kept_file_that_somebody_broke_is_told_and_left(run: Run, code: Path) -> None:
    Path("apps").mkdir()
    Path("apps/.shop.answers").write_text("[shop]\ncount = many\n")
    done, _, err = run("init", str(code), typed="\n")
    assert done == 1
    assert "apps/.shop.answers:2: count" in err
    assert Path("apps/.shop.answers").exists()


def test_a_compose_file_with_several_services_becomes_as_many_apps_that_know_each_other(run: Run) -> None:
    done, out, _ = run("init", str(SAMPLES / "express-app" / "code"), "--no-questions")
    assert (done, out) == (0, "apps/express-app.yaml\napps/redis.yaml\n")
    assert written("apps/express-app.yaml")["dependsOn"] == ["redis"]
    assert run("validate", "apps")[0] == 0
    done, out, err = run("init", str(SAMPLES / "express-app" / "code"), "--no-questions", "--output", "one.yaml")
    assert (done, out) == (2, "")
    assert "one file for 2 apps" in err
    done, out, _ = run(
        "init", str(SAMPLES / "express-app" / "code"), "--no-questions", "--app", "redis", "--output", "one.yaml"
    )
    assert (done, out) == (0, "one.yaml\n")


def test_several_dockerfiles_are_asked_about_and_one_may_be_named(run: Run, code: Path) -> None:
    (code / "Dockerfile.worker").write_text("FROM python:3.12\nCMD python worker.py\n")
    done, _, err = run("init", str(code), typed="nonsense\nDockerfile.worker\nimg:1\nhello\n\n\n")
    assert "one of Dockerfile, Dockerfile.worker" in err
    assert "ports" not in written("apps/shop.yaml")
    done, _, err = run("init", str(code), "--no-questions", "--dockerfile", "Dockerfile.wroker")
    assert done == 1
    assert "Dockerfile.worker" in err


def test_the_env_file_of_a_codebase_is_not_ours(run: Run, code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code / ".env").write_text("VAULT_ADDR=nonsense\nNOMAD_OPERATOR_NOTHING=1\n")
    monkeypatch.chdir(code)
    _done, _, err = run("init", "--no-questions")
    assert "Settings" not in err and "VAULT_ADDR" not in err
    assert (code / "apps" / "shop.yaml").exists()


def test_json_names_values_sources_and_questions(run: Run, code: Path) -> None:
    done, out, _err = run("init", str(code), "--no-questions", "--json", "--skip-infra-check")
    (app,) = json.loads(out)["apps"]
    assert (done, app["state"], app["path"]) == (1, "written", "apps/shop.yaml")
    assert [question["id"] for question in app["questions"]] == ["image", "env.GREETING"]
    port = next(value for value in app["values"] if value["id"] == "ports.http")
    assert port == {
        "id": "ports.http",
        "value": {"to": 8000},
        "source": "dockerfile: Dockerfile:2",
        "confidence": 0.6,
        "reason": "",
    }


def test_what_is_no_folder_is_told_in_a_line(run: Run) -> None:
    done, _, err = run("init", "nowhere", "--no-questions")
    assert done == 1
    assert "does not exist" in err


def test_an_image_that_nobody_named_is_a_question_of_the_operator_too(run: Run, code: Path, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert run("init", str(code), "--no-questions")[0] == 1
    assert written("apps/shop.yaml")["source"] == {"path": "shop"}
    assert "Which image runs?" in run("validate", "apps")[1]


def test_code_may_be_in_another_repository(run: Run, code: Path) -> None:
    for arguments in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", "-C", str(code), *arguments], check=True, capture_output=True)
    done, out, _ = run("init", f"file://{code}", "--no-questions", "--skip-infra-check")
    assert (done, out) == (1, "apps/shop.yaml\n")
    assert written("apps/shop.yaml")["source"] == {"git": str(code)}
    assert run("generate", f"file://{code}")[0] == 1
