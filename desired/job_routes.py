"""The routes that a job asks Fabio for, and what is wrong with the tags by which it does. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from desired.fabio_tag import Severity, TagProblem, fabio_routes, is_fabio_tag, service_problems
from desired.route_conflicts import Claim
from desired.state import JobBody

_FILLED_IN = re.compile(r"\$\{([A-Za-z_]{1,40})\}")


@dataclass(frozen=True, slots=True)
class RoutedService:
    """A service of a job with its tags. `where` is the group, or group/task; `in_consul`: Fabio can see it."""

    where: str
    name: str
    tags: tuple[str, ...]
    in_consul: bool
    checked: bool


def routed_services(body: JobBody) -> tuple[RoutedService, ...]:
    """The services that have a tag for Fabio, in the job's order. Tags of canaries count: Fabio sees them as well."""
    return tuple(one for one in _services(body) if any(is_fabio_tag(tag) for tag in one.tags))


def job_claims(body: JobBody, owner: str) -> tuple[Claim, ...]:
    """What an app claims; `owner` is its key."""
    return tuple(
        Claim(owner=owner, service=service.name, route=route)
        for service in routed_services(body)
        if service.in_consul
        for route in dict.fromkeys(fabio_routes(service.tags))
    )


def route_problems(body: JobBody) -> tuple[tuple[RoutedService, TagProblem], ...]:
    """By service, what is wrong. An error harms other services: such a job must not be registered."""
    found: list[tuple[RoutedService, TagProblem]] = []
    for service in routed_services(body):
        if not service.in_consul:
            tag = next(tag for tag in service.tags if is_fabio_tag(tag))
            message = "the service is in Nomad's own catalog, where Fabio does not look"
            found.append((service, TagProblem(tag, Severity.WARNING, message, 'provider = "consul"')))
            continue
        found += [(service, problem) for problem in service_problems(service.tags)]
        if not service.checked:
            # Source: fabiolb/fabio registry/consul/passing.go: no passing check of its own, no route.
            tag = next(tag for tag in service.tags if is_fabio_tag(tag))
            message = "the service has no check, and Fabio sends nothing to one without"
            found.append((service, TagProblem(tag, Severity.WARNING, message, "add a check: tcp is enough")))
    return tuple(found)


def _services(body: JobBody) -> Iterator[RoutedService]:
    job = _text(body, "Name") or _text(body, "ID")
    for group in _objects(body, "TaskGroups"):
        name = _text(group, "Name")
        for service in _objects(group, "Services"):
            yield _service(name, service, (job, name, ""))
        for task in _objects(group, "Tasks"):
            for service in _objects(task, "Services"):
                yield _service(f"{name}/{_text(task, 'Name')}", service, (job, name, _text(task, "Name")))


def _name(service: Mapping[str, Any], within: tuple[str, str, str]) -> str:
    """As the catalog will have it; what only the node knows stays as it is written.

    Source: api/services.go Service.Canonicalize, nomad/structs/services.go Service.Canonicalize, client/taskenv.
    """
    job, group, task = within
    name = _text(service, "Name") or "-".join(part for part in within if part)
    known = {
        "JOB": job, "TASKGROUP": group, "TASK": task or "group", "BASE": f"{job}-{group}-{task or 'group'}",
        "NOMAD_JOB_NAME": job, "NOMAD_GROUP_NAME": group, "NOMAD_TASK_NAME": task,
    }  # fmt: skip
    return _FILLED_IN.sub(lambda found: known.get(found[1]) or found[0], name)


def _service(where: str, service: Mapping[str, Any], within: tuple[str, str, str]) -> RoutedService:
    tags = [str(tag) for key in ("Tags", "CanaryTags") for tag in _list(service, key)]
    return RoutedService(
        where=where,
        name=_name(service, within),
        tags=tuple(dict.fromkeys(tags)),
        in_consul=_text(service, "Provider").lower() in ("", "consul"),
        checked=bool(_list(service, "Checks")),
    )


def _objects(part: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return [one for one in _list(part, key) if isinstance(one, Mapping)]


def _list(part: Mapping[str, Any], key: str) -> list[Any]:
    found = part.get(key)
    return list(found) if isinstance(found, list | tuple) else []


def _text(part: Mapping[str, Any], key: str) -> str:
    found = part.get(key)
    return found if isinstance(found, str) else ""
