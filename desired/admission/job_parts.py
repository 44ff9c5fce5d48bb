"""Reading a job for its rules: tasks and services with their names, and where they stand in the file."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from desired.state import JobBody


def tasks(body: JobBody) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for group in body.get("TaskGroups") or ():
        for task in group.get("Tasks") or ():
            yield group, task


def all_services(body: JobBody) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """With each its place in the file."""
    for group in body.get("TaskGroups") or ():
        at = ("group", str(group.get("Name") or ""))
        for service in group.get("Services") or ():
            yield (*at, "service", str(service.get("Name") or "")), service
        for task in group.get("Tasks") or ():
            for service in task.get("Services") or ():
                yield (*place_of(group, task), "service", str(service.get("Name") or "")), service


def where(group: Mapping[str, Any], task: Mapping[str, Any]) -> str:
    """As people read it."""
    return f"{group.get('Name')}/{task.get('Name')}"


def place_of(group: Mapping[str, Any], task: Mapping[str, Any]) -> tuple[str, ...]:
    """As `desired.job.hcl_places` has it."""
    return ("group", str(group.get("Name") or ""), "task", str(task.get("Name") or ""))


def fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
