"""The rules as a file may state them (`kind: Policy`): the model behind checking it. What is left out is allowed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

POLICY_KIND = "Policy"
Pattern = Annotated[str, Field(min_length=1, max_length=512)]
Amount = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Denied(StrEnum):
    """What a job may be forbidden to ask for."""

    PRIVILEGED = "privileged"
    HOST_NETWORK = "hostNetwork"
    HOST_PATHS = "hostPaths"
    HOST_VOLUMES = "hostVolumes"
    HOST_PROCESSES = "hostProcesses"
    CAPABILITIES = "capabilities"
    DEVICES = "devices"
    STATIC_PORTS = "staticPorts"
    ROOT = "root"
    HOST_TEMPLATES = "hostTemplates"
    SECURITY_OPTIONS = "securityOptions"
    RUNTIME = "runtime"
    LITERAL_SECRETS = "literalSecrets"


class _Block(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=False,
        extra="forbid",
        strict=True,
        frozen=True,
    )


class ImageRules(_Block):
    """Where images come from, and how exactly they are named."""

    allowed: list[Pattern] | None = Field(
        None, description="Images that may run: shell patterns of the whole name, `registry.example.org/team/*`."
    )
    tag_required: bool = Field(False, description="An image names its tag or digest.")
    latest: bool = Field(True, description="Whether the tag `latest` may be named.")
    digest_required: bool = Field(False, description="An image names its digest.")


class ResourceRules(_Block):
    """The most that is given: to one task (cpu, memory, memoryMax), to one group (disk, count)."""

    cpu: Amount | None = Field(None, description="MHz of a task.")
    cores: Amount | None = Field(None, description="Cores of a task.")
    memory: Amount | None = Field(None, description="MB of a task.")
    memory_max: Amount | None = Field(None, description="MB of a task, where a node has them to spare.")
    disk: Amount | None = Field(None, description="MB of a group's `ephemeral_disk`.")
    count: Amount | None = Field(None, description="Allocations of a group.")
    limits_required: bool = Field(False, description="Every task says how much memory it is given.")


class ServiceRules(_Block):
    """What has to be there for others to find and watch an app."""

    tags_required: list[Pattern] | None = Field(None, description="Each has to fit a tag of every service: `team=*`.")
    check_required: bool = Field(False, description="Every service has a check.")


class PolicySpec(_Block):
    """The rules. Names are shell patterns."""

    images: ImageRules | None = None
    drivers: list[Pattern] | None = Field(None, description="Drivers that tasks may have.")
    namespaces: list[Pattern] | None = Field(None, description="Namespaces that jobs may be in.")
    datacenters: list[Pattern] | None = Field(
        None, description="Datacenters that jobs may name; one that names none means `*`."
    )
    node_pools: list[Pattern] | None = Field(None, description="Node pools that jobs may name.")
    resources: ResourceRules | None = None
    services: ServiceRules | None = None
    meta_required: list[Pattern] | None = Field(None, description="Keys that the job's `meta` has to have.")
    deny: list[Annotated[Denied, Field(strict=False)]] | None = Field(None, description="What no job may ask for.")
    warn: list[Pattern] | None = Field(None, description="Names of rules that only warn: `deny.root`, `images.*`.")
    exempt: dict[Pattern, list[Pattern]] | None = Field(
        None, description="Apps (`namespace/name`, patterns) and the names of rules that do not hold for them."
    )


class PolicyFile(_Block):
    """What a cluster's owners allow of any job."""

    api_version: Literal["nomad-operator/v1"]
    kind: Literal["Policy"]
    spec: PolicySpec
