"""Rules of what a job may be forbidden to ask for: every way to the node that a job file has. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from desired.admission.job_parts import blocks, groups, place_of, tasks, where
from desired.admission.rules import Denied, PolicySpec
from desired.objection import Objection
from desired.state import JobBody

_Asked = tuple[Denied, str, str, tuple[str, ...]]

# Source: nomad drivers/docker/config.go.
_HOST_MODES = (
    ("pid_mode", "processes"),
    ("ipc_mode", "memory"),
    ("userns_mode", "users"),
    ("uts_mode", "name"),
    ("cgroupns", "control groups"),
)
_OWN_FOLDERS = ("${NOMAD_ALLOC_DIR}", "${NOMAD_TASK_DIR}", "${NOMAD_SECRETS_DIR}")
_UNISOLATED = frozenset({"raw_exec"})
# They make no network of their own: without one of the group's a task is in the host's.
_IN_THE_GROUPS_NETWORK = frozenset({"exec", "exec2", "java", "qemu", "raw_exec"})


def denied(body: JobBody, rules: PolicySpec) -> Iterator[Objection]:
    forbidden = frozenset(rules.deny or ())
    for what, message, fix, at in _asked(body):
        if what in forbidden:
            yield Objection(f"deny.{what.value}", message, fix, at)


def _asked(body: JobBody) -> Iterator[_Asked]:
    """Every privilege that the job asks for."""
    for group in groups(body):
        at = ("group", str(group.get("Name") or ""))
        for network in blocks(group, "Networks"):
            if _of_the_host(network.get("Mode"), group):
                message = f"group {at[1]}: shares the host's network"
                yield Denied.HOST_NETWORK, message, "mode bridge, or no mode", (*at, "network", "mode")
            for port in blocks(network, "ReservedPorts"):
                label = str(port.get("Label") or "")
                message = f"group {at[1]}: port {label} is fixed to {port.get('Value')} on the node"
                yield Denied.STATIC_PORTS, message, "leave out `static`", (*at, "network", "port", label, "static")
        for name, volume in (group.get("Volumes") or {}).items():
            if isinstance(volume, Mapping) and volume.get("Type") == "host":
                message = f"group {at[1]}: mounts the host volume {name}"
                fix = 'a volume with type = "csi", or leave it out: what is kept in `ephemeral_disk` lasts for a while'
                yield Denied.HOST_VOLUMES, message, fix, (*at, "volume", name)
    for group, task in tasks(body):
        name, place = where(group, task), place_of(group, task)
        if task.get("Driver") in _IN_THE_GROUPS_NETWORK and not any(blocks(group, "Networks")):
            fix = 'write network { mode = "bridge" } in the group'
            yield Denied.HOST_NETWORK, f"{name}: shares the host's network", fix, (*place, "driver")
        yield from _asked_by_task(task, name, place)


def _asked_by_task(task: Mapping[str, Any], name: str, at: tuple[str, ...]) -> Iterator[_Asked]:
    # A driver's config is not typed by Nomad: anything may stand in it.
    config, docker = task.get("Config") or {}, (*at, "config")
    if task.get("Driver") in _UNISOLATED:
        yield Denied.PRIVILEGED, f"{name}: runs without isolation", "use docker or exec", (*at, "driver")
    if _is_true(config.get("privileged")):
        yield Denied.PRIVILEGED, f"{name}: runs privileged", "leave out `privileged`", (*docker, "privileged")
    if whose := _shared_with(config.get("network_mode")):
        message = f"{name}: shares {whose} network"
        yield Denied.HOST_NETWORK, message, "leave out `network_mode`", (*docker, "network_mode")
    for key, what in _HOST_MODES:
        if whose := _shared_with(config.get(key)):
            yield Denied.HOST_PROCESSES, f"{name}: shares {whose} {what}", f"leave out `{key}`", (*docker, key)
    for path in _host_paths(config):
        message = f"{name}: mounts {path} of the node"
        yield Denied.HOST_PATHS, message, "use a volume of the group", (*docker, "volumes")
    added = [str(one) for one in _list(config.get("cap_add"))]
    if added:
        message = f"{name}: asks for {', '.join(added)}"
        yield Denied.CAPABILITIES, message, "leave out `cap_add`", (*docker, "cap_add")
    options = [str(one) for one in _list(config.get("security_opt"))]
    if options:
        message = f"{name}: sets {', '.join(options)}"
        yield Denied.SECURITY_OPTIONS, message, "leave out `security_opt`", (*docker, "security_opt")
    if config.get("runtime"):
        message = f"{name}: is run by {config['runtime']}"
        yield Denied.RUNTIME, message, "leave out `runtime`", (*docker, "runtime")
    if config.get("devices"):
        yield Denied.DEVICES, f"{name}: asks for devices of the node", "use the device block", (*docker, "devices")
    if str(task.get("User") or "").split(":")[0] in ("root", "0"):
        yield Denied.ROOT, f"{name}: runs as root", "name another `user`", (*at, "user")
    for template in blocks(task, "Templates"):
        source = str(template.get("SourcePath") or "")
        if source.startswith("/"):
            message = f"{name}: a template is read from {source} of the node"
            yield Denied.HOST_TEMPLATES, message, "write it into `data`", (*at, "template", "source")


def _host_paths(config: Mapping[str, Any]) -> Iterator[str]:
    """Folders of the node that Docker would mount: whole paths; a relative one is below the allocation's folder."""
    for volume in _list(config.get("volumes")):
        source = str(volume).partition(":")[0]
        if _leaves_allocation(source):
            yield source
    for mount in (*_list(config.get("mounts")), *_list(config.get("mount"))):
        if isinstance(mount, Mapping) and mount.get("type") == "bind":
            source = str(mount.get("source") or "")
            if _leaves_allocation(source):
                yield source
        yield from _devices_of(mount)


def _devices_of(mount: Any) -> Iterator[str]:
    """A named volume may be a folder of the node under another name: Docker's local driver binds its `device`."""
    for options in _inner(mount, "volume_options"):
        for driver in _inner(options, "driver_config"):
            for one in _inner(driver, "options"):
                device = str(one.get("device") or "")
                if device and _leaves_allocation(device):
                    yield device


def _inner(value: Any, name: str) -> list[Mapping[str, Any]]:
    """A block of a driver's config: one object, or a list of them."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return [one for one in _list(found) if isinstance(one, Mapping)]


def _leaves_allocation(source: str) -> bool:
    if source.startswith("${"):
        # `meta`, `attr` and the task's own `env` may hold any path; of Nomad's folders it is known where they are.
        return not source.startswith(_OWN_FOLDERS) or ".." in source.split("/")
    return source.startswith("/") or ".." in source.split("/")


def _is_true(value: Any) -> bool:
    """Source: go-cty takes the texts "true" and "1" for true."""
    return value is True or value == 1 or _may_be(value, "true") or value == "1"


def _of_the_host(mode: Any, group: Mapping[str, Any]) -> bool:
    """Of a network block. Without a mode Nomad means the host's, and Docker gives its tasks another all the same."""
    unshared = all(task.get("Driver") not in _IN_THE_GROUPS_NETWORK for task in blocks(group, "Tasks"))
    return mode == "host" or (not mode and not unshared)


def _shared_with(value: Any) -> str:
    """Whose it is, where a container has it not for itself; empty where it has."""
    if _may_be(value, "host"):
        return "the host's"
    return "another container's" if isinstance(value, str) and value.startswith("container:") else ""


def _may_be(value: Any, wanted: str) -> bool:
    """Nomad fills in `${…}` on the node, after every check: what only it knows is taken as asked for."""
    return isinstance(value, str) and (value == wanted or "${" in value)


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else () if value is None else (value,)
