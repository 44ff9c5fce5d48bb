"""What a manifest may say, field by field: the model behind checking, the JSON Schema and the reference.

Rules between fields are `desired.manifest_rules`: those are looked at even where single fields are wrong.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from desired.app import name_problem
from desired.job.duration import DurationError, parse_duration
from desired.yaml_scalar import RealNumber, WholeNumber

API_VERSION = "nomad-operator/v1"
KIND = "App"
# Thirty years, in nanoseconds: more overflows elsewhere.
_LONGEST = 10**18
DURATION_PATTERN = r"^(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+$"


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError("expected a duration with its unit, such as 60s or 5m")
    try:
        nanoseconds = parse_duration(value) if re.search(DURATION_PATTERN, value) else -1
    except DurationError:
        nanoseconds = -1
    if not 0 <= nanoseconds <= _LONGEST:
        raise ValueError("expected a duration such as 60s, 5m or 1h30m")
    return timedelta(microseconds=nanoseconds // 1000)


def _no_control(value: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise ValueError("a control character or line break cannot stand here")
    return value


def _job_name(value: str) -> str:
    if problem := name_problem(value):
        raise ValueError(problem)
    return value


def _literal(value: Any) -> Any:
    """An environment is text: numbers and booleans stand in it as they were written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.written if isinstance(value, WholeNumber | RealNumber) else value


def _without_nothing(value: Any) -> Any:
    """What is written as null is there for the code alone: it overrides what that says."""
    return {name: each for name, each in value.items() if each is not None} if isinstance(value, dict) else value


def _drift(value: Any) -> Any:
    return {"mode": value} if isinstance(value, str) else value


def _reference(what: str, pattern: str) -> Any:
    return Annotated[str, Field(pattern=pattern, max_length=512, description=what), AfterValidator(_no_control)]


Duration = Annotated[
    timedelta, BeforeValidator(_duration), WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN})
]
# Source: nomad/structs Job.Validate (no space, no NUL) and validNamespaceName.
_NAME = Field(pattern=r"^[^\s\x00]+$", min_length=1, max_length=512)
Name = Annotated[str, _NAME]
JobName = Annotated[str, _NAME, AfterValidator(_job_name)]
Namespace = Annotated[str, Field(pattern=r"^[a-zA-Z0-9-]{1,128}$")]
AppName = Annotated[
    str, Field(pattern=r"^(?:[a-zA-Z0-9-]{1,128}/)?[^\s\x00]+$", max_length=641), AfterValidator(_job_name)
]
# Source: go-envparse, by which Nomad reads the file that its templates make.
EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$", max_length=256)]
Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=64)]
Text = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_no_control)]
FilePath = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_no_control)]
MountPath = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._/-]*[A-Za-z0-9._-]$", max_length=1024)]
PortNumber = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[int, Field(ge=1, le=2**31 - 1)]


class _Block(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=False,
        extra="forbid",
        strict=True,
        frozen=True,
    )


class Metadata(_Block):
    """Which app this is: together the job's namespace and id."""

    name: JobName = Field(description="The job's id.")
    namespace: Namespace | None = Field(None, description="Nomad's namespace; the operator's default if left out.")


class Source(_Block):
    """Where the code is. Images are never built."""

    path: FilePath = Field(".", description="Folder of the code, below the repository.")
    git: Text | None = Field(None, description="Another repository than this one.")
    ref: Text | None = Field(None, description="Branch, tag or commit of that repository.")


class Resources(_Block):
    """What the task asks of a node; Nomad's defaults where left out."""

    cpu: Positive | None = Field(None, description="MHz.")
    memory: Positive | None = Field(None, description="MB.")
    memory_max: Positive | None = Field(None, description="MB that it may take where a node has memory to spare.")
    disk: Positive | None = Field(None, description="MB of the allocation's own disk.")


class Port(_Block):
    """A port of the container."""

    to: PortNumber | None = Field(None, description="The port inside the container.")
    static: PortNumber | None = Field(None, description="The port on the node; Nomad chooses one if left out.")


class EnvValue(_Block):
    """Where a value of the environment comes from: exactly one of these."""

    fixed: (
        Annotated[str, BeforeValidator(_literal), WithJsonSchema({"type": ["string", "number", "boolean"]})] | None
    ) = Field(None, description="The value itself. Never a secret.")
    consul: _reference("A key of Consul's key-value store.", r"^[^#]+$") | None = None  # type: ignore[valid-type]
    vault: _reference("A secret of Vault, as path#field.", r"^[^#]+#[^#]+$") | None = None  # type: ignore[valid-type]
    nomad: _reference("A Nomad variable, as path#field.", r"^[a-zA-Z0-9_~/-]{1,128}#[^#]+$") | None = None  # type: ignore[valid-type]
    service: (
        _reference(  # type: ignore[valid-type]
            "A text that names services of Nomad's catalog: `{name}` is one's address and port, `{name.host}` and "
            "`{name.port}` each alone.",
            r"\{[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.host|\.port)?\}",
        )
        | None
    ) = None


class Check(_Block):
    """How Nomad finds out that the app is healthy: over HTTP where a path is given, by connecting otherwise."""

    disable: bool = Field(False, description="No check at all: the app is healthy while its task runs.")
    path: Annotated[str, Field(pattern=r"^/"), AfterValidator(_no_control)] | None = None
    protocol: Literal["http", "https"] | None = Field(None, description="How the path is asked for; http.")
    port: Label | None = Field(None, description="Label of the port, also of its service; `http` or the first one.")
    interval: Duration = timedelta(seconds=10)
    timeout: Duration = timedelta(seconds=2)


class Route(_Block):
    """A host and path under which Fabio offers the app."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9*]([A-Za-z0-9.*-]*[A-Za-z0-9])?(:[0-9]{1,5})?$", max_length=259)]
    path: Annotated[str, Field(pattern=r"^/[^\s,]*$", max_length=1024)] = "/"
    strip: bool = Field(False, description="Whether the app sees the path without this beginning.")


class Volume(_Block):
    """A volume of the cluster, and where the container sees it. Exactly one of csi and host."""

    csi: Name | None = Field(None, description="Id of a CSI volume.")
    host: Name | None = Field(None, description="Name of a host volume.")
    mount: Annotated[str, Field(pattern=r"^/"), AfterValidator(_no_control)]
    read_only: bool = False
    owner: Annotated[str, Field(pattern=r"^[0-9]{1,10}(:[0-9]{1,10})?$")] | None = Field(
        None, description="Uid, or uid:gid, that is to own it: a task before the app's own sees to that."
    )


class File(_Block):
    """A file in the container: exactly one of content, template, consul, vault and nomad says what is in it."""

    content: Annotated[str, Field(max_length=64 * 1024)] | None = Field(None, description="The text itself.")
    template: Annotated[str, Field(max_length=64 * 1024)] | None = Field(
        None, description="A template in consul-template's language, rendered when the task starts."
    )
    consul: _reference("A key of Consul's key-value store.", r"^[^#]+$") | None = None  # type: ignore[valid-type]
    vault: _reference("A secret of Vault, as path#field.", r"^[^#]+#[^#]+$") | None = None  # type: ignore[valid-type]
    nomad: _reference("A Nomad variable, as path#field.", r"^[a-zA-Z0-9_~/-]{1,128}#[^#]+$") | None = None  # type: ignore[valid-type]
    mode: Annotated[str, Field(pattern=r"^0?[0-7]{3}$")] | None = Field(None, description="Permissions, such as 0640.")


class DriftSettings(_Block):
    """What to do about changes by hand."""

    mode: Literal["correct", "warn"] | None = Field(None, description="The setting DRIFT, where it is left out.")
    ignore: list[Text] = Field(default_factory=list, description="Fields of the job of which a change is no drift.")


class RepairSettings(_Block):
    """How far repairs may go."""

    mode: Literal["auto", "propose", "off"] | None = None
    max_attempts: Annotated[int, Field(ge=0, le=100)] | None = None
    limits: dict[Literal["cpu", "memory"], Positive] | None = Field(None, description="Ceilings, in MHz and MB.")


class VerifySettings(_Block):
    """When a deployment counts as good, and when as failed."""

    soak: Duration | None = Field(None, description="How long it has to stay healthy.")
    timeout: Duration | None = Field(None, description="How long it may be without progress.")


Drift = Annotated[
    DriftSettings,
    BeforeValidator(
        _drift,
        json_schema_input_type=Literal["correct", "warn"] | DriftSettings,
    ),
]


class AppSpec(_Block):
    """The app. Either jobFile, or an image with what the job needs around it."""

    source: Source | None = None
    job_file: FilePath | None = Field(None, description="A job file, relative to the manifest's folder.")
    variables: dict[Label, Any] | None = Field(None, description="Values of the job file's HCL variables.")
    dockerfile: FilePath | None = Field(None, description="The Dockerfile, relative to the source.")
    image: Annotated[str, Field(pattern=r"^[^\s]+$", max_length=1024)] | None = Field(
        None, description="The image that runs, with its tag or digest."
    )
    prompt: Annotated[str, Field(max_length=10_000)] | None = Field(
        None, description="What people say about the app, in their words."
    )
    type: Literal["service", "batch", "system", "sysbatch"] = "service"
    count: Annotated[int, Field(ge=0, le=100_000)] | None = Field(
        None, description="How many instances; 1 if left out."
    )
    datacenters: list[Text] | None = None
    resources: Resources | None = None
    ports: dict[Label, Port] | None = None
    command: Text | None = Field(None, description="Instead of the image's own command.")
    args: list[str] | None = None
    env: (
        Annotated[
            dict[EnvName, EnvValue],
            BeforeValidator(_without_nothing, json_schema_input_type=dict[EnvName, EnvValue | None]),
        ]
        | None
    ) = Field(None, description="By name. Nothing at all keeps away what the code would have.")
    secret_form: Literal["template", "block"] = Field(
        "template",
        description="How values of Vault and of Nomad variables get into the environment: by a template, or by Nomad's "
        "`secret` block (Nomad 1.11).",
    )
    check: Check | None = None
    routes: list[Route] | None = None
    volumes: list[Volume] | None = None
    files: dict[MountPath, File] | None = Field(None, description="Files of the container, by their whole path.")
    job: dict[str, Any] | None = Field(None, description="Anything else of Nomad's, by the names of its job language.")
    depends_on: list[AppName] | None = Field(None, description="Apps that have to be ready before.")
    suspend: bool = Field(False, description="Leave the app as it is until this is taken away.")
    prune: bool | None = Field(None, description="Whether the job is stopped when the manifest is gone.")
    drift: Drift | None = None
    on_failure: Literal["rollback", "hold"] | None = Field(None, description="What to do when a new version fails.")
    repair: RepairSettings | None = None
    verify: VerifySettings | None = None


class App(_Block):
    """One app for nomad-operator."""

    api_version: Literal["nomad-operator/v1"]
    kind: Literal["App"]
    metadata: Metadata
    spec: AppSpec
