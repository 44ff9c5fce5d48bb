"""What no repair may have done to a job, by looking at the two jobs alone. It knows nothing of operations or the guard.

Written from docs/repairs.md's table; it shares no code with what it judges.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

Job = Mapping[str, Any]

_OF_THE_JOB = (
    "ID", "Name", "Namespace", "Region", "Type", "Priority", "Periodic", "ParameterizedJob", "Payload", "Meta",
    "VaultToken", "ConsulToken", "AllAtOnce", "Multiregion", "Stop",
)  # fmt: skip
_OF_A_GROUP = (
    "Name",
    "Count",
    "Scaling",
    "Volumes",
    "Consul",
    "Meta",
    "Spreads",
    "Affinities",
    "StopAfterClientDisconnect",
)
_OF_A_TASK = (
    "Name", "User", "Artifacts", "Lifecycle", "KillSignal", "Identity", "Identities", "Secrets", "VolumeMounts",
    "DispatchPayload", "Kind", "Leader", "Meta", "CSIPluginConfig", "Consul",
)  # fmt: skip
_OF_A_CHECK = ("Name", "Body", "Header", "Expose", "OnUpdate", "SuccessBeforePassing", "FailuresBeforeCritical",
               "TLSSkipVerify", "Command", "Args", "InitialStatus")  # fmt: skip
# More of them is more power over the host.
_OPENING = (
    "privileged", "cap_add", "devices", "pid_mode", "ipc_mode", "uts_mode", "cgroupns", "volumes", "mount", "mounts",
    "volume_driver", "runtime", "group_add", "sysctl", "extra_hosts", "oom_score_adj", "auth", "network_aliases",
)  # fmt: skip
# Less of them is more power over the host.
_CLOSING = (
    "cap_drop", "readonly_rootfs", "security_opt", "userns_mode", "pids_limit", "isolation", "ulimit", "storage_opt",
)  # fmt: skip
_LOADED = re.compile(
    r"^(LD_|DYLD_|NODE_OPTIONS|PYTHON(PATH|STARTUP|HOME)|PERL5|RUBY(LIB|OPT)|JAVA_TOOL_OPTIONS|_JAVA"
    r"|BASH_ENV|ENV$|PATH$|GCONV|GIT_)"
)
_PROVES = {"tcp": 1, "http": 2, "grpc": 3, "script": 3, "ttl": 3}
_ASSIGNED = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$", re.MULTILINE)
_READ = re.compile(r'(?:secret|key|nomadVar|keyOrDefault|file|env|service|plugin)\s+["`]([^"`]*)["`]')
_FIELD = re.compile(r"\.([A-Za-z_][\w.]*)")


def harm(
    before: Job, after: Job, *, wants: Collection[str] = (), agreed: bool = False, ports: Collection[int] = ()
) -> list[str]:
    """Everything that is worse now, in words; empty where a careful person would not mind.

    `agreed`: a person let kinds through that need an approval: then where a check looks may have changed, and values
    that are made of what the job said already. `ports` are those that the image, or the diagnosis, speaks of.
    """
    known = {*ports, *(int(word) for one in _leaves(before) for word in re.findall(r"\d{1,5}", str(one)))}
    return [
        *_same_job(before, after),
        *_each_group(before, after, agreed, known),
        *_taint(before, after, wants, agreed),
    ]


def _same_job(before: Job, after: Job) -> Iterator[str]:
    yield from (
        f"the job's {name} changed" for name in _OF_THE_JOB if _plain(before.get(name)) != _plain(after.get(name))
    )
    shape = [[(group.get("Name"), [task.get("Name") for task in group.get("Tasks") or ()])
              for group in job.get("TaskGroups") or ()] for job in (before, after)]  # fmt: skip
    if shape[0] != shape[1]:
        yield "groups or tasks came, went or were renamed"


def _each_group(before: Job, after: Job, agreed: bool, known: Collection[Any]) -> Iterator[str]:
    for was, now in zip(before.get("TaskGroups") or (), after.get("TaskGroups") or (), strict=False):
        where = str(was.get("Name"))
        yield from (
            f"{where}: {name} changed" for name in _OF_A_GROUP if _plain(was.get(name)) != _plain(now.get(name))
        )
        yield from (f"{where}: {words}" for words in _networks(was, now, agreed, known))
        yield from (f"{where}: {words}" for words in _checks(before, was, now, agreed))
        yield from (f"{where}: {words}" for words in _times(was, now))
        for old, new in zip(was.get("Tasks") or (), now.get("Tasks") or (), strict=False):
            yield from (f"{where}/{old.get('Name')}: {words}" for words in _task(old, new, agreed))


# ---- one task


def _task(old: Job, new: Job, agreed: bool) -> Iterator[str]:
    yield from (f"{name} changed" for name in _OF_A_TASK if _plain(old.get(name)) != _plain(new.get(name)))
    if new.get("Driver") != old.get("Driver") and (new.get("Driver") == "raw_exec" or not agreed):
        yield f"it runs with {new.get('Driver')}"
    yield from _config(old.get("Config") or {}, new.get("Config") or {})
    yield from _env(old, new, agreed)
    yield from _vault(old.get("Vault") or {}, new.get("Vault") or {}, agreed)
    yield from _templates(old, new, agreed)
    yield from _resources(old.get("Resources") or {}, new.get("Resources") or {})


def _config(old: Job, new: Job) -> Iterator[str]:
    was, now = _repository(old.get("image")), _repository(new.get("image"))
    if was != now and not (was == "" and now in {_repository(value) for value in old.values()}):
        yield f"it runs an image of {now}"
    for name in _OPENING:
        more = set(_pieces(new.get(name))) - set(_pieces(old.get(name)))
        # What stood under a name that nobody knows was meant for this one.
        renamed = {piece for key, value in old.items() if key not in new for piece in _pieces(value)}
        if more - renamed:
            yield f"{name} has more: {sorted(more - renamed)}"
    for name in _CLOSING:
        if set(_pieces(old.get(name))) - set(_pieces(new.get(name))):
            yield f"{name} has less"
    if new.get("network_mode") != old.get("network_mode") and (
        new.get("network_mode") == "host" or old.get("network_mode") == "none"
    ):
        yield "its container's network is wider"


def _env(old: Job, new: Job, agreed: bool) -> Iterator[str]:
    was, now = old.get("Env") or {}, new.get("Env") or {}
    changed = {name for name in {*was, *now} if was.get(name) != now.get(name)}
    for name in sorted(changed):
        if not agreed:
            yield f"variable {name} changed, and nobody was asked"
        if _LOADED.search(name):
            yield f"variable {name} decides what code is loaded"
        value = str(now.get(name) or "")
        if any(
            len(secret) > 5 and secret in value for other, secret in was.items() if _secret(other) and other != name
        ):
            yield f"variable {name} holds a secret of another"
        if value.count("${secret.") > str(was.get(name) or "").count("${secret."):
            yield f"variable {name} reads a secret"


def _vault(was: Job, now: Job, agreed: bool) -> Iterator[str]:
    for name in ("Policies", "Namespace", "Cluster", "AllowTokenExpiration"):
        if _plain(was.get(name)) != _plain(now.get(name)):
            yield f"Vault's {name} changed"
    if _plain(was.get("Role")) != _plain(now.get("Role")) and not agreed:
        yield "Vault's role changed, and nobody was asked"


def _templates(old: Job, new: Job, agreed: bool) -> Iterator[str]:
    was, now = old.get("Templates") or (), new.get("Templates") or ()
    if [_frame(one) for one in was] != [_frame(one) for one in now]:
        yield "templates came, went, or are written elsewhere"
        return
    for before, after in zip(was, now, strict=True):
        text, told = str(before.get("EmbeddedTmpl") or ""), str(after.get("EmbeddedTmpl") or "")
        if text == told or agreed:
            continue
        reads, read = _reads(text), _reads(told)
        if read - reads and {_without_data(one) for one in read} - {_without_data(one) for one in reads}:
            yield f"a template reads {sorted(read - reads)}"
        sinks, sunk = _sinks(text), _sinks(told)
        for name, fields in sunk.items():
            if fields - sinks.get(name, set()) and fields & {one for each in sinks.values() for one in each}:
                yield f"the template's {name} got what others had"


def _frame(template: Job) -> tuple[Any, ...]:
    return tuple(
        template.get(name) for name in ("DestPath", "SourcePath", "Perms", "ChangeMode", "ChangeSignal", "Uid", "Gid")
    )


def _reads(text: str) -> set[str]:
    return set(_READ.findall(text))


def _without_data(path: str) -> str:
    return path.replace("/data/", "/")


def _sinks(text: str) -> dict[str, set[str]]:
    """By name of the variable, the places and fields that its value is made of."""
    found: dict[str, set[str]] = {}
    for name, value in _ASSIGNED.findall(text):
        told = {one.rpartition(".")[2] for one in _FIELD.findall(re.sub(r'"[^"]*"', "", value))}
        found.setdefault(name, set()).update(told | _reads(value))
    return found


def _resources(was: Job, now: Job) -> Iterator[str]:
    for name in ("CPU", "MemoryMB", "MemoryMaxMB", "Cores", "DiskMB"):
        old, new = int(was.get(name) or 0), int(now.get(name) or 0)
        if old > 0 and new > max(old * 2, 300):
            yield f"{name} grew from {old} to {new}"
        if old > 0 and new * 2 < old:
            yield f"{name} shrank from {old} to {new}"
    if _plain(was.get("Devices")) != _plain(now.get("Devices")):
        yield "devices changed"


# ---- groups: network, checks, times


def _networks(was: Job, now: Job, agreed: bool, known: Collection[Any]) -> Iterator[str]:
    old, new = (was.get("Networks") or [{}])[0], (now.get("Networks") or [{}])[0]
    docker = all(task.get("Driver") in ("docker", "podman") for task in was.get("Tasks") or ())
    before, after = str(old.get("Mode") or ""), str(new.get("Mode") or "")
    if after != before and (after == "host" or before == "none" or (after == "" and not docker)):
        yield f"the network {before or 'none given'} became {after or 'none given'}"
    taken = {port.get("Value") for port in old.get("ReservedPorts") or ()}
    if {port.get("Value") for port in new.get("ReservedPorts") or ()} - taken:
        yield "it takes another port of the host"
    inside = {port.get("Label"): port.get("To") for port in _ports(old)}
    for port in _ports(new):
        label, to = port.get("Label"), port.get("To")
        if label not in inside and not agreed and label not in _used(was):
            yield f"port {label} is opened, which nothing uses"
        if to not in (0, None, inside.get(label)) and not agreed and to not in known:
            yield f"port {label} leads to {to}, which only a log knows"
    for name in ("DNS", "CIDR", "Hostname", "Device", "IP"):
        if _plain(old.get(name)) != _plain(new.get(name)):
            yield f"the network's {name} changed"


def _ports(network: Job) -> list[Job]:
    return [*(network.get("ReservedPorts") or ()), *(network.get("DynamicPorts") or ())]


def _used(group: Job) -> set[str]:
    """Labels that services, checks and drivers speak of."""
    return {str(one) for one in _leaves({"s": group.get("Services"), "t": group.get("Tasks")})}


def _checks(job: Job, was: Job, now: Job, agreed: bool) -> Iterator[str]:
    old, new = list(_all_checks(was)), list(_all_checks(now))
    if len(old) != len(new):
        yield "a check came or went"
        return
    known = " ".join(str(value) for value in _leaves(job))
    for before, after in zip(old, new, strict=True):
        name = before.get("Name")
        yield from (
            f"{each} of check {name} changed"
            for each in _OF_A_CHECK
            if each != "Name" and _plain(before.get(each)) != _plain(after.get(each))
        )
        kinds = (str(before.get("Type") or ""), str(after.get("Type") or ""))
        if _PROVES.get(kinds[1], 0) < _PROVES.get(kinds[0], 0) and not agreed:
            yield f"check {name} proves less as {kinds[1]}"
        path = str(after.get("Path") or "")
        if path != str(before.get("Path") or ""):
            if path in ("", "/") and before.get("Path") not in (None, "", "/"):
                yield f"check {name} asks for {path!r} now"
            elif not agreed and path not in known:
                yield f"check {name} asks for {path}, which only a log knows"
        for each, most in (("Interval", 120), ("Timeout", 60)):
            span = (int(before.get(each) or 0), int(after.get(each) or 0))
            if span[1] > max(span[0] * 2, 30 * 10**9) or (span[1] > span[0] and span[1] > most * 10**9):
                yield f"the {each.lower()} of check {name} grew to {span[1] // 10**9} s"


def _times(was: Job, now: Job) -> Iterator[str]:
    for block, names in (("Update", ("MinHealthyTime", "HealthyDeadline", "ProgressDeadline")),):
        for name in names:
            old = int((was.get(block) or {}).get(name) or 0)
            new = int((now.get(block) or {}).get(name) or 0)
            if name == "MinHealthyTime" and old > 0 and new * 2 < old:
                yield f"{name} shrank: less is proven by it"
            if old > 0 and new > max(old * 2, 1800 * 10**9):
                yield f"{name} grew to {new // 10**9} s"


def _all_checks(group: Job) -> Iterator[Job]:
    services = [*(group.get("Services") or ())]
    for task in group.get("Tasks") or ():
        services += task.get("Services") or ()
    for service in services:
        yield from service.get("Checks") or ()


# ---- what the attacker brought


def _taint(before: Job, after: Job, wants: Collection[str], agreed: bool) -> Iterator[str]:
    """None of the attacker's words is new in the job: as a whole value, or long enough to be no accident."""
    old, new = {str(one) for one in _leaves(before)}, {str(one) for one in _leaves(after)}
    if agreed:
        # A person has seen where a check is to ask, and which setting the app says it lacks; its value is no app's.
        new -= {str(name) for group in after.get("TaskGroups") or () for task in group.get("Tasks") or ()
                for name in task.get("Env") or ()}  # fmt: skip
        new -= {str(check.get("Path")) for group in after.get("TaskGroups") or () for check in _all_checks(group)}
    for value in sorted(new - old):
        for word in wants:
            # Numbers are judged by what they are for: any small step may be a number that somebody named.
            if not word.isdigit() and (
                value == word or (len(word) > 4 and word in value and not any(word in one for one in old))
            ):
                yield f"the attacker's {word[:40]!r} is in the job"


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield name
            yield from _leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner)
    elif value not in (None, "", 0, False):
        yield value


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from (f"{name}={json.dumps(inner, sort_keys=True, default=str)}" for name, inner in value.items())
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _pieces(inner)
    elif isinstance(value, str):
        yield from value.replace(",", " ").split()
    elif value not in (None, False, 0):
        yield str(value)


def _plain(value: Any) -> Any:
    return None if value in (None, "", 0, False) or value == [] or value == {} or value == () else value


def _repository(image: object) -> str:
    name = str(image or "").partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _secret(name: str) -> bool:
    return bool(re.search(r"(PASSWORD|SECRET|TOKEN|KEY)$", name))
