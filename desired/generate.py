"""The job that a manifest asks for: one group with one Docker task, both named `app`, and what people merge into it.

Deterministic, and nothing of the operator's own is in the job: it could as well have been written by hand.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from desired.app import AppKey
from desired.env_template import env_templates
from desired.errors import InvalidDesired
from desired.file_template import file_mounts, file_templates
from desired.finding import Finding
from desired.job.api_json import from_json, to_json
from desired.job.hcl_job_complete import complete
from desired.job.hcl_write import to_hcl
from desired.job.spec import (
    Check,
    Consul,
    EphemeralDisk,
    Group,
    Job,
    Lifecycle,
    Network,
    Port,
    Resources,
    Service,
    Task,
    Update,
    Vault,
    Volume,
    VolumeMount,
)
from desired.job_merge import merge_job
from desired.manifest import AppSpec, EnvValue, File
from desired.manifest import Volume as WantedVolume
from desired.policy import OnFailure
from desired.secret_blocks import secret_blocks
from desired.state import JsonSource

NAME = "app"
_CHECK = Check(interval=timedelta(seconds=10), timeout=timedelta(seconds=2))
_JOB: tuple[str | int, ...] = ("spec", "job")
_PRIVILEGED = 1024
_OWNING = "own-volumes"


def generate(key: AppKey, spec: AppSpec, on_failure: OnFailure) -> tuple[JsonSource | None, list[Finding]]:
    """The job and its HCL. What is wrong with `spec.job` is told, and then there is no job."""
    body = dict(to_json(_job(key, spec, on_failure)))
    findings = merge_job(body, spec.job or {}, _JOB)
    if findings:
        return None, findings
    # Through the typed job, so that the order of keys is always the same.
    body = complete(dict(to_json(from_json(body))))
    try:
        return JsonSource(body=body, text=to_hcl(body)), []
    except InvalidDesired as error:
        return None, [Finding(_JOB, problem.message, error.hint or problem.hint) for problem in error.problems]


def merge_problems(given: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with `spec.job` by itself, for a manifest in which other things are wrong as well."""
    return merge_job(dict(to_json(Job())), given, _JOB)


def _job(key: AppKey, spec: AppSpec, on_failure: OnFailure) -> Job:
    long_running = spec.type in ("service", "system")
    return Job(
        id=key.name,
        name=key.name,
        namespace=key.namespace,
        datacenters=tuple(spec.datacenters or ()),
        type=spec.type,
        update=Update(auto_revert=True) if long_running and on_failure is not OnFailure.HOLD else None,
        groups=(_group(key, spec),),
    )


def _group(key: AppKey, spec: AppSpec) -> Group:
    disk = spec.resources.disk if spec.resources else None
    mounts = _labels(spec)
    return Group(
        name=NAME,
        count=spec.count,
        networks=_networks(spec),
        volumes=_volumes(spec, mounts),
        ephemeral_disk=EphemeralDisk(size=disk) if disk else None,
        services=_services(key, spec),
        tasks=(*_before(spec, mounts), _task(spec, mounts)),
    )


def _networks(spec: AppSpec) -> tuple[Network, ...]:
    ports = tuple(
        Port(label=label, static=port.static or 0, to=port.to or 0) for label, port in (spec.ports or {}).items()
    )
    if not ports:
        return ()
    # Static ones too: completing the job puts them where the API has them, after all merging.
    return (Network(mode="host" if _on_the_host(spec) else "", dynamic_ports=ports),)


def _on_the_host(spec: AppSpec) -> bool:
    """A port below 1024 that is fixed on the node, and on which the app listens itself: nothing is mapped then.

    Only where that holds of every port: what Nomad chooses, the app would have to be told.
    """
    ports = list((spec.ports or {}).values())
    fixed = all(port.static is not None and port.to in (None, port.static) for port in ports)
    return fixed and any(port.static is not None and port.static < _PRIVILEGED for port in ports)


def _main_port(spec: AppSpec) -> str | None:
    ports = list(spec.ports or {})
    if not ports:
        return None
    if spec.check and spec.check.port:
        return spec.check.port
    return "http" if "http" in ports else ports[0]


def _services(key: AppKey, spec: AppSpec) -> tuple[Service, ...]:
    """Fabio finds its routes in Consul, so that an app with routes is there; any other is in Nomad's own catalog.

    Work with an end serves nobody while it has not said so: its ports may be there for a debugger alone.
    """
    port = _main_port(spec)
    routes = spec.routes or []
    unchecked = spec.check is not None and spec.check.disable
    asked = bool(routes) or (spec.check is not None and not unchecked)
    if port is None or (spec.type in ("batch", "sysbatch") and not asked):
        return ()
    checks = () if unchecked else (_check(spec, port),)
    tags = tuple(_route(route.host, route.path, strip=route.strip) for route in routes)
    provider = "consul" if routes else "nomad"
    return (Service(name=service_name(key.name), provider=provider, port=port, tags=tags, checks=checks),)


def _check(spec: AppSpec, port: str) -> Check:
    check = replace(_CHECK, port=port, type="tcp")
    if spec.check is not None:
        check = replace(check, interval=spec.check.interval, timeout=spec.check.timeout)
        if spec.check.path is not None:
            check = replace(check, type="http", path=spec.check.path, protocol=spec.check.protocol or "")
    return check


def _route(host: str, path: str, *, strip: bool) -> str:
    """Source: Fabio's documentation, urlprefix tags."""
    tag = f"urlprefix-{host}{path}"
    return f"{tag} strip={path}" if strip and path != "/" else tag


def service_name(name: str) -> str:
    """The nearest name that a service may have. Source: nomad/structs Service.ValidateName (RFC 1123)."""
    return re.sub(r"[^A-Za-z0-9-]+", "-", name)[:63].strip("-") or NAME


def _task(spec: AppSpec, mounts: Mapping[tuple[str, str], str]) -> Task:
    asked = spec.resources
    env = spec.env or {}
    config: dict[str, Any] = {"image": spec.image}
    if spec.command is not None:
        config["command"] = spec.command
    if spec.args:
        config["args"] = list(spec.args)
    if spec.ports:
        config["ports"] = list(spec.ports)
        if _on_the_host(spec):
            config["network_mode"] = "host"
    files = spec.files or {}
    if files:
        config["volumes"] = file_mounts(files)
    looked_up: tuple[EnvValue | File, ...] = (*env.values(), *files.values())
    secrets, from_secrets = secret_blocks(env) if spec.secret_form == "block" else ((), {})  # noqa: S105
    in_template = {name: value for name, value in env.items() if name not in from_secrets}
    as_they_are = {name: value.fixed for name, value in env.items() if value.fixed is not None}
    given = {**as_they_are, **from_secrets}
    return Task(
        name=NAME,
        driver="docker",
        config=config,
        env={name: given[name] for name in env if name in given} or None,
        # The app gets values, not a token: neither in its environment nor in a file.
        vault=Vault(env=False, disable_file=True) if any(value.vault for value in looked_up) else None,
        # Without the block a template's key is read with no token since Nomad 1.10: 403 where Consul has ACLs.
        consul=Consul() if any(value.consul for value in looked_up) else None,
        secrets=secrets,
        templates=(*env_templates(in_template), *file_templates(files)),
        volume_mounts=tuple(_mount(volume, mounts) for volume in spec.volumes or ()),
        resources=Resources(cpu=asked.cpu, memory=asked.memory, memory_max=asked.memory_max) if asked else None,
    )


# -- volumes


def _mount(volume: WantedVolume, mounts: Mapping[tuple[str, str], str]) -> VolumeMount:
    return VolumeMount(
        volume=mounts[_volume_of(volume)], destination=volume.mount, read_only=True if volume.read_only else None
    )


def _before(spec: AppSpec, mounts: Mapping[tuple[str, str], str]) -> Iterator[Task]:
    """A task that gives new volumes to the user that the app runs as: a volume belongs to root when it is made.

    It runs the app's own image, so that nothing else has to be pulled or trusted; that image needs a shell and chown.
    """
    owned = [volume for volume in spec.volumes or () if volume.owner is not None]
    if not owned:
        return
    script = " && ".join(f"chown -R {volume.owner} {shlex.quote(volume.mount)}" for volume in owned)
    yield Task(
        name=_OWNING,
        driver="docker",
        user="root",
        lifecycle=Lifecycle(hook="prestart"),
        config={"image": spec.image, "entrypoint": ["/bin/sh", "-c"], "args": [script]},
        volume_mounts=tuple(_mount(volume, mounts) for volume in owned),
        resources=Resources(cpu=50, memory=32),
    )


def _volume_of(volume: Any) -> tuple[str, str]:
    return ("csi", volume.csi) if volume.csi is not None else ("host", volume.host)


def _labels(spec: AppSpec) -> dict[tuple[str, str], str]:
    """The label of each volume in the group: its own name, with its kind before it where two are named alike."""
    asked = list(dict.fromkeys(_volume_of(volume) for volume in spec.volumes or ()))
    names = [name for _, name in asked]
    return {(kind, name): name if names.count(name) == 1 else f"{kind}-{name}" for kind, name in asked}


def _volumes(spec: AppSpec, labels: Mapping[tuple[str, str], str]) -> tuple[Volume, ...]:
    return tuple(_group_volumes(spec, labels))


def _group_volumes(spec: AppSpec, labels: Mapping[tuple[str, str], str]) -> Iterator[Volume]:
    for (kind, name), label in labels.items():
        uses = [volume for volume in spec.volumes or () if _volume_of(volume) == (kind, name)]
        read_only = all(volume.read_only for volume in uses)
        made = Volume(name=label, type=kind, source=name, read_only=read_only)
        if kind == "csi":
            access = "single-node-reader-only" if read_only else "single-node-writer"
            made = replace(made, access_mode=access, attachment_mode="file-system")
        yield made
