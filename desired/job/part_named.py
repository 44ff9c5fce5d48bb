"""Which part of a job Nomad speaks of in what it says about the whole: its words name groups, tasks and services. Pure.

Source: nomad/structs: `Task group web validation failed`, `Group "web" has warnings`, `Task app ...`, `service "x"`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_At = tuple[str, ...]
_BLOCK = re.compile(
    r"\b(template|secret|vault|resources|restart|reschedule|update|network|volume_mount|artifact|identity|lifecycle"
    r"|logs|scaling|ephemeral_disk|driver)\b",
    re.IGNORECASE,
)


def part_named(words: str, body: Mapping[str, Any]) -> _At:
    """The smallest part that is named without a doubt, as `desired.job.hcl_places` has it; `()` for the job itself."""
    every = [("group", _name(group)) for group in _objects(body, "TaskGroups")]
    groups = [at for at in every if _named("group", at, words)]
    among = groups if len(groups) == 1 else every
    tasks = [at for at in _tasks(body) if at[:2] in among and _named("task", at, words)]
    if len(tasks) == 1:
        return _with_block(tasks[0], words)
    services = [at for at in _services(body) if at[:2] in among and _named("service", at, words)]
    if len(services) == 1:
        return services[0]
    return _with_block(groups[0], words) if len(groups) == 1 else ()


def _named(kind: str, at: _At, words: str) -> bool:
    told = rf"(?i:\b{kind}) [\"'`]?{re.escape(at[-1])}(?![\w-])"
    return bool(at[-1]) and re.search(told, words) is not None


def _with_block(at: _At, words: str) -> _At:
    """With the block or attribute within it that the words name first."""
    found = _BLOCK.search(words)
    return (*at, found[1].lower()) if found else at


def _tasks(body: Mapping[str, Any]) -> Iterator[_At]:
    for group in _objects(body, "TaskGroups"):
        for task in _objects(group, "Tasks"):
            yield "group", _name(group), "task", _name(task)


def _services(body: Mapping[str, Any]) -> Iterator[_At]:
    for group in _objects(body, "TaskGroups"):
        for one in _objects(group, "Services"):
            yield "group", _name(group), "service", _name(one)
        for task in _objects(group, "Tasks"):
            for one in _objects(task, "Services"):
                yield "group", _name(group), "task", _name(task), "service", _name(one)


def _name(part: Mapping[str, Any]) -> str:
    return str(part.get("Name") or "")


def _objects(part: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = part.get(key)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list | tuple) else []
