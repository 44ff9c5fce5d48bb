"""The extractor `dockerfile`: what the chosen Dockerfile says of the image it makes."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from desired.facts.amounts import duration
from desired.facts.codebase import Codebase, Component
from desired.facts.dockerfile_stages import At, HealthCheck, Stage, read_dockerfile
from desired.facts.dockerfile_text import DockerfileError
from desired.facts.extractor import Extraction, Extractor
from desired.facts.fact import Fact, Place
from desired.facts.facts import Facts, HealthFact, PortFact, VolumeFact
from desired.facts.health_command import health_of
from desired.facts.hidden_paths import nothing_kept
from desired.facts.image_name import image_parts
from desired.facts.known_images import known_image
from desired.facts.possible_secret import may_be_secret
from desired.facts.substitution import filled
from desired.facts.withheld import withheld
from desired.problem import Problem

T = TypeVar("T")
NAME = "dockerfile"
PRIORITY = 0.6
_GPU = re.compile(
    r"(?:^|/)(?:nvidia/cuda|nvidia/|nvcr\.io/|pytorch/pytorch:.*cuda|tensorflow/tensorflow:.*gpu|rocm/)", re.I
)
_MOST_WARNINGS = 10
# What it is built on may be told to listen elsewhere.
_OF_BASE = 0.5


def extract(codebase: Codebase, component: Component) -> Extraction:
    if component.dockerfile is None:
        return Extraction()
    path = component.dockerfile
    text = codebase.text(path)
    if text is None:
        return Extraction(warnings=(Problem(path, message="cannot be read as text"),))
    try:
        read = read_dockerfile(text, dict(component.build_args))
    except DockerfileError as error:
        return Extraction(warnings=(Problem(path, error.line, message=f"is not a Dockerfile: {error}"),))
    warnings = tuple(Problem(path, line, message=message) for line, message in read.problems[:_MOST_WARNINGS])
    stage = read.stage(component.target)
    known = {str(at.value) for name, at in stage.env.items() if may_be_secret(name, at.value)}
    known -= {str(at.value) for name, at in stage.env.items() if not may_be_secret(name, at.value)}
    # One that is passed on under another name is no plain word, which other variables may have for their own reasons.
    known |= {text for name, text in stage.args.items() if may_be_secret(name, text) and not text.isalpha()}
    facts, secrets = withheld(_Found(path).facts(stage), known)
    return Extraction(facts, (*warnings, *secrets))


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
            health=self._health(stage),
            architecture=self._architecture(stage.platform),
            gpu=self._gpu(stage.base),
            ports=self._ports(stage),
            volumes={
                at.value: self._fact(VolumeFact(at.value), at.line)
                for at in stage.volumes if at.value.startswith("/") and not nothing_kept(at.value)
            },
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
            if may_be_secret(name, at.value):
                hidden[name] = self._fact(name, at.line)
            else:
                env[name] = self._fact(at.value, at.line)
        return env, hidden

    def _ports(self, stage: Stage) -> dict[int, Fact[PortFact]]:
        """In the order of the file; of both protocols at one number TCP, which checks and routes can ask.

        Where it names none, those of a well-known image that it is built on.
        """
        found: dict[int, Fact[PortFact]] = {}
        parts = image_parts(str(stage.base.value)) if not stage.ports else None
        known = known_image(parts[1], parts[2]) if parts is not None else None
        if known is not None:
            reason = f"what {stage.base.value} listens on"
            return {port: self._fact(PortFact(port), stage.base.line, reason, _OF_BASE) for port in known.ports}
        for port, kind, line in stage.ports:
            if port not in found or (kind == "tcp" and found[port].value.protocol != "tcp"):
                found[port] = self._fact(PortFact(port, protocol=kind), line)
        return found

    def _health(self, stage: Stage) -> Fact[HealthFact] | None:
        if stage.health is None:
            return None
        check: HealthCheck = stage.health.value
        known = {name: str(at.value) for name, at in stage.env.items()}
        told = health_of([filled(word, known) for word in check.command], shell=check.shell)
        times = (check.flags.get(name) for name in ("interval", "timeout", "start-period"))
        interval, timeout, start = (None if text is None else duration(text) for text in times)
        timed = HealthFact(told.path, told.command, told.port, interval=interval, timeout=timeout, start=start)
        return self._fact(timed, stage.health.line)

    def _gpu(self, base: At) -> Fact[int] | None:
        image = str(base.value)
        return self._fact(1, base.line, f"it is built on {image}") if _GPU.search(image) else None

    def _architecture(self, platform: At | None) -> Fact[str] | None:
        """Only one that the file fixes: `$BUILDPLATFORM` is whoever builds."""
        found = re.fullmatch(r"linux/(amd64|arm64|386|arm)(?:/v\d)?", str(platform.value)) if platform else None
        return self._fact(found[1], platform.line) if found and platform else None


extractor = Extractor(NAME, PRIORITY, extract)
