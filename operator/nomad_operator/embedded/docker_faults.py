"""What the Docker driver has against a task, in the driver's and the daemon's words; no server looks at this before.

Source: drivers/docker/config.go; texts recorded in the scenarios config-*, image-*, capability-refused and others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from typing import Any

from nomad_operator.embedded import gotext
from nomad_operator.embedded.world import Behaviour, Registry

Mapped = Mapping[str, Any]

_TEXT, _NUMBER, _BOOL, _LIST, _ANY = "string", "number", "bool", "list of string", ""
_KEYS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "image", "cgroupns", "command", "cpuset_cpus", "hostname", "ipc_mode", "ipv4_address", "ipv6_address",
            "isolation", "load", "mac_address", "network_mode", "pid_mode", "runtime", "uts_mode", "userns_mode",
            "volume_driver", "work_dir", "image_pull_timeout", "container_exists_attempts",
        ),
        _TEXT,
    ),
    **dict.fromkeys(
        (
            "args", "cap_add", "cap_drop", "dns_search_domains", "dns_options", "dns_servers", "entrypoint",
            "extra_hosts", "group_add", "network_aliases", "ports", "security_opt", "volumes",
        ),
        _LIST,
    ),
    **dict.fromkeys(
        ("cpu_cfs_period", "memory_hard_limit", "oom_score_adj", "pids_limit", "shm_size"), _NUMBER
    ),
    **dict.fromkeys(
        (
            "advertise_ipv6_address", "auth_soft_fail", "cpu_hard_limit", "force_pull", "init", "interactive",
            "privileged", "readonly_rootfs", "tty",
        ),
        _BOOL,
    ),
    **dict.fromkeys(
        (
            "auth", "devices", "healthchecks", "labels", "logging", "mount", "mounts", "port_map", "storage_opt",
            "sysctl", "ulimit",
        ),
        _ANY,
    ),
}  # fmt: skip
_ALLOWED_CAPABILITIES = frozenset(
    (
        "audit_write", "chown", "dac_override", "fowner", "fsetid", "kill", "mknod", "net_bind_service", "setfcap",
        "setgid", "setpcap", "setuid", "sys_chroot",
    )
)  # fmt: skip
_NETWORKS = frozenset(("", "bridge", "host", "none", "default"))
_REFERENCE = re.compile(r"(?:[\w.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w][\w.-]{0,127})?(?:@sha256:\w+)?")
_INTERPOLATION = re.compile(r"(?<!\$)\$\{([a-zA-Z_]\w*)")
_VARIABLES = frozenset(("node", "attr", "meta", "env", "secret", "device"))
_DIGEST = "sha256:2e2f3531ec1c2ac4f2937bf43e823ad5e24c41c47afdd5b9f3822794a41708e8"

_NOT_STARTED = f"Failed to start container {_DIGEST.removeprefix('sha256:')}: Error response from daemon: "


def config_error(config: Mapped) -> str:
    """What `Failed Validation` says; empty if the driver takes the config."""
    found = []
    wrong = sorted(key for key in config if key not in _KEYS)
    found += [f'Invalid label: No argument or block type is named "{key}".' for key in wrong]
    for key, value in config.items():
        if problem := _mistyped(_KEYS.get(key, _ANY), value):
            about = f'Inappropriate value for attribute "{key}"'
            found.append(f"Incorrect attribute value type: {about}: {problem}.")
    for text in _texts(config):
        for name in _INTERPOLATION.findall(text):
            if name not in _VARIABLES and not name.startswith("NOMAD_"):
                near = "node" if name[:2] == "no" else ""
                hint = f' Did you mean "{near}"?' if near else ""
                found.append(f'Unknown variable: There is no variable named "{name}".{hint}')
    if "image" not in config:
        found.append('Missing required argument: The argument "image" is required, but no definition was found.')
    return gotext.errors(["failed to parse config: ", *found]) if found else ""


def _mistyped(kind: str, value: Any) -> str:
    """What is wrong with the value's type; empty if nothing. A text will do for a number or bool that it reads as."""
    if kind == _LIST and not isinstance(value, list):
        return f"{kind} required, but have {_kind(value)}"
    if kind == _TEXT and isinstance(value, list | dict):
        return f"{kind} required"
    if kind == _BOOL and not isinstance(value, bool) and value not in ("true", "false", "1", "0"):
        return "a bool is required"
    if kind == _NUMBER and not re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
        return "a number is required"
    return ""


def _kind(value: Any) -> str:
    for type_, name in ((bool, "bool"), (str, "string"), (list, "tuple"), (dict, "object")):
        if isinstance(value, type_):
            return name
    return "number"


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in _texts(inner)]
    return [text for inner in value for text in _texts(inner)] if isinstance(value, list) else []


def create_error(task: Mapped, group: Mapped, *, image: str, privileged_allowed: bool) -> str:
    """Why no container is made of it; empty if one is. None of these is tried again."""
    if not _REFERENCE.fullmatch(image):
        return f'unable to create local docker image "{image}": does not match registry specification'
    config = task["Config"] or {}
    about = f'Failed to create container configuration for image "{image}" ("{_DIGEST}"): '
    labels = {
        port["Label"]
        for network in group["Networks"] or ()
        for port in (*(network.get("ReservedPorts") or ()), *(network.get("DynamicPorts") or ()))
    }
    bridged = any(network.get("Mode") == "bridge" for network in group["Networks"] or ())
    missing = [label for label in config.get("ports") or () if label not in labels]
    forbidden = [name.lower() for name in config.get("cap_add") or () if name.lower() not in _ALLOWED_CAPABILITIES]
    mode = config.get("network_mode") or ""
    if task["Resources"]["MemoryMB"] <= 5:
        return about + "task memory requirements exceed driver hard limit of 5 MB"
    if config.get("privileged") in (True, "true") and not privileged_allowed:
        return about + "Docker privileged mode is disabled on this Nomad agent"
    if forbidden:
        return about + f"driver does not allow the following capabilities: {', '.join(sorted(forbidden))}"
    if missing and not bridged:
        return about + f'Port "{missing[0]}" not found, check network block'
    if mode not in _NETWORKS and not mode.startswith("container:"):
        return f"{_NOT_STARTED}network {mode} not found"
    return ""


def port_error(task: Mapped, allocation: Mapped, taken: Container[int]) -> str:
    """Why Docker cannot map the task's ports: something that Nomad knows nothing of holds one; empty if it can."""
    labels = (task["Config"] or {}).get("ports") or ()
    for port in allocation["AllocatedResources"]["Shared"]["Ports"] or ():
        if port["Label"] in labels and port["Value"] in taken:
            endpoint = f"{task['Name']}-{allocation['ID']} ({_DIGEST.removeprefix('sha256:')})"
            listen = f"listen tcp4 {port['HostIP']}:{port['Value']}: bind: address already in use"
            return (
                f"{_NOT_STARTED}driver failed programming external connectivity on endpoint {endpoint}:"
                f" Error starting userland proxy: {listen}"
            )
    return ""


def program_error(config: Mapped, behaviour: Behaviour) -> str:
    """Why what it is to start cannot be, or not there; empty if it can, or nothing is said of the image.

    Docker makes a working directory that is not in the image. Source: recorded, scenario command-not-found; a relative
    `work_dir` and a program without a path on Nomad 2.0.5 with Docker 20.10.
    """
    directory = str(config.get("work_dir") or "")
    if directory and not directory.startswith("/"):
        invalid = f"the working directory '{directory}' is invalid, it needs to be an absolute path"
        return f"failed to create container: Error response from daemon: {invalid}"
    entrypoint = config.get("entrypoint")
    named = entrypoint[0] if isinstance(entrypoint, list) and entrypoint else entrypoint or config.get("command")
    if not named or behaviour.programs is None or named in behaviour.programs:
        return ""
    why = f"stat {named}: no such file or directory" if "/" in named else "executable file not found in $PATH"
    runc = f"{_NOT_STARTED}failed to create shim task: OCI runtime create failed: runc create failed: "
    return f'{runc}unable to start container process: exec: "{named}": {why}: unknown'


def pull_error(image: str, registry: Registry | None, *, age: int = 0) -> str:
    """Why the image cannot be had; empty if it can. These are tried again. `age` is the time since the beginning."""
    if registry is None or registry.fault is None or (registry.until is not None and age >= registry.until):
        return ""
    first = image.partition("/")[0]
    host = first if "." in first or ":" in first or first == "localhost" else "registry-1.docker.io"
    return f"Failed to pull `{image}`: Error response from daemon: {_FAULTS[registry.fault](host)}"


def _unknown_host(host: str) -> str:
    name = host.partition(":")[0]
    return f'Get "https://{host}/v2/": dial tcp: lookup {name} on 127.0.0.53:53: no such host'


_FAULTS: Mapping[str, Callable[[str], str]] = {
    "unknown host": _unknown_host,
    "refused": lambda host: f'Get "http://{host}/v2/": dial tcp {host}: connect: connection refused',
    "rate limited": lambda _: "toomanyrequests: You have reached your pull rate limit.",
    "unauthorized": lambda _: "unauthorized",
    "denied": lambda _: "denied",
    "broken": lambda _: "received unexpected HTTP status: 500 Internal Server Error",
    "tag missing": lambda _: "manifest unknown",
    "repository missing": lambda _: "name unknown",
}
