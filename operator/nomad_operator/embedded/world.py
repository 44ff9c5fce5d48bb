"""The world file: which nodes there are, how images behave, what registries, Consul, Vault and variables hold.

A world is only read. What changes while the embedded Nomad runs is its own state; what a test wants to change by hand
it changes there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from desired.errors import UsageError
from desired.job.duration import parse_duration
from nomad_operator.embedded.instant import MILLISECOND


def _duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


def _list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


# Nanoseconds; written as `250ms`, `10s`, `1h`.
Span = Annotated[int, BeforeValidator(_duration)]
Words = Annotated[tuple[str, ...], BeforeValidator(_list)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Device(_Part):
    """Instances of one device of a node."""

    vendor: str = ""
    type: str
    name: str = ""
    count: int = 1


class HostVolume(_Part):
    path: str = ""
    read_only: bool = False


class Driver(_Part):
    """`detected` without `healthy`: it is there and does not work."""

    detected: bool = True
    healthy: bool = True
    attributes: Mapping[str, str] = {}


class Node(_Part):
    """A client. `attributes` and `meta` are added to what every node has; an empty value takes one away.

    `ports_in_use` are held by processes that Nomad knows nothing of. `addresses`: a static port fits once on each.
    """

    name: str
    id: str = ""
    datacenter: str = "dc1"
    pool: str = "default"
    class_: str = Field("", alias="class")
    addresses: tuple[str, ...] = ("127.0.0.1",)
    cpu: int = 8000
    memory: int = 16384
    disk: int = 100_000
    drivers: Mapping[str, Driver] = {"docker": Driver()}
    attributes: Mapping[str, str] = {}
    meta: Mapping[str, str] = {}
    devices: tuple[Device, ...] = ()
    host_volumes: Mapping[str, HostVolume] = {}
    host_networks: tuple[str, ...] = ()
    csi_plugins: tuple[str, ...] = ()
    ports_in_use: tuple[int, ...] = ()
    allow_privileged: bool = False


class Health(_Part):
    """What an app answers on an HTTP path (a pattern with `*`), from `after` its start on.

    Of several that match, the last in the file counts: one with `after` changes what those before it answer.
    `methods`: of a request, in capitals; left out for all of them.
    """

    path: str = "*"
    methods: Words = ()
    status: int = 200
    body: str = ""
    after: Span = 0


class Behaviour(_Part):
    """How a task behaves. The first one in the file whose patterns all match is taken.

    Patterns: `image`, `job` and `driver` with `*`; `command` a regular expression, searched in the command with its
    arguments. `from_version` and `from_attempt` match from that job version, and from that start of the task, on.
    `listens` None: on whatever the job maps. `needs_memory` above the task's memory: killed when out of memory.
    `needs_env`: without one of them it exits 1 and says `stderr`, or a line of ours. `starts_after` is the time that
    starting takes, `ready_after` the time from then until it listens. `stops_on_signal`: else it is killed.
    `speaks`: what a check hears on its ports. `programs`: all that can be started in the image, anything where it is
    left out. `from_time` matches from that time on, counted from the beginning.
    """

    image: str = "*"
    job: str = "*"
    driver: str = "*"
    command: str = ""
    from_version: int = 0
    from_attempt: int = 0
    from_time: Span = 0

    starts_after: Span = 350 * MILLISECOND
    ready_after: Span = 0
    listens: tuple[int, ...] | None = None
    speaks: Literal["http", "https", "other"] = "http"
    programs: tuple[str, ...] | None = None
    health: tuple[Health, ...] = ()
    needs_memory: int = 0
    needs_env: Words = ()
    runs_for: Span | None = None
    exit_code: int = 0
    exit_signal: int = 0
    stdout: str = ""
    stderr: str = ""
    stops_on_signal: bool = True
    stop_exit_code: int = 0
    start_error: str = ""
    start_error_recoverable: bool = False

    def matches(
        self, *, image: str, job: str, driver: str, command: str, version: int, attempt: int, age: int = 0
    ) -> bool:
        return (
            fnmatchcase(image, self.image)
            and fnmatchcase(job, self.job)
            and fnmatchcase(driver, self.driver)
            and version >= self.from_version
            and attempt >= self.from_attempt
            and age >= self.from_time
            and (not self.command or re.search(self.command, command) is not None)
        )


RegistryFault = Literal[
    "unknown host", "refused", "rate limited", "unauthorized", "denied", "broken", "tag missing", "repository missing"
]


class Registry(_Part):
    """What answers when an image is pulled: patterns of whole image names with `*`, and what is wrong with them.

    Without a fault the image is there after `pull_takes`. An image that no registry names is there at once.
    `until`: the fault is over at that time, counted from the beginning.
    """

    images: Words
    fault: RegistryFault | None = None
    until: Span | None = None
    pull_takes: Span = 10 * MILLISECOND


class Variable(_Part):
    path: str
    namespace: str = "default"
    items: Mapping[str, str]


class Download(_Part):
    """What comes of an artifact's source, a pattern with `*`.

    `error` is what follows `failed to download artifact "…": `.
    """

    source: str
    error: str


class Template(_Part):
    """What rendering a template that holds this text (and not `lacks`) ends with, where its keys alone don't tell.

    `error` is what follows `Template failed: `, or all of the text where that begins with `Template failed` itself.
    """

    contains: str
    lacks: str = ""
    error: str


class Token(_Part):
    """An ACL token. `namespaces` maps a pattern of namespaces to capabilities (`list-jobs`, …)."""

    secret: str
    accessor: str = ""
    management: bool = False
    namespaces: Mapping[str, tuple[str, ...]] = {}
    node_read: bool = False
    agent_read: bool = False


class World(_Part):
    """Everything that is declared. Tokens switch ACLs on.

    `failures_judged_by`: on a real Nomad it is a race who tells first that an allocation which failed is unhealthy, the
    watch over its health (`client`: with a time and an event for its tasks) or the update of its status.
    """

    region: str = "global"
    version: str = "2.0.5"
    event_buffer_size: int = 100
    namespaces: tuple[str, ...] = ("default",)
    node_pools: tuple[str, ...] = ("default", "all")
    nodes: tuple[Node, ...] = (Node.model_validate({"name": "node-1"}),)
    behaviours: tuple[Behaviour, ...] = ()
    registries: tuple[Registry, ...] = ()
    downloads: tuple[Download, ...] = ()
    templates: tuple[Template, ...] = ()
    consul: bool = True
    consul_keys: Mapping[str, str] = {}
    vault: bool = False
    vault_paths: Mapping[str, Mapping[str, str]] = {}
    variables: tuple[Variable, ...] = ()
    tokens: tuple[Token, ...] = ()
    memory_oversubscription: bool = False
    failures_judged_by: Literal["client", "status"] = "status"

    def behaviour(self, **what: Any) -> Behaviour:
        """How this task behaves; without a match it runs and listens on what is mapped."""
        return next((one for one in self.behaviours if one.matches(**what)), _RUNS)

    def registry(self, image: str) -> Registry | None:
        """Who answers for this image, None if it is on every node already."""
        return next((one for one in self.registries if any(fnmatchcase(image, name) for name in one.images)), None)

    def fields_of(self, path: str) -> Collection[str] | None:
        """The names in a secret or a declared variable; None where there is neither."""
        declared = {one.path: one.items for one in self.variables}
        return {**declared, **self.vault_paths}.get(path)

    def download_error(self, source: str) -> str:
        """Why an artifact cannot be had; empty if it can."""
        return next((one.error for one in self.downloads if fnmatchcase(source, one.source)), "")


_RUNS = Behaviour()


def load_world(path: Path | None = None) -> World:
    """The world of a file; without one, the world that comes with the package. UsageError if it is wrong."""
    if path is None:
        text = resources.files("nomad_operator.embedded").joinpath("worlds/default.yaml").read_text(encoding="utf-8")
        return read_world(text, "the default world")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read the world file {path}: {error.strerror or error}") from error
    return read_world(text, str(path))


def read_world(text: str, name: str) -> World:
    """The world of a YAML text; `name` is what errors call it."""
    try:
        data = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise UsageError(f"{name} is no YAML: {error}") from error
    try:
        return World.model_validate(data)
    except ValidationError as error:
        lines = [
            f"{name}: {'.'.join(map(str, one['loc'])) or 'top'}: {one['msg']}{_meant(one['loc'], one['type'])}"
            for one in error.errors()
        ]
        raise UsageError("\n".join(lines), hint="the world file's keys are told in docs/embedded-nomad.md") from error


def _meant(place: tuple[int | str, ...], kind: str) -> str:
    """For a key that nobody knows, the one that is nearest to it where it stands."""
    if kind != "extra_forbidden":
        return ""
    model: type[BaseModel] = World
    for step in place[:-1]:
        field = model.model_fields.get(step) if isinstance(step, str) else None
        inner = next((one for one in _models(field.annotation) if one is not None), None) if field else model
        if inner is None:
            return ""
        model = inner
    near = get_close_matches(str(place[-1]), model.model_fields, n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """The model that a field holds, or holds several of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in get_args(annotation):
        yield from _models(one)
