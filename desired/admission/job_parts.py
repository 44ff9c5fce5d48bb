"""Reading a job for its rules: tasks and services with their names, and where they stand in the file."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from desired.state import JobBody


def blocks(around: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    """A job in JSON may hold null where a block belongs: Nomad takes it for none, and so do we."""
    yield from (one for one in around.get(name) or () if isinstance(one, Mapping))


def groups(body: JobBody) -> Iterator[Mapping[str, Any]]:
    return blocks(body, "TaskGroups")


def tasks(body: JobBody) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """With its group. What a job makes of Connect's proxies is a task as well."""
    for group in groups(body):
        for task in blocks(group, "Tasks"):
            yield group, task
        for service in blocks(group, "Services"):
            for proxy in _proxies(service):
                yield group, proxy


def _proxies(service: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Source: nomad/job_endpoint_hook_connect.go: newConnectSidecarTask, connectSidecarResources (2.0.5)."""
    connect = service.get("Connect")
    written = connect.get("SidecarTask") if isinstance(connect, Mapping) else None
    if isinstance(written, Mapping):
        said = {name: value for name, value in written.items() if value not in (None, "")}
        sizes = {name: value for name, value in (said.get("Resources") or {}).items() if value is not None}
        resources = {"CPU": 250, "MemoryMB": 128, **sizes}
        name = f"connect-proxy-{service.get('Name')}"
        yield {"Name": name, "Driver": "docker", **said, "Resources": resources}


def all_services(body: JobBody) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """With each its place in the file."""
    for group in groups(body):
        at = ("group", str(group.get("Name") or ""))
        for service in blocks(group, "Services"):
            yield (*at, "service", str(service.get("Name") or "")), service
        for task in blocks(group, "Tasks"):
            for service in blocks(task, "Services"):
                yield (*place_of(group, task), "service", str(service.get("Name") or "")), service


def where(group: Mapping[str, Any], task: Mapping[str, Any]) -> str:
    """As people read it."""
    return f"{group.get('Name')}/{task.get('Name')}"


def place_of(group: Mapping[str, Any], task: Mapping[str, Any]) -> tuple[str, ...]:
    """As `desired.job.hcl_places` has it."""
    return ("group", str(group.get("Name") or ""), "task", str(task.get("Name") or ""))


def fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
