"""What a job takes from Vault, Consul and Nomad variables when its tasks start: every place, with who reads it. Pure.

Used to ask whether it is there before anything is registered, and to look for what it may have meant after a failure.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from desired.state import JobBody
from desired.template_reads import template_reads
from desired.variable_sources import Source

_SECRET_REFERENCE = re.compile(r"\$\{secret\.([A-Za-z0-9_]+)\.([^}\s]+)\}")
_PROVIDERS = {"vault": Source.VAULT, "nomad": Source.NOMAD}


@dataclass(frozen=True, slots=True)
class SecretRead:
    """A place that one task reads. `field` is empty where none is named.

    `versioned` is whether a secret is read in the shape of version 2, None where the job does not say. `block` is the
    name of the `secret` block that reads it, empty for a template. `loud` is whether Nomad fails the task where the
    field is missing; else the program gets a wrong value. `optional` is what the template can do without. `elsewhere`
    is read from another cluster or namespace than the one that is asked. `at` is its place in the job file.
    """

    source: Source
    path: str
    group: str
    task: str
    field: str = ""
    versioned: bool | None = None
    block: str = ""
    loud: bool = False
    optional: bool = False
    elsewhere: bool = False
    at: tuple[str, ...] = dataclasses.field(default=(), compare=False)

    @property
    def where(self) -> str:
        return f"{self.group}/{self.task}"


def secret_reads(body: JobBody) -> tuple[SecretRead, ...]:
    """All of them, in the job's order, each once."""
    found = (
        replace(read, elsewhere=_elsewhere(read.source, group, task))
        for group in _objects(body, "TaskGroups")
        for task in _objects(group, "Tasks")
        for read in (*_of_templates(_name(group), task), *_of_blocks(_name(group), task))
    )
    return tuple(dict.fromkeys(found))


def tasks_of(body: JobBody) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every task with its group's name."""
    for group in _objects(body, "TaskGroups"):
        for task in _objects(group, "Tasks"):
            yield _name(group), task


def secret_references(task: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """Block and key of every `${secret.BLOCK.KEY}` that stands in a task, but for the blocks themselves."""
    return frozenset(
        (block, key) for name, value in task.items() if name != "Secrets" for block, key in _referred(value)
    )


def _referred(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield from _SECRET_REFERENCE.findall(value)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _referred(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _referred(inner)


def _elsewhere(source: Source, group: Mapping[str, Any], task: Mapping[str, Any]) -> bool:
    """Whether a task reads from another Vault or Consul, or a part of it, than the one that Nomad has by default."""
    if source is Source.NOMAD:
        return False
    blocks = [task.get("Vault")] if source is Source.VAULT else [task.get("Consul"), group.get("Consul")]
    return any(
        _text(block, "Cluster") not in ("", "default") or _text(block, "Namespace") or _text(block, "Partition")
        for block in blocks
        if isinstance(block, Mapping)
    )


def _of_templates(group: str, task: Mapping[str, Any]) -> Iterator[SecretRead]:
    for index, template in enumerate(_objects(task, "Templates")):
        left, right = _text(template, "LeftDelim") or "{{", _text(template, "RightDelim") or "}}"
        for one in template_reads(_text(template, "EmbeddedTmpl"), left=left, right=right):
            yield SecretRead(
                one.source, one.path, group, _name(task), one.field, one.versioned,
                loud=template.get("ErrMissingKey") is True, optional=one.optional,
                at=("group", group, "task", _name(task), "template", str(index), "data"),
            )  # fmt: skip


def _of_blocks(group: str, task: Mapping[str, Any]) -> Iterator[SecretRead]:
    """Source: measured with Nomad 2.0.5: without `engine = "kv_v2"` a secret is read as of version 1."""
    keys: dict[str, list[str]] = {}
    for block, key in sorted(secret_references(task)):
        keys.setdefault(block, []).append(key)
    for secret in _objects(task, "Secrets"):
        source = _PROVIDERS.get(_text(secret, "Provider"))
        path, name = _text(secret, "Path").strip("/"), _name(secret)
        if source is None or not path or "${" in path:
            continue
        config = secret.get("Config")
        engine = config.get("engine") if isinstance(config, Mapping) else None
        versioned = engine == "kv_v2" if source is Source.VAULT else None
        for key in ("", *keys.get(name, ())):
            at = ("group", group, "task", _name(task), "secret", name)
            yield SecretRead(source, path, group, _name(task), key, versioned, block=name, at=at)


def _objects(part: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = part.get(key)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list | tuple) else []


def _text(part: Mapping[str, Any], key: str) -> str:
    found = part.get(key)
    return found if isinstance(found, str) else ""


def _name(part: Mapping[str, Any]) -> str:
    return _text(part, "Name")
