"""What can be known of one app from its code: the vocabulary that extractors fill, merging merges and `init` shows.

Single things are a Fact or None, several are mappings by what makes them the same thing; a mapping's order is that of
finding. All values are in Nomad's units (MHz, MB). Nothing here is a secret: of a literal that looks like one only the
name is kept, never the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from desired.facts.fact import Fact

K = TypeVar("K")
V = TypeVar("V")


def _none() -> Mapping[K, V]:
    return MappingProxyType({})


class Size(StrEnum):
    """What kind of service it is, which decides what it is given where nothing says better."""

    LIGHT = "LIGHT"
    MEDIUM = "MEDIUM"
    HEAVY = "HEAVY"
    COMPUTE = "COMPUTE"


class WorkKind(StrEnum):
    """How the app runs: until it is stopped, once to its end, or again and again by a schedule."""

    SERVICE = "service"
    BATCH = "batch"
    PERIODIC = "periodic"


@dataclass(frozen=True, slots=True)
class PortFact:
    """A port that the app listens on. `static` is the node's port, where somebody fixed one."""

    to: int
    static: int | None = None
    protocol: str = "tcp"

    def __str__(self) -> str:
        fixed = f" (on the host {self.static})" if self.static is not None else ""
        return f"{self.to}{'' if self.protocol == 'tcp' else '/' + self.protocol}{fixed}"


@dataclass(frozen=True, slots=True)
class EnvUse:
    """A variable of the environment that code reads. `default` is what the code takes where it is missing.

    None: there is no default; it is `required` where the code fails without it. "" may stand for a hidden secret.
    """

    required: bool
    default: str | None = None

    def __str__(self) -> str:
        return "required" if self.required else f"default {self.default!r}" if self.default is not None else "optional"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A secret by where it is, never by its value: Vault's path as `/v1/` has it, and the field in it."""

    path: str
    field: str

    def __str__(self) -> str:
        return f"{self.path}#{self.field}"


@dataclass(frozen=True, slots=True)
class HealthFact:
    """How to see that the app is healthy: exactly one of a path (HTTP), nothing (TCP) or a command.

    `port` is the port inside the container, None for the main one; times are None where nobody says.
    """

    path: str | None = None
    command: tuple[str, ...] = ()
    port: int | None = None
    interval: timedelta | None = None
    timeout: timedelta | None = None
    start: timedelta | None = None

    def __str__(self) -> str:
        asked = " ".join(self.command) if self.command else self.path or "a connection"
        return f"{asked} (port {self.port})" if self.port is not None else asked


@dataclass(frozen=True, slots=True)
class ConstraintFact:
    """A constraint on nodes, in Nomad's terms."""

    attribute: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.attribute} {self.operator} {self.value}"


@dataclass(frozen=True, slots=True)
class VolumeFact:
    """A place in the container that outlives it. `name` is what its source calls it, "" for an unnamed one.

    `host_path` is a folder of the machine it ran on: told, never mounted by itself.
    """

    mount: str
    name: str = ""
    read_only: bool = False
    host_path: str = ""

    def __str__(self) -> str:
        source = self.name or self.host_path
        return f"{source}:{self.mount}" if source else self.mount


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A secret that is a file in the container, by what its source calls it. `variable` holds it where it runs now."""

    name: str
    variable: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.variable})" if self.variable else self.name


@dataclass(frozen=True, slots=True)
class Dependency:
    """A library, named as package URLs name it: `pypi/flask`, `npm/@scope/x`, `maven/org.x/y`. `version` as written."""

    ecosystem: str
    name: str
    version: str = ""

    def __str__(self) -> str:
        return self.version or "any version"


@dataclass(frozen=True, slots=True)
class Backend:
    """A datastore, queue or other service that the code talks to: `kind` is its common name (postgres, redis, kafka).

    `variables` name the environment variables by which the code seems to find it.
    """

    kind: str
    variables: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} ({', '.join(self.variables)})" if self.variables else self.kind


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything found about one component. An extractor fills what it knows and leaves the rest."""

    name: Fact[str] | None = None
    registry: Fact[str] | None = None
    image_name: Fact[str] | None = None
    image_tag: Fact[str] | None = None
    entrypoint: Fact[tuple[str, ...]] | None = None
    command: Fact[tuple[str, ...]] | None = None
    working_dir: Fact[str] | None = None
    user: Fact[str] | None = None
    kind: Fact[WorkKind] | None = None
    schedule: Fact[str] | None = None
    count: Fact[int] | None = None
    cpu: Fact[int] | None = None
    memory: Fact[int] | None = None
    memory_max: Fact[int] | None = None
    disk: Fact[int] | None = None
    gpu: Fact[int] | None = None
    size: Fact[Size] | None = None
    health: Fact[HealthFact] | None = None
    language: Fact[str] | None = None
    framework: Fact[str] | None = None
    architecture: Fact[str] | None = None
    vault_policies: Fact[tuple[str, ...]] | None = None
    # By the port inside the container.
    ports: Mapping[int, Fact[PortFact]] = field(default_factory=_none)
    # By the variable's name.
    env: Mapping[str, Fact[str]] = field(default_factory=_none)
    env_uses: Mapping[str, Fact[EnvUse]] = field(default_factory=_none)
    secrets: Mapping[str, Fact[SecretRef]] = field(default_factory=_none)
    # Variables whose literal value looks like a secret: the value is dropped, where it stands is kept.
    secret_literals: Mapping[str, Fact[str]] = field(default_factory=_none)
    # By the name of a field whose value held a secret: the value is dropped, where it stands is kept.
    left_out: Mapping[str, Fact[str]] = field(default_factory=_none)
    # By the place in the container.
    secret_files: Mapping[str, Fact[SecretFile]] = field(default_factory=_none)
    volumes: Mapping[str, Fact[VolumeFact]] = field(default_factory=_none)
    constraints: Mapping[ConstraintFact, Fact[ConstraintFact]] = field(default_factory=_none)
    # By ecosystem and name.
    dependencies: Mapping[tuple[str, str], Fact[Dependency]] = field(default_factory=_none)
    backends: Mapping[str, Fact[Backend]] = field(default_factory=_none)
    # Other components of the same codebase, by name.
    depends_on: Mapping[str, Fact[str]] = field(default_factory=_none)
