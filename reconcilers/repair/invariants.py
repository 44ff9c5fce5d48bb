"""What no repair may do, whoever proposes it: one function an invariant. Pure.

Each compares the job as it is with the job as it would be, so that no operation can be dressed up as another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from desired.operations.operation import Kind, Operation
from desired.state import JobBody
from observers.failures.failure_class import FailureClass
from observers.failures.table import TABLE
from reconcilers.repair.origins import origin_of, words_of
from reconcilers.repair.pieces import pieces
from reconcilers.repair.proposal import Case, Proposal
from reconcilers.repair.settings_named import settings_named

# What Nomad itself does not go below, and above what a health check tells nobody anything in time.
_LEAST_MEMORY = 10
_LONGEST_INTERVAL = 120_000_000_000
# What Nomad does not know as a type of a check proves nothing, so anything proves more.
_CHECK_TYPES = frozenset({"http", "tcp", "grpc", "script", "ttl"})
_LONGEST_TIMEOUT = 60_000_000_000
# One step may double a deadline; the observed start may ask for as much again.
_STEP = 2
# Source: nomad drivers/docker/config.go: keys that open the host to the container.
PRIVILEGES = (
    "privileged", "cap_add", "security_opt", "devices", "pid_mode", "ipc_mode", "userns_mode", "uts_mode", "cgroupns",
    "volumes", "mount", "mounts", "volume_driver", "network_mode", "runtime", "group_add", "sysctl", "extra_hosts",
    "oom_score_adj", "readonly_rootfs", "ulimit", "storage_opt", "auth", "cap_drop", "isolation", "dns_servers",
)  # fmt: skip
# Keys that keep the container from the host: what they say may not become less.
_PROTECTION = ("cap_drop", "readonly_rootfs", "security_opt", "userns_mode", "pids_limit", "isolation", "ulimit")


# Read by loaders, interpreters, shells and TLS libraries before the app says a word.
_DECIDES_WHAT_RUNS = re.compile(
    r"(?:LD|DYLD)_.*|PATH|HOME|SHELL|ENV|BASH_ENV|IFS|PS4|PROMPT_COMMAND|PYTHON(?:PATH|HOME|STARTUP|INSPECT|WARNINGS)"
    r"|NODE_(?:OPTIONS|PATH|TLS_REJECT_UNAUTHORIZED|EXTRA_CA_CERTS)|(?:_?JAVA|JDK_JAVA|CATALINA)_?(?:TOOL_)?(?:OPTIONS|OPTS)"
    r"|RUBY(?:OPT|LIB)|PERL5?(?:OPT|LIB|DB)|PHP_(?:INI_SCAN_DIR|AUTO_PREPEND.*)|GIT_.*|(?:HTTPS?|ALL|NO)_PROXY"
    r"|SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|GODEBUG|DOTNET_STARTUP_HOOKS|CORECLR_.*|GLIBC_TUNABLES"
    r"|(?:NOMAD|VAULT|CONSUL)_.*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Violation:
    """`invariant` is a bounded word, for metrics; `words` are for people."""

    invariant: str
    words: str


Invariant = Callable[[Case, JobBody, Proposal, Mapping[str, int]], Iterator[Violation]]


def _helps(case: Case, after: JobBody, proposal: Proposal, ceilings: Mapping[str, int]) -> Iterator[Violation]:
    """Only what may help against this failure; an empty list helps against none."""
    if not proposal.operations:
        yield Violation("class", "it changes nothing")
    allowed = TABLE[case.diagnosis.failure].may_help
    for one in proposal.operations:
        if one.kind not in allowed:
            yield Violation("class", f"{one.kind.value} does not help against {case.diagnosis.failure.value}")


def _new(case: Case, after: JobBody, proposal: Proposal, ceilings: Mapping[str, int]) -> Iterator[Violation]:
    if any(tried.operations == proposal.operations for tried in case.tried):
        yield Violation("repeated", "exactly this was tried before")


def _identity(case: Case, after: JobBody, proposal: Proposal, ceilings: Mapping[str, int]) -> Iterator[Violation]:
    for name in ("ID", "Name", "Namespace", "Region", "Type", "Priority", "Periodic", "ParameterizedJob", "Payload"):
        if case.body.get(name) != after.get(name):
            yield Violation("identity", f"the job's {name} would change")
    if _tree(case.body) != _tree(after):
        yield Violation("identity", "a group or task would appear, disappear or change its name")


def _count(case: Case, after: JobBody, proposal: Proposal, ceilings: Mapping[str, int]) -> Iterator[Violation]:
    for before, now in _groups(case.body, after):
        if before.get("Count") != now.get("Count") or before.get("Scaling") != now.get("Scaling"):
            yield Violation("count", f"the count of group {before.get('Name')} would change")


def _image(case: Case, after: JobBody, proposal: Proposal, ceilings: Mapping[str, int]) -> Iterator[Violation]:
    for where, before, now in _tasks(case.body, after):
        old, new = _config(before).get("image"), _config(now).get("image")
        if _repository(old) != _repository(new) and not (old is None and _renamed(proposal, "image", new, before)):
            yield Violation("image", f"task {where} would run an image of another repository")
        for name in ("Artifacts", "User", "Lifecycle", "KillSignal"):
            if before.get(name) != now.get(name):
                yield Violation("image", f"{name} of task {where} would change")


def _checks(case: Case, after: JobBody, proposal: Proposal, ceilings: Mapping[str, int]) -> Iterator[Violation]:
    before, now = list(_all_checks(case.body)), list(_all_checks(after))
    if len(before) != len(now):
        yield Violation("checks", "a check would be added or removed")
        return
    for (where, old), (_, new) in zip(before, now, strict=True):
        yield from (Violation("checks", f"check {where}: {words}") for words in _weakened(old, new, case))


def _weakened(old: Mapping[str, Any], new: Mapping[str, Any], case: Case) -> Iterator[str]:
    kinds = (str(old.get("Type") or "").lower(), str(new.get("Type") or ""))
    # What demonstrably speaks no HTTP at all cannot be asked in it.
    mute = case.diagnosis.failure is FailureClass.CHECK_WRONG_PROTOCOL and case.diagnosis.facts.get("speaks") == "other"
    stronger = {("tcp", "http"), ("http", "grpc"), ("tcp", "grpc")} | ({("http", "tcp")} if mute else set())
    if kinds[0] != kinds[1] and kinds[0] in _CHECK_TYPES and kinds not in stronger:
        yield f"a {kinds[1]} check proves less than a {kinds[0]} check"
    if old.get("Path") and not new.get("Path"):
        yield "its path would be gone"
    for name, longest in (("Interval", _LONGEST_INTERVAL), ("Timeout", _LONGEST_TIMEOUT)):
        was, is_now = int(old.get(name) or 0), int(new.get(name) or 0)
        if is_now > was and ((was > 0 and is_now > was * _STEP) or is_now > longest):
            yield f"its {name.lower()} would grow from {was // 10**9} s to {is_now // 10**9} s"
    kept = ("SuccessBeforePassing", "FailuresBeforeCritical", "Body", "Header", "Expose", "OnUpdate", "InitialStatus")
    for name in kept:
        if old.get(name) != new.get(name):
            yield f"its {name} would change"


def _privilege(case: Case, after: JobBody, proposal: Proposal, ceilings: Mapping[str, int]) -> Iterator[Violation]:
    for where, before, now in _tasks(case.body, after):
        for key in PRIVILEGES:
            old, new = _config(before).get(key), _config(now).get(key)
            asked = _said(new) <= _said(old) or _renamed(proposal, key, new, before)
            if new != old and new not in (None, False, [], "", {}) and not asked:
                yield Violation("privilege", f"{key} of task {where} would become {new!r}")
        for key in _PROTECTION:
            if _said(_config(before).get(key)) - _said(_config(now).get(key)):
                yield Violation("privilege", f"{key} of task {where} would protect less")
        if before.get("Driver") != now.get("Driver") and now.get("Driver") == "raw_exec":
            yield Violation("privilege", f"task {where} would run without isolation")
    for group, now in _groups(case.body, after):
        old, new = _mode(group), _mode(now)
        if new != old and (new == "host" or (new == "" and not _in_containers(group))):
            yield Violation("host network", f"group {group.get('Name')} would share the host's network")
        if new != old and old == "none":
            yield Violation("privilege", f"group {group.get('Name')} was to have no network")
        for name in ("Volumes", "Consul"):
            if group.get(name) != now.get(name):
                yield Violation("privilege", f"{name} of group {group.get('Name')} would change")


def _renamed(proposal: Proposal, key: str, value: Any, before: Mapping[str, Any]) -> bool:
    """The value was there before, under a name that the driver does not know: what was asked for stays what it was."""
    return any(
        one.kind is Kind.DRIVER_KEY and one.new == key and _said(value) <= _said(_config(before).get(one.at[-1]))
        for one in proposal.operations
    )


def _said(value: Any) -> set[str]:
    return set(pieces(value))


def _environment(case: Case, after: JobBody, proposal: Proposal, ceilings: Mapping[str, int]) -> Iterator[Violation]:
    """What decides which code runs, or whom it trusts, is nobody's setting; a new one the app has to ask for itself."""
    spoken_of = {*settings_named(case.evidence), *case.diagnosis.facts.values(), *words_of([str(case.body)])}
    for where, before, now in _tasks(case.body, after):
        old, new = before.get("Env") or {}, now.get("Env") or {}
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) == new.get(name):
                continue
            if _DECIDES_WHAT_RUNS.fullmatch(name):
                yield Violation("privilege", f"{name} of task {where} decides what runs, and would change")
            elif name not in old and name not in spoken_of:
                yield Violation("untraceable", f"{name} of task {where}: nobody speaks of it")


def _secrets(case: Case, after: JobBody, proposal: Proposal, ceilings: Mapping[str, int]) -> Iterator[Violation]:
    for where, before, now in _tasks(case.body, after):
        old, new = before.get("Vault") or {}, now.get("Vault") or {}
        for name in ("Policies", "Namespace", "Cluster"):
            if (old.get(name) or None) != (new.get(name) or None):
                yield Violation("vault", f"Vault's {name.lower()} of task {where} would change")
        for name in ("Identity", "Identities", "Secrets"):
            if _but_for_engines(before.get(name)) != _but_for_engines(now.get(name)):
                yield Violation("vault", f"{name} of task {where} would change")


def _but_for_engines(blocks: Any) -> Any:
    """In which version of its store a secret is read changes nothing about which it is."""
    if not isinstance(blocks, list | tuple):
        return blocks
    return [
        {**one, "Config": {key: value for key, value in (one.get("Config") or {}).items() if key != "engine"}}
        for one in blocks
    ]


def _bounds(case: Case, after: JobBody, proposal: Proposal, ceilings: Mapping[str, int]) -> Iterator[Violation]:
    for one in proposal.operations:
        if one.kind in _SIZES and isinstance(one.new, int):
            yield from (Violation("bounds", words) for words in _out_of_bounds(case, one, one.new, ceilings))
        if one.kind in _DEADLINES and isinstance(one.new, int) and isinstance(one.old, int):
            longest = max(one.old * _STEP, 1_800_000_000_000)
            if one.new > longest:
                yield Violation("bounds", f"{one.path}: {one.kind.value} of {one.new // 10**9} s is out of bounds")


_SIZES: Mapping[Kind, str] = {
    Kind.MEMORY: "memory", Kind.MEMORY_MAX: "memory", Kind.CPU: "cpu", Kind.DISK: "disk", Kind.CORES: "cores",
}  # fmt: skip
_DEADLINES = frozenset(
    {Kind.HEALTHY_DEADLINE, Kind.PROGRESS_DEADLINE, Kind.MIN_HEALTHY_TIME, Kind.RESTART_DELAY, Kind.RESTART_INTERVAL}
)


def _out_of_bounds(case: Case, one: Operation, value: int, ceilings: Mapping[str, int]) -> Iterator[str]:
    resource = _SIZES[one.kind]
    for whose, ceiling in (("the manifest's", case.limits.get(resource)), ("the cluster's", ceilings.get(resource))):
        if ceiling is not None and value > ceiling:
            yield f"{one.path}: {resource} {value} is above {whose} limit of {ceiling}"
    if resource == "memory" and value < _LEAST_MEMORY:
        yield f"{one.path}: {value} MB is less than any task gets"
    used = case.evidence.usage.get((one.at[0], one.at[1])) if len(one.at) == 2 else None
    if used is not None:
        seen = used.memory if resource == "memory" else used.cpu if resource == "cpu" else 0
        if value < seen:
            yield f"{one.path}: {resource} {value} is less than the {seen} it was seen to use"
    nodes = case.evidence.cluster.nodes
    if nodes and resource in ("memory", "cpu"):
        largest = max(one.memory_total if resource == "memory" else one.cpu_total for one in nodes)
        if 0 < largest < value:
            yield f"{one.path}: {resource} {value} is more than the largest node has ({largest})"


def _traceable(case: Case, after: JobBody, proposal: Proposal, ceilings: Mapping[str, int]) -> Iterator[Violation]:
    for one in proposal.operations:
        if origin_of(one, case) is None:
            yield Violation(
                "untraceable", f"{one.kind.value} of {one.path or 'the job'}: nobody knows where {one.new!r} is from"
            )


INVARIANTS: tuple[Invariant, ...] = (
    _helps, _new, _identity, _count, _image, _checks, _privilege, _environment, _secrets, _bounds, _traceable,
)  # fmt: skip


# ---- reading jobs


def _groups(body: JobBody, after: JobBody) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    return iter(zip(body.get("TaskGroups") or (), after.get("TaskGroups") or (), strict=False))


def _tasks(body: JobBody, after: JobBody) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    for before, now in _groups(body, after):
        for old, new in zip(before.get("Tasks") or (), now.get("Tasks") or (), strict=False):
            yield f"{before.get('Name')}/{old.get('Name')}", old, new


def _tree(body: JobBody) -> list[tuple[Any, list[Any]]]:
    return [
        (group.get("Name"), [task.get("Name") for task in group.get("Tasks") or ()])
        for group in body.get("TaskGroups") or ()
    ]


def _config(task: Mapping[str, Any]) -> Mapping[str, Any]:
    config: Mapping[str, Any] = task.get("Config") or {}
    return config


def _mode(group: Mapping[str, Any]) -> str:
    networks = group.get("Networks") or ()
    return str(networks[0].get("Mode") or "") if networks else ""


def _in_containers(group: Mapping[str, Any]) -> bool:
    """Without a mode, Docker gives a container a network of its own; other drivers share the host's."""
    return all(task.get("Driver") in ("docker", "podman") for task in group.get("Tasks") or ())


def _repository(image: object) -> str:
    """Without tag and digest; the colon of a registry's port is not a tag's."""
    name = str(image or "").split("@", 1)[0]
    head, _, last = name.rpartition("/")
    return f"{head}/{last.split(':', 1)[0]}"


def _all_checks(body: JobBody) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for group in body.get("TaskGroups") or ():
        services = list(group.get("Services") or ())
        for task in group.get("Tasks") or ():
            services += task.get("Services") or ()
        for service in services:
            for check in service.get("Checks") or ():
                yield f"{group.get('Name')}/{service.get('Name')}/{check.get('Name')}", check
