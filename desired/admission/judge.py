"""Which rules a job breaks. Pure: one function a rule, in the order of the rule file's keys.

The job is the body that would be registered, so that a hand-written job file, a manifest and a repair are judged alike.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from desired.admission.rules import Denied, PolicySpec
from desired.app import AppKey
from desired.objection import Objection
from desired.state import JobBody

Judge = Callable[[JobBody, PolicySpec], Iterator[Objection]]


def judge(key: AppKey, body: JobBody, rules: PolicySpec) -> tuple[Objection, ...]:
    """Everything that the rules do not allow of this job, what only warns included."""
    exempt = [
        name for app, names in (rules.exempt or {}).items() if fnmatch.fnmatchcase(str(key), app) for name in names
    ]
    found = []
    for one in (objection for rule in _RULES for objection in rule(body, rules)):
        if _fits(one.rule, exempt):
            continue
        warning = _fits(one.rule, rules.warn or ())
        found.append(replace(one, warning=warning))
    return tuple(found)


def _images(body: JobBody, rules: PolicySpec) -> Iterator[Objection]:
    if rules.images is None:
        return
    for group, task in _tasks(body):
        image = (task.get("Config") or {}).get("image")
        if not isinstance(image, str):
            continue
        where, at = _where(group, task), (*_at(group, task), "config", "image")
        name, tag, digest = _parts(image)
        allowed = rules.images.allowed
        if allowed is not None and not _fits(name, allowed) and not _fits(image, allowed):
            fix = f"allowed are {', '.join(allowed)}"
            yield Objection("images.allowed", f"{where}: the image {image} is not among those that may run", fix, at)
        if rules.images.digest_required and not digest:
            fix = f"write {name}@sha256:…"
            yield Objection("images.digestRequired", f"{where}: the image {image} names no digest", fix, at)
        elif rules.images.tag_required and not tag and not digest:
            yield Objection("images.tagRequired", f"{where}: the image {image} names no tag", f"write {name}:TAG", at)
        if not rules.images.latest and not digest and tag in ("latest", ""):
            what = "names the tag latest" if tag else "names no tag, which means latest"
            yield Objection("images.latest", f"{where}: the image {image} {what}", "name the version that is meant", at)


def _drivers(body: JobBody, rules: PolicySpec) -> Iterator[Objection]:
    for group, task in _tasks(body):
        driver = str(task.get("Driver") or "")
        if rules.drivers is not None and not _fits(driver, rules.drivers):
            fix = f"allowed are {', '.join(rules.drivers)}"
            at = (*_at(group, task), "driver")
            yield Objection("drivers", f"{_where(group, task)}: the driver {driver} may not be used", fix, at)


def _places(body: JobBody, rules: PolicySpec) -> Iterator[Objection]:
    namespace = str(body.get("Namespace") or "default")
    if rules.namespaces is not None and not _fits(namespace, rules.namespaces):
        fix = f"allowed are {', '.join(rules.namespaces)}"
        yield Objection("namespaces", f"jobs may not be in the namespace {namespace}", fix, ("namespace",))
    for name in body.get("Datacenters") or ("*",):
        if rules.datacenters is not None and not _fits(name, rules.datacenters):
            fix = f"allowed are {', '.join(rules.datacenters)}"
            yield Objection("datacenters", f"jobs may not be in the datacenter {name}", fix, ("datacenters",))
    pool = str(body.get("NodePool") or "default")
    if rules.node_pools is not None and not _fits(pool, rules.node_pools):
        fix = f"allowed are {', '.join(rules.node_pools)}"
        yield Objection("nodePools", f"jobs may not be in the node pool {pool}", fix, ("node_pool",))


def _resources(body: JobBody, rules: PolicySpec) -> Iterator[Objection]:
    most = rules.resources
    if most is None:
        return
    for group in body.get("TaskGroups") or ():
        name = str(group.get("Name") or "")
        disk = (group.get("EphemeralDisk") or {}).get("SizeMB") or 0
        count = group.get("Count")
        count = 1 if count is None else count
        for rule, value, ceiling, block in (
            ("count", count, most.count, "count"),
            ("disk", disk, most.disk, "ephemeral_disk"),
        ):
            if ceiling is not None and value > ceiling:
                message = f"group {name}: {rule} {value} is above the limit of {ceiling}"
                yield Objection(f"resources.{rule}", message, f"at most {ceiling}", ("group", name, block))
    for group, task in _tasks(body):
        asked, where = task.get("Resources") or {}, _where(group, task)
        for rule, field, ceiling, attribute in (
            ("cpu", "CPU", most.cpu, "cpu"),
            ("cores", "Cores", most.cores, "cores"),
            ("memory", "MemoryMB", most.memory, "memory"),
            ("memoryMax", "MemoryMaxMB", most.memory_max, "memory_max"),
        ):
            value = asked.get(field) or 0
            if ceiling is not None and value > ceiling:
                message = f"{where}: {attribute} {value} is above the limit of {ceiling}"
                at = (*_at(group, task), "resources", attribute)
                yield Objection(f"resources.{rule}", message, f"at most {ceiling}", at)
        if most.limits_required and not asked.get("MemoryMB"):
            at = _at(group, task)
            fix = "write resources { memory = … }"
            yield Objection("resources.limitsRequired", f"{where}: says nowhere how much memory it is given", fix, at)


def _services(body: JobBody, rules: PolicySpec) -> Iterator[Objection]:
    if rules.services is None:
        return
    for at, service in _all_services(body):
        name = str(service.get("Name") or "")
        tags = [str(tag) for tag in service.get("Tags") or ()]
        for wanted in rules.services.tags_required or ():
            if not any(fnmatch.fnmatchcase(tag, wanted) for tag in tags):
                fix = f"add a tag that reads {wanted}"
                yield Objection("services.tagsRequired", f"service {name}: has no tag {wanted}", fix, (*at, "tags"))
        if rules.services.check_required and not service.get("Checks"):
            yield Objection("services.checkRequired", f"service {name}: has no check", "add a check block", at)


def _meta(body: JobBody, rules: PolicySpec) -> Iterator[Objection]:
    for wanted in rules.meta_required or ():
        if not any(fnmatch.fnmatchcase(str(key), wanted) for key in body.get("Meta") or {}):
            yield Objection(
                "metaRequired", f"the job's meta has no {wanted}", f"write meta {{ {wanted} = … }}", ("meta",)
            )


def _denied(body: JobBody, rules: PolicySpec) -> Iterator[Objection]:
    denied = frozenset(rules.deny or ())
    for what, message, fix, at in _asked(body):
        if what in denied:
            yield Objection(f"deny.{what.value}", message, fix, at)


_RULES: tuple[Judge, ...] = (_images, _drivers, _places, _resources, _services, _meta, _denied)

_Asked = tuple[Denied, str, str, tuple[str, ...]]

# Source: nomad drivers/docker/config.go, and the capabilities that Docker gives anyway.
_HOST_MODES = (("pid_mode", "processes"), ("ipc_mode", "memory"), ("userns_mode", "users"), ("uts_mode", "name"))
_OWN_FOLDERS = ("${NOMAD_ALLOC_DIR}", "${NOMAD_TASK_DIR}", "${NOMAD_SECRETS_DIR}")
_UNISOLATED = frozenset({"raw_exec"})


def _asked(body: JobBody) -> Iterator[_Asked]:
    """Every privilege that the job asks for."""
    for group in body.get("TaskGroups") or ():
        at = ("group", str(group.get("Name") or ""))
        for network in group.get("Networks") or ():
            if network.get("Mode") == "host" and group.get("Networks"):
                message = f"group {at[1]}: shares the host's network"
                yield Denied.HOST_NETWORK, message, "mode bridge, or no mode", (*at, "network", "mode")
            for port in network.get("ReservedPorts") or ():
                label = str(port.get("Label") or "")
                message = f"group {at[1]}: port {label} is fixed to {port.get('Value')} on the node"
                yield Denied.STATIC_PORTS, message, "leave out `static`", (*at, "network", "port", label, "static")
        for name, volume in (group.get("Volumes") or {}).items():
            if volume.get("Type") == "host":
                yield Denied.HOST_VOLUMES, f"group {at[1]}: mounts the host volume {name}", "", (*at, "volume", name)
    for group, task in _tasks(body):
        yield from _asked_by_task(task, _where(group, task), _at(group, task))


def _asked_by_task(task: Mapping[str, Any], where: str, at: tuple[str, ...]) -> Iterator[_Asked]:
    # A driver's config is not typed by Nomad: anything may stand in it.
    config, docker = task.get("Config") or {}, (*at, "config")
    if task.get("Driver") in _UNISOLATED:
        yield Denied.PRIVILEGED, f"{where}: runs without isolation", "use docker or exec", (*at, "driver")
    if _is_true(config.get("privileged")):
        yield Denied.PRIVILEGED, f"{where}: runs privileged", "leave out `privileged`", (*docker, "privileged")
    if _may_be(config.get("network_mode"), "host"):
        yield Denied.HOST_NETWORK, f"{where}: shares the host's network", "leave it out", (*docker, "network_mode")
    for key, what in _HOST_MODES:
        if _may_be(config.get(key), "host"):
            yield Denied.HOST_PROCESSES, f"{where}: shares the host's {what}", f"leave out `{key}`", (*docker, key)
    for path in _host_paths(config):
        message = f"{where}: mounts {path} of the node"
        yield Denied.HOST_PATHS, message, "use a volume of the group", (*docker, "volumes")
    added = [str(one) for one in _list(config.get("cap_add"))]
    if added:
        message = f"{where}: asks for {', '.join(added)}"
        yield Denied.CAPABILITIES, message, "leave out `cap_add`", (*docker, "cap_add")
    if config.get("devices"):
        yield Denied.DEVICES, f"{where}: asks for devices of the node", "use the device block", (*docker, "devices")
    if str(task.get("User") or "").split(":")[0] in ("root", "0"):
        yield Denied.ROOT, f"{where}: runs as root", "name another `user`", (*at, "user")
    for template in task.get("Templates") or ():
        source = str(template.get("SourcePath") or "")
        if source.startswith("/"):
            message = f"{where}: a template is read from {source} of the node"
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


def _leaves_allocation(source: str) -> bool:
    if source.startswith("${"):
        # `meta`, `attr` and the task's own `env` may hold any path; of Nomad's folders it is known where they are.
        return not source.startswith(_OWN_FOLDERS) or ".." in source.split("/")
    return source.startswith("/") or ".." in source.split("/")


def _is_true(value: Any) -> bool:
    """Source: go-cty takes the texts "true" and "1" for true."""
    return value is True or value == 1 or _may_be(value, "true") or value == "1"


def _may_be(value: Any, wanted: str) -> bool:
    """Nomad fills in `${…}` on the node, after every check: what only it knows is taken as asked for."""
    return isinstance(value, str) and (value == wanted or "${" in value)


# ---- reading jobs


def _tasks(body: JobBody) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for group in body.get("TaskGroups") or ():
        for task in group.get("Tasks") or ():
            yield group, task


def _all_services(body: JobBody) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    for group in body.get("TaskGroups") or ():
        at = ("group", str(group.get("Name") or ""))
        for service in group.get("Services") or ():
            yield (*at, "service", str(service.get("Name") or "")), service
        for task in group.get("Tasks") or ():
            for service in task.get("Services") or ():
                yield (*_at(group, task), "service", str(service.get("Name") or "")), service


def _where(group: Mapping[str, Any], task: Mapping[str, Any]) -> str:
    return f"{group.get('Name')}/{task.get('Name')}"


def _at(group: Mapping[str, Any], task: Mapping[str, Any]) -> tuple[str, ...]:
    return ("group", str(group.get("Name") or ""), "task", str(task.get("Name") or ""))


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else () if value is None else (value,)


def _parts(image: str) -> tuple[str, str, str]:
    """Name with registry, tag ("" if none), digest ("" if none). A colon before the last slash belongs to a port."""
    rest, _, digest = image.partition("@")
    head, slash, last = rest.rpartition("/")
    name, _, tag = last.partition(":")
    return head + slash + name, tag, digest
