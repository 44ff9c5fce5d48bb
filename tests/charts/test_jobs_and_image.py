"""The operator's own job and image: Nomad takes the job, its settings are settings, and nothing runs as root."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from desired.job.hcl_read import read_job
from nomad_operator.settings_load import load
from tests.e2e.waiting import until

ROOT = Path(__file__).parents[2]
CHARTS = ROOT / "charts"
JOBS = sorted(CHARTS.glob("*.nomad.hcl"))
VALUES = 'git_url = "https://git.example.org/team/apps.git"'


def task(job: Any) -> Any:
    (group,) = job["TaskGroups"]
    (one,) = group["Tasks"]
    return one


@pytest.fixture(params=JOBS, ids=lambda path: path.name)
def job(request: pytest.FixtureRequest) -> Any:
    return read_job(request.param.read_text(encoding="utf-8"), VALUES)


def test_every_setting_of_the_job_is_one_and_is_valid(job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in task(job)["Env"].items():
        if name.startswith(("NOMAD_", "VAULT_", "CONSUL_")):
            monkeypatch.setenv(name, str(value))
    settings = load(env_file=None, required=("git_url",)).settings
    assert settings.nomad_addr.startswith("unix://")
    # The port that the group opens is the one that is listened on, and the check asks it.
    (group,) = job["TaskGroups"]
    assert settings.listen_at == ("0.0.0.0", group["Networks"][0]["DynamicPorts"][0]["To"])
    assert group["Services"][0]["Checks"][0]["Path"] == "/healthz"


def test_the_task_has_an_identity_and_as_few_rights_as_it_needs(job: Any) -> None:
    found = task(job)
    assert found["Identity"]["Env"] is True
    assert found["Config"]["readonly_rootfs"] is True
    assert found["Config"]["cap_drop"] == ["all"]
    assert not found["Config"].get("privileged")


def test_what_is_remembered_is_where_whoever_acts_next_finds_it(job: Any) -> None:
    (group,) = job["TaskGroups"]
    state = task(job)["Env"]["NOMAD_OPERATOR_STATE_URL"]
    if job["Type"] == "system":
        assert state == "nomad://nomad-operator/state", "each copy would have a file of its own"
        assert 'path "nomad-operator/state/*"' in (CHARTS / "policy-state.hcl").read_text(encoding="utf-8")
        return
    assert (job["Type"], group["Count"]) == ("service", 1), "one copy: a file is nobody else's"
    disk = group["EphemeralDisk"]
    assert disk["Sticky"] is True and disk["Migrate"] is True
    assert state.startswith("sqlite:////alloc/data/")


@pytest.mark.real
@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.name)
def test_a_real_nomad_takes_the_job_and_reads_it_as_we_do(path: Path) -> None:
    address = os.environ.get("NOMAD_TEST_ADDR")
    if not address:
        pytest.skip("the operator's own job on a real Nomad (NOMAD_TEST_ADDR)")
    with httpx.Client(base_url=address, trust_env=False, timeout=30) as nomad:
        text = path.read_text(encoding="utf-8")
        body = {"JobHCL": text, "Variables": VALUES, "Canonicalize": False}
        parsed = nomad.post("/v1/jobs/parse", json=body)
        assert parsed.status_code == 200, parsed.text
        ours = read_job(text, VALUES)
        assert task(parsed.json())["Env"] == task(ours)["Env"]
        assert task(parsed.json())["Config"] == task(ours)["Config"]
        judged = nomad.post("/v1/validate/job", json={"Job": parsed.json()}).json()
        assert not judged["ValidationErrors"] and not judged["Error"]
        # The one thing that a dev agent may lack is room.
        planned = nomad.post(f"/v1/job/{parsed.json()['ID']}/plan", json={"Job": parsed.json(), "Diff": False})
        assert planned.status_code == 200, planned.text


def test_the_image_holds_what_a_wheel_holds_and_runs_as_nobody_special() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = {line.split()[1] for line in lines if re.fullmatch(r"COPY (\w+) \1", line)}
    assert copied == {"operator", "reconcilers", "desired", "observers", "prompts"}
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert allowed[allowed.index("*") :].count("*") == 1
    assert {f"!{name}" for name in copied} <= set(allowed)
    last = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM")) :]
    assert [line for line in last if line.startswith("USER ")] == ["USER 10001:10001"]
    assert any(line.startswith("HEALTHCHECK ") for line in last)
    assert 'ENTRYPOINT ["nomad-operator"]' in last


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_image_is_built_and_healthy_on_a_read_only_root() -> None:
    """DOCKER_TEST_BASE names a base image with Python, such as python:3.13-slim-bookworm."""
    base = os.environ.get("DOCKER_TEST_BASE")
    if not base:
        pytest.skip("the image with Docker (DOCKER_TEST_BASE: an image with Python)")
    name = f"nomad-operator-test-{os.getpid()}"
    docker("build", "--quiet", "--network=host", f"--build-arg=BASE={base}", f"--tag={name}", str(ROOT))
    try:
        assert "nomad-operator" in docker("run", "--rm", "--read-only", "--tmpfs=/tmp", name, "version")
        docker("run", "--detach", "--rm", f"--name={name}", "--read-only", "--tmpfs=/tmp", "--cap-drop=all",
               "--env=NOMAD_OPERATOR_GIT_URL=/nowhere", "--env=NOMAD_ADDR=http://127.0.0.1:1", name)  # fmt: skip
        try:
            asks = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9650/healthz').read().decode())"

            def healthy() -> bool:
                state = json.loads(docker("inspect", name))[0]["State"]
                assert state["Running"], docker("logs", name)
                return bool(state["Health"]["Status"] == "healthy")

            until(healthy, what="the image is healthy", within=60)
            assert docker("exec", name, "python3", "-c", asks).strip() == "ok"
            assert docker("exec", name, "id", "-u").strip() == "10001"
        finally:
            docker("stop", "--time=10", name)
    finally:
        docker("image", "rm", "--force", name)


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"docker {arguments[0]}: {done.stdout}{done.stderr}"
    return done.stdout
