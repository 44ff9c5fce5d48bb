"""What a job may use, by the version of Nomad that has it: one table, how each is seen in a job, and where it is from.

Asked before a job is written, and of a job that a person wrote: a server refuses a block that it does not know, and an
old client runs a job without what it does not know.
Source: Nomad's CHANGELOG, the release that first names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from desired.state import JobBody

Version = tuple[int, int, int]


class Feature(StrEnum):
    """As people call them."""

    NATIVE_SERVICES = "services in Nomad's own catalog"
    NATIVE_CHECKS = "checks of services in Nomad's own catalog"
    SERVICES_IN_TEMPLATES = "nomadService in templates"
    VARIABLES = "Nomad variables"
    MISSING_KEY_ERROR = "error_on_missing_key of a template"
    NODE_POOLS = "node pools"
    RENDER_TEMPLATES = "render_templates of a restart block"
    SEVERAL_SCHEDULES = "several cron expressions"
    VAULT_IDENTITY = "workload identity for Vault"
    CONSUL_IDENTITY = "workload identity for Consul"
    ACTIONS = "action block"
    DISCONNECT = "disconnect block"
    UI = "ui block"
    CNI_ARGUMENTS = "cni arguments of a network"
    IDENTITY_FILE_PATH = "filepath of an identity"
    DYNAMIC_HOST_VOLUMES = "sticky host volumes"
    TEMPLATE_ONCE = "once of a template"
    SECRET_BLOCK = "secret block"  # noqa: S105
    SCHEDULE = "schedule block"
    VAULT_NAMESPACES = "namespace of a vault block"
    CONSUL_CLUSTERS = "another Consul cluster than the default one"
    NUMA = "affinity of a numa block"


@dataclass(frozen=True, slots=True)
class Row:
    """`used` finds it in a job's JSON. `enterprise`: only the Enterprise edition has it."""

    feature: Feature
    since: Version
    used: Callable[[JobBody], bool]
    hint: str
    source: str
    enterprise: bool = False


@dataclass(frozen=True, slots=True)
class Features:
    """What is there. `unknown` is true where the version could not be read: then nothing is claimed to be missing."""

    version: str
    there: frozenset[Feature]
    unknown: bool = False

    def has(self, feature: Feature) -> bool:
        return self.unknown or feature in self.there


@dataclass(frozen=True, slots=True)
class Missing:
    """A job uses what is not there."""

    feature: Feature
    message: str
    hint: str


def features(version: str, *, oldest_client: str = "") -> Features:
    """What a cluster has whose servers say `version`; what clients do, the oldest of them decides."""
    read = [found for text in (version, oldest_client) if (found := version_of(text)) is not None]
    if not read:
        return Features(version, frozenset(), unknown=True)
    oldest, enterprise = min(read), "+ent" in version
    there = frozenset(row.feature for row in TABLE if row.since <= oldest and (enterprise or not row.enterprise))
    return Features(version, there)


def missing(body: JobBody, have: Features) -> tuple[Missing, ...]:
    """What a job uses and the cluster has not, in the table's order."""
    return tuple(
        Missing(row.feature, f"{row.feature} {_needs(row)}, and this is Nomad {have.version}", row.hint)
        for row in TABLE
        if not have.has(row.feature) and row.used(body)
    )


def places(feature: Feature, body: JobBody) -> tuple[tuple[str, ...], ...]:
    """The tasks that use it, or else the groups, as `desired.job.hcl_places` has them; `()` is the job itself."""
    used = next(row.used for row in TABLE if row.feature is feature)
    found: list[tuple[str, ...]] = []
    for group in _objects(body.get("TaskGroups")):
        at = ("group", str(group.get("Name") or ""))
        tasks = [
            (*at, "task", str(task.get("Name") or ""))
            for task in _objects(group.get("Tasks"))
            if used({"TaskGroups": [{"Tasks": [task]}]})
        ]
        found += tasks or ([at] if used({"TaskGroups": [group]}) else [])
    return tuple(found) or ((),)


def lacking(have: Features) -> tuple[str, ...]:
    """What a newer version of the same edition has, as people read it, in the table's order."""
    return tuple(
        f"{row.feature} ({'.'.join(map(str, row.since))})"
        for row in TABLE
        if not row.enterprise and not have.has(row.feature)
    )


def _needs(row: Row) -> str:
    if row.enterprise:
        return "needs Nomad Enterprise"
    return f"needs Nomad {'.'.join(map(str, row.since))}"


def version_of(text: str) -> Version | None:
    """None where the text is none."""
    found = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def _blocks(value: Any, name: str) -> Iterator[Mapping[str, Any]]:
    """Every object under this name, at any depth, where it is given."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == name:
                yield from _objects(inner)
            yield from _blocks(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _blocks(inner, name)


def _objects(value: Any) -> Iterable[Mapping[str, Any]]:
    found = value if isinstance(value, list) else [value]
    return [one for one in found if isinstance(one, Mapping)]


def _has(name: str, *fields: str) -> Callable[[JobBody], bool]:
    """A block of this name with one of the fields given; without fields, the block itself."""

    def used(body: JobBody) -> bool:
        return any(not fields or any(one.get(field) for field in fields) for one in _blocks(body, name))

    return used


def _services(body: JobBody) -> list[Mapping[str, Any]]:
    return [one for one in _blocks(body, "Services") if str(one.get("Provider") or "").lower() == "nomad"]


def _in_templates(pattern: str) -> Callable[[JobBody], bool]:
    words = re.compile(pattern)
    return lambda body: any(words.search(str(one.get("EmbeddedTmpl") or "")) for one in _blocks(body, "Templates"))


_OLD_VAULT = "older Nomad gives tasks a token by `vault { policies }`; upgrade Nomad"

TABLE = (
    Row(
        Feature.NATIVE_SERVICES, (1, 3, 0), lambda body: bool(_services(body)),
        'register the service in Consul: provider = "consul"', "1.3.0, native service discovery (GH-12368)",
    ),
    Row(
        Feature.SERVICES_IN_TEMPLATES, (1, 3, 0), _in_templates(r"\bnomadServices?\b"),
        "take the address from Consul: `service`", "1.3.0, native service discovery (GH-12368)",
    ),
    Row(
        Feature.NATIVE_CHECKS, (1, 4, 0), lambda body: any(one.get("Checks") for one in _services(body)),
        "register the service in Consul, or leave out its checks", "1.4.0, checks on Nomad services (GH-13715)",
    ),
    Row(
        Feature.VARIABLES, (1, 4, 0), _in_templates(r"\bnomadVar(s|List\w*|Exists)?\b"),
        "keep the value in Consul or Vault", "1.4.0, variables (GH-13000)",
    ),
    Row(
        Feature.MISSING_KEY_ERROR, (1, 4, 3), _has("Templates", "ErrMissingKey"),
        "leave out error_on_missing_key", "1.4.3, template: error_on_missing_key for each template",
    ),
    Row(
        Feature.NODE_POOLS, (1, 6, 0), lambda body: body.get("NodePool") not in (None, "", "default"),
        "use datacenters and constraints", "1.6.0, node pools (GH-11041)",
    ),
    Row(
        Feature.RENDER_TEMPLATES, (1, 6, 2), _has("RestartPolicy", "RenderTemplates"),
        "leave out render_templates", "1.6.2, jobspec: render_templates",
    ),
    Row(
        Feature.SEVERAL_SCHEDULES, (1, 6, 2), _has("Periodic", "Specs"),
        "write one `cron`, or several jobs", "1.6.2, jobspec: crons (GH-17858)",
    ),
    Row(
        Feature.VAULT_IDENTITY, (1, 7, 0), _has("Vault", "Role"), _OLD_VAULT,
        "1.7.0, workload identity for Vault (GH-15617)",
    ),
    Row(
        Feature.CONSUL_IDENTITY, (1, 7, 0), lambda body: any(_blocks(body, "Consul")),
        "leave out the consul block", "1.7.0, workload identity for Consul (GH-15618)",
    ),
    Row(Feature.ACTIONS, (1, 7, 0), _has("Actions"), "leave out the actions", "1.7.0, job actions"),
    Row(
        Feature.DISCONNECT, (1, 8, 0), _has("Disconnect"),
        "use max_client_disconnect", "1.8.0, reconciliation of disconnected nodes (GH-20029)",
    ),
    Row(Feature.UI, (1, 8, 0), _has("UI"), "leave out the ui block", "1.8.0, ui block (GH-18292)"),
    Row(
        Feature.CNI_ARGUMENTS, (1, 8, 2), _has("CNI", "Args"),
        "leave out the cni block", "1.8.2, cni arguments in the job (GH-23538)",
    ),
    Row(
        Feature.IDENTITY_FILE_PATH, (1, 9, 0), lambda body: any(
            one.get("Filepath") for name in ("Identities", "Identity") for one in _blocks(body, name)
        ),
        "leave out filepath: the file is secrets/nomad_NAME.jwt", "1.9.0, identity: filepath (GH-24038)",
    ),
    Row(
        Feature.DYNAMIC_HOST_VOLUMES, (1, 10, 0), lambda body: any(
            volume.get("Sticky") for volumes in _blocks(body, "Volumes") for volume in _objects(list(volumes.values()))
        ),
        "leave out `sticky`, and name the node by a constraint", "1.10.0, dynamic host volumes (GH-24479)",
    ),
    Row(
        Feature.TEMPLATE_ONCE, (1, 10, 2), _has("Templates", "Once"), "leave out `once`",
        "1.10.2, template: once (GH-25922)",
    ),
    Row(
        Feature.SECRET_BLOCK, (1, 11, 0), _has("Secrets"),
        "use a template with env = true", "1.11.0, secret block (GH-26681)",
    ),
    Row(
        Feature.SCHEDULE, (1, 8, 0), _has("Schedule"), "leave out the schedule block",
        "1.8.0, schedule block (GH-22201)", enterprise=True,
    ),
    Row(
        Feature.VAULT_NAMESPACES, (1, 0, 0), _has("Vault", "Namespace"), "leave out `namespace`",
        "nomad/job_endpoint_hook_vault_ce.go: multiple Vault namespaces requires Nomad Enterprise", enterprise=True,
    ),
    Row(
        Feature.CONSUL_CLUSTERS, (1, 7, 0), lambda body: any(
            one.get("Cluster") not in (None, "", "default") for one in _blocks(body, "Consul")
        ),
        "leave out `cluster`", "nomad/job_endpoint_hook_consul_ce.go: validateCluster", enterprise=True,
    ),
    Row(
        Feature.NUMA, (1, 7, 0), lambda body: any(
            one.get("Affinity") not in (None, "", "none") for one in _blocks(body, "NUMA")
        ),
        'leave out the numa block, or write affinity = "none"',
        "nomad/job_endpoint_hook_numa_ce.go: numa scheduling requires Nomad Enterprise", enterprise=True,
    ),
)  # fmt: skip
