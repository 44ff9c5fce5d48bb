"""What is known of one failure, as plain values: everything a diagnosis may rest on, and nothing that is secret.

Text that came from outside (messages, logs, check output) is redacted before it is put in here. It is telemetry, not
instruction: nothing in it is ever obeyed. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from desired.app import AppKey
from desired.state import JobBody
from observers.running import Allocation, Check, Deployment, FieldChange, Node, PlacementFailure


@dataclass(frozen=True, slots=True)
class LogTail:
    """The last lines of one stream of one task. `stream` is stdout or stderr; `truncated` where more came before."""

    allocation: str
    task: str
    stream: str
    text: str
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class NodeRoom:
    """One node and what is left on it: MHz, MB and MB that no allocation holds. `attributes` are Nomad's own names.

    `static_ports` are the host ports that are taken.
    """

    node: Node
    cpu: int = 0
    memory: int = 0
    disk: int = 0
    cpu_total: int = 0
    memory_total: int = 0
    disk_total: int = 0
    static_ports: frozenset[int] = frozenset()
    node_class: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What an image says of itself; zero values where it does not, or where nobody could be asked."""

    image: str
    ports: tuple[int, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    working_dir: str = ""
    user: str = ""
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the cluster offers, where it was asked: None means not asked or not allowed to, never "there is none"."""

    nodes: tuple[NodeRoom, ...] | None = None
    node_pools: tuple[str, ...] | None = None
    variables: tuple[str, ...] | None = None  # paths of Nomad variables in the app's namespace
    variable_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # names of the keys of some of them
    consul_keys: tuple[str, ...] | None = None
    secret_paths: tuple[str, ...] | None = None  # paths that Vault lists; never a value
    secret_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    kv_versions: Mapping[str, int] = field(default_factory=dict)  # of a Vault mount
    vault_roles: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """The most memory and CPU that a task of this job was seen to use, in MB and MHz."""

    memory: int = 0
    cpu: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """`body` is the job that failed, as it was registered or refused; `allocations` are of its version only.

    Task events are all that were seen, oldest first, also those that Nomad has dropped by now. `refusal` are the words
    with which Nomad refused to parse, validate, plan or register. `checks` is None where they were not read.
    """

    id: str
    key: AppKey
    at: datetime
    body: JobBody = field(repr=False)  # as it is, with whatever secrets stand in it
    since: datetime  # when the job was registered, or the first sign of the failure
    allocations: tuple[Allocation, ...] = ()
    placement: Mapping[str, PlacementFailure] = field(default_factory=dict)
    checks: tuple[Check, ...] | None = None
    deployment: Deployment | None = None
    evaluation: str = ""  # what the newest evaluation says of itself: its status description
    refusal: str = ""
    warnings: str = ""
    logs: tuple[LogTail, ...] = ()
    changes: tuple[FieldChange, ...] = ()  # from the last good version
    usage: Mapping[tuple[str, str], Usage] = field(default_factory=dict)  # by group and task
    images: Mapping[str, ImageFacts] = field(default_factory=dict)
    cluster: Cluster = field(default_factory=Cluster)
    unread: tuple[str, ...] = ()  # what was to be read and could not be, or may not be: in words
