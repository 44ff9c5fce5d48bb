"""What is generated uses nothing that the oldest Nomad we work with refuses, nor what only Enterprise has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desired.app import AppKey
from desired.generate import generate
from desired.job.hcl_read import read_job
from desired.manifest import AppSpec, EnvValue
from desired.policy import OnFailure
from nomad_operator.supported import OLDEST_NOMAD
from observers.nomad.features import Feature, features, missing

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
OLDEST = features(OLDEST_NOMAD)
# What makes no part of the job, or makes all of it.
NO_PART = {
    "source", "jobFile", "variables", "dockerfile", "prompt", "job", "dependsOn", "suspend", "prune", "drift", "repair",
    "verify", "onFailure",
}  # fmt: skip
WHOLE: dict[str, Any] = {
    "image": "busybox:1",
    "count": 2,
    "datacenters": ["dc1"],
    "resources": {"cpu": 100, "memory": 64, "memoryMax": 128, "disk": 10},
    "ports": {"http": {"to": 80}, "x": {"to": 1, "static": 2}},
    "command": "serve",
    "args": ["-v"],
    "env": {
        "A": {"fixed": "a"},
        "B": {"consul": "a/b"},
        "C": {"vault": "secret/data/a#b"},
        "D": {"nomad": "nomad/jobs/web#b"},
        "E": {"service": "redis://{redis}/0"},
    },
    "check": {"path": "/up"},
    "routes": [{"host": "a.example.org"}],
    "volumes": [{"csi": "a", "mount": "/a", "owner": "1:1"}, {"host": "b", "mount": "/b"}],
    "files": {"/etc/a": {"content": "a"}, "/etc/b": {"vault": "secret/data/a#b"}, "/c": {"nomad": "nomad/jobs/web#t"}},
}


def made(spec: dict[str, Any], on_failure: OnFailure = OnFailure.ROLLBACK) -> Any:
    source, findings = generate(AppKey("default", "web"), AppSpec.model_validate(spec), on_failure)
    assert source is not None and not findings
    return source.body


@pytest.mark.parametrize("on_failure", list(OnFailure))
@pytest.mark.parametrize("type", ["service", "batch", "system", "sysbatch"])
def test_of_a_manifest_that_uses_everything(type: str, on_failure: OnFailure) -> None:
    spec = {**WHOLE, "type": type}
    if type not in ("service", "batch"):
        del spec["count"]
    body = made(spec, on_failure)
    assert missing(body, OLDEST) == ()
    assert missing(body, features("0.9.0"))


def test_of_secret_blocks_only_where_they_were_asked_for() -> None:
    asked = missing(made({**WHOLE, "secretForm": "block"}), OLDEST)
    assert {one.feature for one in asked} == {Feature.SECRET_BLOCK}


def test_nothing_that_a_manifest_can_say_is_left_out() -> None:
    fields = {str(field.alias) for field in AppSpec.model_fields.values()} - NO_PART
    assert fields == WHOLE.keys() | {"type", "secretForm"}
    assert {next(iter(one)) for one in WHOLE["env"].values()} == set(EnvValue.model_fields)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*/jobs/*.hcl")), ids=lambda path: path.stem)
def test_of_the_sample_repositories(path: Path) -> None:
    assert missing(read_job(path.read_text(encoding="utf-8")), OLDEST) == ()


def test_what_a_person_adds_by_hand_is_told() -> None:
    body = made({**WHOLE, "job": {"group": {"app": {"task": {"app": {"secret": {"db": {"provider": "vault"}}}}}}}})
    assert Feature.SECRET_BLOCK in [one.feature for one in missing(body, OLDEST)]
