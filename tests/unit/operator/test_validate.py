"""`validate` and `doctor` as commands: what a person sees before deploying anything."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from desired.app import AppKey
from desired.errors import InvalidDesired, Rejected, Unavailable
from desired.policy import Policy
from desired.problem import Problem
from desired.state import DesiredApp, HclSource, JobBody, Kind
from nomad_operator.cli import main
from nomad_operator.commands.validate_server import judged_by_server
from observers.nomad import endpoints
from observers.nomad.errors import Attempt, refusal
from observers.running import Plan

GOOD = 'job "web" {\n  group "g" {\n    task "t" {\n      driver = "mock_driver"\n    }\n  }\n}\n'
BAD = 'job "bad" {\n  grup "g" {}\n}\n'
MANIFEST = "apiVersion: nomad-operator/v1\nkind: App\nmetadata: {name: wrapped}\nspec:\n  image: busybox:1\n"
NOWHERE = "http://127.0.0.1:9"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in a folder that holds `apps/web.nomad.hcl` and `apps/bad.nomad.hcl`."""
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "web.nomad.hcl").write_text(GOOD)
    (tmp_path / "apps" / "bad.nomad.hcl").write_text(BAD)
    (tmp_path / "README.md").write_text("# nothing")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NOMAD_ADDR", NOWHERE)

    def command(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def test_a_problem_is_told_with_its_file_line_and_column(run: Run) -> None:
    code, out, err = run("validate", "apps")
    assert code == 1
    assert out.startswith("apps/bad.nomad.hcl:2:3: ")
    assert len(out.splitlines()) == 1
    assert err == "1 app read, 1 problem in 1 file\n"


def test_only_what_was_named_is_judged(run: Run) -> None:
    assert run("validate", "apps/web.nomad.hcl") == (0, "", "1 app read, no problems\n")
    code, out, _ = run("validate", "apps/bad.nomad.hcl", "apps/web.nomad.hcl")
    assert (code, len(out.splitlines())) == (1, 1)


def test_a_named_file_that_holds_no_app_is_a_problem(run: Run) -> None:
    code, out, _ = run("validate", "README.md")
    assert code == 1
    assert out.startswith("README.md: holds no app")


def test_what_git_ignores_is_judged_only_if_it_is_named(run: Run, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("bad.*\n")
    assert run("validate", ".") == (0, "", "1 app read, no problems\n")
    assert run("validate", "apps/bad.nomad.hcl")[0] == 1


def test_two_files_for_one_app_are_told_once_whichever_was_asked_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / "apps" / "bad.nomad.hcl").unlink()
    (tmp_path / "apps" / "again.nomad.hcl").write_text(GOOD)
    for asked in ("apps", "apps/again.nomad.hcl"):
        _, out, _ = run("validate", asked)
        assert out == (
            "apps/again.nomad.hcl: claims default/web, and so does web.nomad.hcl "
            "(none of them is applied) [claimed-twice]\n"
        )
    _, out, _ = run("validate", "apps/web.nomad.hcl")
    assert out.startswith("apps/web.nomad.hcl: claims default/web, and so does again.nomad.hcl")


def test_two_documents_for_one_app_are_told_once_with_their_lines(run: Run, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(f"{MANIFEST}---\n{MANIFEST}")
    (tmp_path / "three.yaml").write_text(MANIFEST)
    _, out, _ = run("validate", "two.yaml")
    claims = "claims default/wrapped, and so do three.yaml:1 and two.yaml:7"
    assert out == f"two.yaml:1: {claims} (none of them is applied) [claimed-twice]\n"


def test_every_document_of_a_file_is_an_app(run: Run, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(f"{MANIFEST}---\n{MANIFEST.replace('wrapped', 'other')}")
    assert run("validate", "two.yaml") == (0, "", "2 apps read, no problems\n")
    told = json.loads(run("validate", "--json", "two.yaml")[1])
    assert [one["key"] for one in told["apps"]] == ["default/other", "default/wrapped"]


def test_a_job_file_is_judged_with_the_manifest_that_wraps_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "wrapped.nomad.hcl").write_text(GOOD.replace('"web"', '"wrapped"'))
    (tmp_path / "a.yaml").write_text(MANIFEST.replace("image: busybox:1", "jobFile: wrapped.nomad.hcl"))
    assert run("validate", "wrapped.nomad.hcl") == (0, "", "1 app read, no problems\n")
    (tmp_path / "wrapped.nomad.hcl").write_text(BAD.replace('"bad"', '"wrapped"'))
    code, out, _ = run("validate", "wrapped.nomad.hcl")
    assert (code, out[:22]) == (1, "wrapped.nomad.hcl:2:3:")
    assert run("validate", "a.yaml")[:2] == (1, out)
    (tmp_path / "a.yaml").write_text(MANIFEST.replace("image: busybox:1", "{jobFile: wrapped.nomad.hcl, cuont: 1}"))
    code, out, _ = run("validate", "wrapped.nomad.hcl")
    assert code == 1 and "belongs to a manifest" in out


def test_as_json_problems_have_their_parts(run: Run) -> None:
    code, out, _ = run("validate", "--json", ".")
    told = json.loads(out)
    assert code == 1
    assert [(one["path"], one["line"], one["column"]) for one in told["problems"]] == [("apps/bad.nomad.hcl", 2, 3)]
    assert told["apps"] == [{"path": "apps/web.nomad.hcl", "key": "default/web"}]


def test_a_path_that_is_not_there_is_wrong_usage(run: Run) -> None:
    code, out, err = run("validate", "nowhere")
    assert (code, out) == (2, "")
    assert err.startswith("error: nowhere does not exist\nhint: ")


def test_a_server_that_is_away_hides_nothing_that_was_found_without_it(run: Run) -> None:
    code, out, err = run("validate", "--server", "apps")
    assert code == 1
    assert out.startswith("apps/bad.nomad.hcl:2:3: ")
    assert "error: " in err and "hint: " in err


def test_the_doctor_says_what_is_wrong_and_what_to_do_and_ends_with_1(run: Run) -> None:
    code, out, err = run("doctor")
    assert (code, err) == (1, "")
    assert "not tried: Nomad does not answer" in out
    assert "NOMAD_OPERATOR_GIT_URL is not set" in out
    assert "hint: " in out
    assert "1.8.0 or newer" in out


def test_the_doctor_as_json_has_one_finding_a_probe(run: Run) -> None:
    code, out, _ = run("doctor", "--json")
    told = json.loads(out)
    assert code == 1
    findings = {finding["name"]: finding for finding in told["findings"]}
    assert findings["nomad"]["ok"] is False
    assert findings["nomad"]["address"] == NOWHERE
    assert findings["nomad: events"]["ok"] is None
    assert findings["state"]["ok"] is True
    assert told["nomad"]["oldest"] == "1.8.0"
    assert findings["git command"]["ok"] is True
    assert findings["git command"]["found"].startswith("git 2.")


@pytest.mark.parametrize(
    ("says", "found", "hint"),
    [
        ("git version 2.31.8", "git 2.31.8 is too old: 2.32 or newer is needed", "upgrade git"),
        ("git version 1.8.3.1", "git 1.8.3.1 is too old: 2.32 or newer is needed", "upgrade git"),
        ("hello", "does not tell its version", "install git 2.32 or newer"),
        ("git version 2.32.0 (Apple Git-132)", "git 2.32.0", ""),
        ("git version 3.0.0-rc1", "git 3.0.0-rc1", ""),
    ],
)
def test_the_doctor_says_whether_git_is_new_enough(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, found: str, hint: str
) -> None:
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    _, out, _ = run("doctor", "--json")
    [finding] = [one for one in json.loads(out)["findings"] if one["name"] == "git command"]
    assert (finding["ok"], finding["address"]) == (not hint, str(program))
    assert found in finding["found"] and hint in finding["hint"]


def test_the_doctor_misses_git_where_there_is_none(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, out, _ = run("doctor")
    assert code == 1
    assert "git command: ask git for its version: the git command was not found on this machine" in out
    assert "install git (2.32 or newer)" in out


class FakeServer:
    """Judges by the job's text."""

    async def parse(self, source: HclSource) -> JobBody:
        if source.text == "unparsable":
            raise InvalidDesired((Problem("input.hcl", 3, 1, "no such block"),))
        if source.text == "away":
            raise Unavailable("no leader")
        return {"ID": source.text}

    async def validate(self, body: JobBody) -> tuple[tuple[str, ...], str]:
        return (("task t: missing", "group g: missing") if body["ID"] == "invalid" else ()), "deprecated"

    async def plan(self, key: AppKey, body: JobBody) -> Plan:
        assert body["Namespace"] == key.namespace
        if body["ID"] == "refused":
            raise Rejected("no such namespace", hint="make it")
        if body["ID"] == "refused twice":
            attempt = Attempt("plan default/web", endpoints.PLAN, NOWHERE)
            raise refusal(attempt, 500, "2 errors occurred:\n\t* no driver\n\t* no memory\n\n")
        return Plan(index=0, diff_type="Added", warnings="deprecated" if body["ID"] == "same" else "other")


@pytest.mark.parametrize(
    ("text", "problems", "warnings"),
    [
        ("unparsable", ["web.nomad.hcl:3:1: no such block"], []),
        (
            "invalid",
            ["web.nomad.hcl: task t: missing [nomad]", "web.nomad.hcl: group g: missing [nomad]"],
            ["deprecated"],
        ),
        (
            "refused twice",
            [
                f"web.nomad.hcl: {what} (correct the job; nothing was changed) [nomad]"
                for what in ("no driver", "no memory")
            ],
            ["deprecated"],
        ),
        ("refused", ["web.nomad.hcl: no such namespace (make it) [nomad]"], ["deprecated"]),
        ("well", [], ["deprecated", "other"]),
        ("same", [], ["deprecated"]),
    ],
)
async def test_what_the_server_says_is_told_of_the_file(text: str, problems: list[str], warnings: list[str]) -> None:
    app = DesiredApp(AppKey("default", "web"), Kind.JOB_FILE, "web.nomad.hcl", HclSource(text), "", Policy())
    (judgement,) = await judged_by_server(FakeServer(), [("web.nomad.hcl", app)])
    assert [str(problem) for problem in judgement.problems] == problems
    assert [warning.message for warning in judgement.warnings] == warnings


async def test_a_server_without_a_leader_is_no_problem_of_the_file() -> None:
    app = DesiredApp(AppKey("default", "web"), Kind.JOB_FILE, "web.nomad.hcl", HclSource("away"), "", Policy())
    with pytest.raises(Unavailable):
        await asyncio.wait_for(judged_by_server(FakeServer(), [("web.nomad.hcl", app)]), 5)


def test_who_waits_for_itself_is_wrong_and_who_waits_for_a_stranger_is_told(run: Run, tmp_path: Path) -> None:
    def app(name: str, *needs: str) -> str:
        return MANIFEST.replace("wrapped", name) + f"  dependsOn: {json.dumps(needs)}\n"

    apps = [app("a", "b"), app("b", "other/c", "a"), app("d", "web", "gone", "broken")]
    (tmp_path / "apps" / "three.yaml").write_text("---\n".join(apps))
    (tmp_path / "apps" / "broken.yaml").write_text(MANIFEST.replace("wrapped", "broken") + "  cuont: 1\n")
    _, out, _ = run("validate", "apps/three.yaml")
    end = "(none of them is deployed; leave out one dependency) [depends-on]"
    waits = "and the app waits until one does [depends-on]"
    assert out.splitlines() == [
        f"apps/three.yaml:1: dependsOn goes in a circle: default/a → default/b → default/a {end}",
        f"apps/three.yaml:8: dependsOn goes in a circle: default/b → default/a → default/b {end}",
        f"apps/three.yaml:8: warning: dependsOn: no file here asks for other/c, {waits}",
        f"apps/three.yaml:15: warning: dependsOn: no file here asks for default/gone, {waits}",
    ]


def test_a_service_that_the_app_of_its_name_does_not_offer_is_told(run: Run, tmp_path: Path) -> None:
    def app(name: str, *, namespace: str = "default", more: str = "") -> str:
        head = f"apiVersion: nomad-operator/v1\nkind: App\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        return f"{head}spec:\n  image: nginx:1\n{more}"

    asks = (
        '  env: {A: {service: "{cache}"}, B: {service: "{db.host}"}, C: {service: "{queue}"}, D: {service: "{web}"}}\n'
    )
    apps = [app("asks", more=asks), app("cache"), app("db", more="  ports: {sql: {to: 5432}}\n")]
    # Another namespace is none of theirs, and the last is a job by hand.
    (tmp_path / "apps" / "some.yaml").write_text("---\n".join([*apps, app("queue", namespace="other")]))
    _, out, _ = run("validate", "apps/some.yaml")
    (told,) = out.splitlines()
    assert told.startswith(
        "apps/some.yaml:1: warning: asks for the service cache, and the app default/cache offers none"
    )


@pytest.mark.parametrize("name", [".", "..", "a/../b", "a\u202eb", "a\u200bb", "a\x07b", "\u2066a"])
def test_a_name_that_cannot_be_asked_for_or_read_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "apps" / "bad.nomad.hcl").unlink()
    (tmp_path / "apps" / "a.yaml").write_text(MANIFEST.replace("wrapped", json.dumps(name).join("  ")))
    (tmp_path / "apps" / "b.nomad.hcl").write_text(GOOD.replace('"web"', json.dumps(name)))
    code, out, _ = run("validate", "apps")
    assert code == 1
    assert [line.partition(":")[0] for line in out.splitlines()] == ["apps/a.yaml", "apps/b.nomad.hcl"]
    assert all(line.isprintable() for line in out.splitlines())


def test_an_error_cannot_steer_the_terminal(run: Run) -> None:
    code, _, err = run("validate", "a\x1b[2Jb\u202ec")
    assert code == 2
    assert err.startswith("error: a\\x1b[2Jb\\u202ec does not exist\n")


def test_one_file_does_not_bury_the_others_under_its_problems(run: Run, tmp_path: Path) -> None:
    (tmp_path / "apps" / "slip.nomad.hcl").write_text('job "slip" {\n  name = "' + "${" * 500, encoding="utf-8")
    code, out, err = run("validate", "apps")
    told = [line for line in out.splitlines() if line.startswith("apps/slip.nomad.hcl")]
    assert (code, len(told)) == (1, 101)
    every = [one for one in json.loads(run("validate", "apps", "--json")[1])["problems"] if "slip" in one["path"]]
    assert told[-1] == f"apps/slip.nomad.hcl: and {len(every) - 100} more problems; --json has all of them"
    assert "apps/bad.nomad.hcl:2:3: " in out and f"{len(every) + 1} problems in 2 files" in err


RULES = "apiVersion: nomad-operator/v1\nkind: Policy\nspec: {drivers: [docker]}\n"


@pytest.mark.parametrize("where", ["setting", "argument", "repository"])
def test_a_rule_that_is_broken_has_its_place_its_name_and_a_fix(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    path = tmp_path / ("apps/rules.yaml" if where == "repository" else "rules.yaml")
    path.write_text(RULES)
    if where == "setting":
        monkeypatch.setenv("NOMAD_OPERATOR_POLICY_FILE", str(path))
    arguments = ["validate", "--json", "apps/web.nomad.hcl"]
    code, out, _ = run(*arguments, *(["--policy", str(path)] if where == "argument" else []))
    (found,) = json.loads(out)["problems"]
    assert (code, found["path"], found["line"], found["rule"]) == (1, "apps/web.nomad.hcl", 4, "drivers")
    assert found["hint"] == "allowed are docker"
    assert "rules.yaml" in found["message"]


def test_rules_of_all_places_hold_at_once_and_one_that_warns_is_a_warning(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, spec in (("a", "{drivers: [mock_*]}"), ("b", "{metaRequired: [owner]}"), ("c", "{drivers: ['*']}")):
        (tmp_path / f"{name}.yaml").write_text(RULES.replace("{drivers: [docker]}", spec))
    (tmp_path / "apps" / "rules.yaml").write_text(RULES.replace("spec: {", "spec: {warn: ['*'], "))
    monkeypatch.setenv("NOMAD_OPERATOR_POLICY_FILE", "a.yaml")
    code, out, err = run("validate", "--policy", "b.yaml", "--policy", "c.yaml", "apps/web.nomad.hcl")
    assert (code, err) == (1, "1 app read, 1 problem in 1 file\n")
    problem, warning = out.splitlines()
    assert problem.startswith("apps/web.nomad.hcl:1:1: the job's meta has no owner, says b.yaml (")
    assert problem.endswith("[metaRequired]")
    assert warning.startswith("apps/web.nomad.hcl:4:") and "warning: " in warning and warning.endswith("[drivers]")


def test_rules_that_cannot_be_read_are_told_once_whatever_was_asked_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / "apps" / "two.yaml").write_text(MANIFEST)
    (tmp_path / "apps" / "rules.yaml").write_text(RULES.replace("drivers", "driver"))
    for asked in ("apps/web.nomad.hcl", "apps/rules.yaml"):
        code, out, _ = run("validate", asked)
        assert (code, len(out.splitlines())) == (1, 1)
        assert out.startswith("apps/rules.yaml:3:8: spec.driver")
    (tmp_path / "apps" / "rules.yaml").unlink()
    code, out, _ = run("validate", "--policy", "nowhere.yaml", "apps/web.nomad.hcl", "apps/two.yaml")
    assert (code, out) == (1, "nowhere.yaml: cannot be read: No such file or directory\n")


def test_a_file_of_rules_is_asked_about_like_any_other(run: Run, tmp_path: Path) -> None:
    (tmp_path / "apps" / "rules.yaml").write_text(RULES)
    assert run("validate", "apps/rules.yaml") == (0, "", "0 apps read, no problems\n")


def test_doctor_says_whether_the_rules_can_be_read(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rules() -> list[tuple[bool, str]]:
        findings = json.loads(run("doctor", "--json")[1])["findings"]
        return [(one["ok"], one["found"]) for one in findings if one["name"] == "rules"]

    assert rules() == []
    monkeypatch.setenv("NOMAD_OPERATOR_POLICY_FILE", "rules.yaml")
    assert rules() == [(False, "rules.yaml: cannot be read: No such file or directory")]
    (tmp_path / "rules.yaml").write_text(RULES)
    assert [ok for ok, _ in rules()] == [True]


def test_of_a_manifest_the_line_that_makes_it_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "apps" / "two.yaml").write_text(f"{MANIFEST}  resources:\n    memory: 300\n")
    (tmp_path / "apps" / "rules.yaml").write_text(RULES.replace("drivers: [docker]", "resources: {memory: 200}"))
    _, out, _ = run("validate", "apps/two.yaml")
    assert out.startswith("apps/two.yaml:7:13: app/app: memory 300 is above the limit of 200, says rules.yaml (")
