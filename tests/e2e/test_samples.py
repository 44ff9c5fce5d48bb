"""The sample repositories: from code to the manifest, to the job, to a healthy app.

Each has its `code`, the `answers.txt` that a person would give, and the manifests and jobs that are to come of them.
"""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from nomad_operator.cli import main
from nomad_operator.embedded.world import load_world
from tests.e2e.nomads import EmbeddedServer
from tests.e2e.operator_process import OperatorProcess
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream

_SAMPLES = Path(__file__).parents[1] / "samples"
SAMPLES = sorted(path.name for path in _SAMPLES.iterdir() if (path / "code").is_dir())
# It asks for less than it needs.
_REPAIRED = "memory-test"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting, no file of the folder that the tests were started in."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("sample", SAMPLES)
def test_init_writes_the_manifests_that_are_expected(sample: str, tmp_path: Path) -> None:
    folder = _SAMPLES / sample
    answers = ["--answers", str(folder / "answers.txt")] if (folder / "answers.txt").exists() else []
    written = tmp_path / "apps"
    written.mkdir()
    arguments = ["--no-questions", "--skip-infra-check", *answers, "--output", f"{written}/"]
    assert main(["init", str(folder / "code"), *arguments]) == 0
    assert _texts(written) == _texts(folder / "apps")
    assert main(["validate", str(written)]) == 0


@pytest.mark.parametrize("sample", SAMPLES)
def test_generate_makes_the_jobs_that_are_expected(sample: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _SAMPLES / sample
    for path in sorted((folder / "apps").iterdir()):
        assert main(["generate", str(path)]) == 0
        assert capsys.readouterr().out == (folder / "jobs" / f"{path.stem}.nomad.hcl").read_text(encoding="utf-8")


def test_what_init_wrote_becomes_healthy_with_one_register_an_app(tmp_path: Path) -> None:
    apps = {name: text for sample in SAMPLES for name, text in _texts(_SAMPLES / sample / "apps").items()}
    names = [name.removesuffix(".yaml") for name in apps]
    versions = {name: int(name == _REPAIRED) for name in names}
    server = EmbeddedServer(world=load_world(_SAMPLES / "world.yaml"))
    nomad = httpx.Client(base_url=server.address, trust_env=False)
    upstream = Upstream(tmp_path / "upstream")
    upstream.commit({f"apps/{name}": text for name, text in apps.items()})
    process = OperatorProcess(
        folder=tmp_path / "operator", nomad=server.address, git_url=f"file://{upstream.folder}", GIT_PATH="apps"
    )
    try:
        process.start()
        process.until_ready(*names, within=120)
        jobs = {name: nomad.get(f"/v1/job/{name}").json() for name in names}
        assert {name: job["Version"] for name, job in jobs.items()} == versions
        for name in names:
            allocations = nomad.get(f"/v1/job/{name}/allocations").json()
            assert any(one["ClientStatus"] == "running" for one in allocations), name
        assert jobs[_REPAIRED]["TaskGroups"][0]["Tasks"][0]["Resources"]["MemoryMB"] >= 100
        # A commit that changes no value is no new spec.
        upstream.commit({f"apps/{name}": "# a word\n" + text for name, text in apps.items()})
        revision = upstream.git("rev-parse", "HEAD")
        until(lambda: process.status()["operator"]["revision"] == revision, what="the comment is read")
        process.until_ready(*names)
        assert {name: nomad.get(f"/v1/job/{name}").json()["Version"] for name in names} == versions
        assert "opensesame" not in "".join(process.lines)
    finally:
        process.end()
        nomad.close()
        server.stop()


def _texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}
