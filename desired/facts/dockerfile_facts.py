"""The extractor `dockerfile`: what the chosen Dockerfile says of the image it makes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, TypeVar

from desired.facts.codebase import Codebase, Component
from desired.facts.dockerfile_stages import At, DockerfileError, HealthCheck, Stage, stages
from desired.facts.extractor import Extraction, Extractor
from desired.facts.fact import Fact, Place
from desired.facts.facts import Facts, HealthFact, PortFact, VolumeFact
from desired.facts.health_command import health_of
from desired.problem import Problem
from desired.secret_literals import is_secret

T = TypeVar("T")
NAME = "dockerfile"
PRIORITY = 0.6
_GPU = re.compile(
    r"(?:^|/)(?:nvidia/cuda|nvidia/|nvcr\.io/|pytorch/pytorch:.*cuda|tensorflow/tensorflow:.*gpu|rocm/)", re.I
)
_TIMES = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def extract(codebase: Codebase, component: Component) -> Extraction:
    if component.dockerfile is None:
        return Extraction()
    path = component.dockerfile
    text = codebase.text(path)
    if text is None:
        return Extraction(warnings=(Problem(path, message="cannot be read as text"),))
    try:
        last = stages(text)[-1]
    except DockerfileError as error:
        return Extraction(warnings=(Problem(path, error.line, message=f"is not a Dockerfile: {error}"),))
    return Extraction(_Found(path).facts(last))


class _Found:
    def __init__(self, path: str) -> None:
        self._path = path

    def facts(self, stage: Stage) -> Facts:
        env, hidden = self._environment(stage)
        return Facts(
            entrypoint=self._of(stage.entrypoint),
            command=self._of(stage.command),
            working_dir=self._of(stage.working_dir),
            user=self._of(stage.user),
            health=self._health(stage.health),
            architecture=self._architecture(stage.platform),
            gpu=self._gpu(stage.base),
            ports={port: self._fact(PortFact(port, protocol=kind), line) for port, kind, line in stage.ports},
            volumes={at.value: self._fact(VolumeFact(at.value), at.line) for at in stage.volumes},
            env=env,
            secret_literals=hidden,
        )  # fmt: skip

    def _fact(self, value: T, line: int, reason: str = "", confidence: float = PRIORITY) -> Fact[T]:
        return Fact(value, NAME, confidence, Place(self._path, line), reason)

    def _of(self, at: At | None) -> Fact[Any] | None:
        return None if at is None or not at.value else self._fact(at.value, at.line)

    def _environment(self, stage: Stage) -> tuple[dict[str, Fact[str]], dict[str, Fact[str]]]:
        env: dict[str, Fact[str]] = {}
        hidden: dict[str, Fact[str]] = {}
        for name, at in stage.env.items():
            if is_secret(name, at.value):
                hidden[name] = self._fact(name, at.line)
            else:
                env[name] = self._fact(at.value, at.line)
        return env, hidden

    def _health(self, at: At | None) -> Fact[HealthFact] | None:
        if at is None:
            return None
        check: HealthCheck = at.value
        told = health_of(check.command, shell=check.shell)
        timed = HealthFact(
            told.path, told.command, told.port,
            interval=_time(check.flags.get("interval")),
            timeout=_time(check.flags.get("timeout")),
            start=_time(check.flags.get("start-period")),
        )  # fmt: skip
        return self._fact(timed, at.line)

    def _gpu(self, base: At) -> Fact[int] | None:
        image = str(base.value)
        return self._fact(1, base.line, f"it is built on {image}") if _GPU.search(image) else None

    def _architecture(self, platform: At | None) -> Fact[str] | None:
        """Only one that the file fixes: `$BUILDPLATFORM` is whoever builds."""
        found = re.fullmatch(r"linux/(amd64|arm64|386|arm)(?:/v\d)?", str(platform.value)) if platform else None
        return self._fact(found[1], platform.line) if found and platform else None


def _time(text: str | None) -> timedelta | None:
    if text is None:
        return None
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    return timedelta(seconds=sum(float(number) * _TIMES[unit] for number, unit in parts)) if parts else None


extractor = Extractor(NAME, PRIORITY, extract)
