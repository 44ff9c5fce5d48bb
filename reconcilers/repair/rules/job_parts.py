"""Reads a job in Nomad's API JSON by names, as loosely as people write it: a part that is not there is empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from desired.state import JobBody
from observers.failures import job_words
from observers.failures.job_words import Port
from reconcilers.repair.proposal import Case

Part = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Service:
    """A service and its address: group, the task where it belongs to one, its name."""

    at: tuple[str, ...]
    part: Part

    @property
    def label(self) -> str:
        return str(self.part.get("PortLabel") or "")


@dataclass(frozen=True, slots=True)
class CheckPart:
    """A check, its address, and the service it belongs to. Nomad names an unnamed one `service: "web" check`."""

    at: tuple[str, ...]
    part: Part
    service: Service

    @property
    def label(self) -> str:
        """The port that it asks: its own, or its service's."""
        return str(self.part.get("PortLabel") or "") or self.service.label

    @property
    def name(self) -> str:
        return name(self.part) or f'service: "{name(self.service.part)}" check'


def groups(body: JobBody) -> Iterator[Part]:
    yield from body.get("TaskGroups") or ()


def group_of(case: Case) -> Part | None:
    """The group of the diagnosis; the only one where it names none."""
    return _named(list(groups(case.body)), case.diagnosis.group)


def task_of(case: Case) -> tuple[Part, Part] | None:
    """The group and task of the diagnosis; the only ones where it names none."""
    group = group_of(case)
    task = None if group is None else _named(tasks(group), case.diagnosis.task)
    return None if group is None or task is None else (group, task)


def tasks(group: Part) -> list[Part]:
    return list(group.get("Tasks") or ())


def config(task: Part) -> Part:
    found: Part = task.get("Config") or {}
    return found


def name(part: Part) -> str:
    return str(part.get("Name") or "")


def address(group: Part, task: Part) -> tuple[str, str]:
    return (name(group), name(task))


def mode(group: Part) -> str:
    """The network mode: empty or `host` where the group shares the node's network."""
    networks = group.get("Networks") or ()
    return str(networks[0].get("Mode") or "") if networks else ""


def ports(group: Part) -> list[Port]:
    """Those of the group's networks."""
    return job_words.ports(group)


def services(group: Part) -> list[Service]:
    """Those of the group and those of its tasks."""
    found = [Service((name(group), name(one)), one) for one in group.get("Services") or ()]
    for task in tasks(group):
        found += [Service((name(group), name(task), name(one)), one) for one in task.get("Services") or ()]
    return found


def checks(group: Part) -> list[CheckPart]:
    return [
        CheckPart((*service.at, name(one) or f'service: "{service.at[-1]}" check'), one, service)
        for service in services(group)
        for one in service.part.get("Checks") or ()
    ]


def check_of(case: Case) -> tuple[Part, CheckPart] | None:
    """The check of the diagnosis: by service and name as far as they are known, and only if exactly one fits."""
    group = group_of(case)
    if group is None:
        return None
    told = case.diagnosis
    fitting = [
        one for one in checks(group) if told.service in ("", one.service.at[-1]) and told.check in ("", one.at[-1])
    ]
    return (group, fitting[0]) if len(fitting) == 1 else None


def driver_ports(task: Part) -> tuple[str, ...]:
    """Labels that the driver publishes; a text instead of a list counts as one."""
    listed = config(task).get("ports") or ()
    return (listed,) if isinstance(listed, str) else tuple(str(one) for one in listed)


def users_of(label: str, group: Part) -> list[str]:
    """Who uses a port label: services, checks, and tasks whose driver publishes it or whose texts name it."""
    found = [f"service {one.at[-1]}" for one in services(group) if one.label == label]
    found += [f"check {name(one.part)}" for one in checks(group) if one.part.get("PortLabel") == label]
    for task in tasks(group):
        if label in driver_ports(task) or any(f"_{label}" in text for text in texts(task) if "NOMAD_" in text):
            found.append(f"task {name(task)}")
    return found


def environment(task: Part) -> dict[str, str]:
    return {str(key): str(value) for key, value in (task.get("Env") or {}).items()}


def templates(task: Part) -> list[Part]:
    return list(task.get("Templates") or ())


def texts(value: Any) -> Iterator[str]:
    """Every text and number of a part, however deep, keys left out."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)
    elif value is not None:
        yield str(value)


def _named(parts: list[Part], wanted: str) -> Part | None:
    fitting = [part for part in parts if not wanted or name(part) == wanted]
    return fitting[0] if len(fitting) == 1 else None
