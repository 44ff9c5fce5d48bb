"""Reads a job in Nomad's API JSON by names, for diagnoses: what is not there is empty. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from desired.state import JobBody
from observers.failures.near import near


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a group. `static` is 0 for a dynamic one; `to` is 0 where it is the same inside."""

    label: str
    static: int
    to: int

    @property
    def inside(self) -> int:
        """Where it leads inside the task; 0 where that is the dynamic number itself."""
        return self.to if self.to > 0 else self.static


@dataclass(frozen=True, slots=True)
class CheckPart:
    """A check with its service; `task` is empty where the service belongs to the group."""

    group: str
    task: str
    service: JobBody
    part: JobBody

    @property
    def name(self) -> str:
        """As Nomad names it: a check without a name is called after its service."""
        return named(self.part) or f'service: "{named(self.service)}" check'

    @property
    def label(self) -> str:
        return text(self.part, "PortLabel") or text(self.service, "PortLabel")


def text(part: JobBody, key: str) -> str:
    found = part.get(key)
    return "" if found is None else str(found)


def number(part: JobBody, key: str) -> int:
    found = part.get(key)
    return int(found) if isinstance(found, int | float) and not isinstance(found, bool) else 0


def named(part: JobBody) -> str:
    return text(part, "Name")


def parts(part: JobBody, key: str) -> list[JobBody]:
    """A list of blocks; None and anything else is empty."""
    found = part.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list | tuple) else []


def block(part: JobBody, key: str) -> JobBody:
    found = part.get(key)
    return found if isinstance(found, dict) else {}


def group(body: JobBody, name: str) -> JobBody:
    """The group of that name, or the only one; empty where there is none."""
    groups = parts(body, "TaskGroups")
    fitting = [one for one in groups if named(one) == name] or (groups if not name and len(groups) == 1 else [])
    return fitting[0] if fitting else {}


def task(body: JobBody, group_name: str, name: str) -> JobBody:
    """The task of that name; in any group where the group is not known."""
    groups = [group(body, group_name)] if group_name else parts(body, "TaskGroups")
    fitting = [one for each in groups for one in parts(each, "Tasks") if named(one) == name]
    return fitting[0] if fitting else {}


def tasks(body: JobBody) -> Iterator[tuple[str, JobBody]]:
    """Every task with its group's name."""
    for each in parts(body, "TaskGroups"):
        for one in parts(each, "Tasks"):
            yield named(each), one


def ports(part: JobBody) -> list[Port]:
    """Those of a group."""
    found = []
    for network in parts(part, "Networks"):
        for listed, static in (("ReservedPorts", True), ("DynamicPorts", False)):
            for one in parts(network, listed):
                found.append(Port(text(one, "Label"), number(one, "Value") if static else 0, number(one, "To")))
    return found


def checks(part: JobBody) -> list[CheckPart]:
    """Those of a group's services and of its tasks' services."""
    of_group = [("", service) for service in parts(part, "Services")]
    of_tasks = [(named(one), service) for one in parts(part, "Tasks") for service in parts(one, "Services")]
    return [
        CheckPart(named(part), owner, service, check)
        for owner, service in of_group + of_tasks
        for check in parts(service, "Checks")
    ]


def labels(part: JobBody, asked: str) -> dict[str, str]:
    """Facts of a group's port labels: all of them, and the one that `asked` may have meant."""
    found = [port.label for port in ports(part)]
    like = near(asked, found)
    meant = like[0] if len(like) == 1 else found[0] if len(found) == 1 else ""
    return {"labels": ", ".join(found), "suggestion": meant}


def memory_limit(part: JobBody) -> int:
    """What a task may use before it is killed, MB."""
    resources = block(part, "Resources")
    return max(number(resources, "MemoryMB"), number(resources, "MemoryMaxMB"))


def one_shot(part: JobBody) -> bool:
    """A prestart, poststart or poststop task that is meant to end."""
    lifecycle = block(part, "Lifecycle")
    return bool(lifecycle) and not lifecycle.get("Sidecar")


def seconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e9:g}"


def leaves(value: Any) -> Iterator[str]:
    """Every text in a part, however deep."""
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str):
        yield value
