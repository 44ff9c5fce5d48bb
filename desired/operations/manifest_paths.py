"""Where in a manifest the value of an operation stands or may be put: its own fields first, then under `spec.job`."""

from __future__ import annotations

from typing import Any

from desired.generate import NAME
from desired.job.fields import Kind as FieldKind
from desired.job.spec import Check, Constraint, Group, Job, Network, Port, Service, Task, Template
from desired.job.table import by_json
from desired.operations.operation import Kind, Operation
from desired.operations.place import Place, Step, get
from desired.operations.yaml_written import Item
from desired.operations.yaml_written import Step as YamlStep

Path = tuple[YamlStep, ...]

_SHORT: dict[Kind, Path] = {
    Kind.MEMORY: ("resources", "memory"),
    Kind.MEMORY_MAX: ("resources", "memoryMax"),
    Kind.CPU: ("resources", "cpu"),
    Kind.DISK: ("resources", "disk"),
    Kind.DATACENTERS: ("datacenters",),
    Kind.IMAGE: ("image",),
    Kind.COMMAND: ("command",),
    Kind.ARGS: ("args",),
    Kind.CHECK_PORT: ("check", "port"),
    Kind.CHECK_PATH: ("check", "path"),
    Kind.CHECK_PROTOCOL: ("check", "protocol"),
    Kind.CHECK_INTERVAL: ("check", "interval"),
    Kind.CHECK_TIMEOUT: ("check", "timeout"),
}
_IDENTITY: dict[type, tuple[str, str]] = {
    Service: ("name", "Name"),
    Check: ("name", "Name"),
    Template: ("destination", "DestPath"),
    Constraint: ("attribute", "LTarget"),
}


def shortcut(operation: Operation) -> Path | None:
    """The manifest's own field for a value of the generated task or group; None where there is none."""
    at = operation.at
    if operation.kind in _SHORT and all(part == NAME for part in at[: 2 if len(at) == 2 else 1]):
        return ("spec", *_SHORT[operation.kind])
    if operation.kind is Kind.ENV and at[:2] == (NAME, NAME):
        return ("spec", "env", at[2], "fixed") if operation.new is not None else ("spec", "env", at[2])
    if at[:1] == (NAME,) and operation.kind in (Kind.PORT_TO, Kind.STATIC_PORT):
        return ("spec", "ports", at[1], "to" if operation.kind is Kind.PORT_TO else "static")
    if at[:1] == (NAME,) and operation.kind in (Kind.PORT_ADDED, Kind.PORT_LABEL):
        return ("spec", "ports", at[1])
    return None


def block_path(body: Any, steps: tuple[Step, ...]) -> Path | None:
    """The path of a block of the job under `spec.job`; None where blocks merged in cannot name it."""
    path: list[YamlStep] = ["spec", "job"]
    kind: type = Job
    value = body
    for key, number in zip(steps[::2], steps[1::2], strict=True):
        field = by_json(kind)[str(key)]
        assert field.block is not None
        value, kind = value[key][number], field.block
        if kind in (Group, Task, Port):
            path += ["port" if kind is Port else field.hcl, str(get(value, "Label" if kind is Port else "Name"))]
        elif kind is Network:
            path.append(field.hcl)
        elif kind in _IDENTITY:
            name, json_name = _IDENTITY[kind]
            told = get(value, json_name)
            if not told:
                return None
            path += [field.hcl, Item(name, str(told))]
        else:
            return None
    return tuple(path)


def value_path(owner: Place, keys: tuple[str, ...]) -> tuple[Path, bool]:
    """From a block to a value in it, by the names of the job language; and whether it is a duration."""
    path: list[YamlStep] = []
    kind: type | None = owner.kind
    duration = False
    for key in keys:
        field = by_json(kind).get(key) if kind is not None else None
        path.append(field.hcl if field is not None else key)
        kind = field.block if field is not None else None
        duration = field is not None and field.kind is FieldKind.DURATION
    return tuple(path), duration
