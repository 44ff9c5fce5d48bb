"""Where in a manifest stands what something of its job is made of: for messages about the job. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desired.generate import NAME
from desired.yaml_document import Document
from desired.yaml_text import read_yaml

_GROUP = ("group", NAME)
_TASK = (*_GROUP, "task", NAME)
# The manifest's own fields, by the place in the job that they make. What stands below belongs to it.
_FIELDS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("namespace",): ("metadata", "namespace"),
    ("datacenters",): ("spec", "datacenters"),
    ("type",): ("spec", "type"),
    (*_GROUP, "count"): ("spec", "count"),
    (*_GROUP, "ephemeral_disk"): ("spec", "resources", "disk"),
    (*_GROUP, "volume"): ("spec", "volumes"),
    (*_TASK, "config", "image"): ("spec", "image"),
    (*_TASK, "config", "command"): ("spec", "command"),
    (*_TASK, "config", "args"): ("spec", "args"),
    (*_TASK, "resources", "cpu"): ("spec", "resources", "cpu"),
    (*_TASK, "resources", "memory"): ("spec", "resources", "memory"),
    (*_TASK, "resources", "memory_max"): ("spec", "resources", "memoryMax"),
    (*_TASK, "env"): ("spec", "env"),
}
_NETWORK = (*_GROUP, "network", "port")
_SERVICE = (*_GROUP, "service")


def place_in_manifest(text: str, path: str, line: int, at: tuple[str, ...]) -> tuple[int, int] | None:
    """Line and column in the document that begins at `line`; None where nothing of it is written there.

    `at` leads to the place in the job, as `desired.job.hcl_places` has it.
    """
    document = next((one for one in read_yaml(text, path) if one.line == line), None)
    if document is None or not at:
        return None
    steps = next((steps for steps in _candidates(at) if _written(document, steps)), None)
    return None if steps is None else document.place(steps)


def _candidates(at: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The nearest first: what is written in the job language itself, then the manifest's own fields."""
    found = [("spec", "job", *at)]
    for length in range(len(at), 0, -1):
        if (field := _FIELDS.get(at[:length])) is not None:
            found += [(*field, *at[length:]), field]
    if at[:4] == _NETWORK[:4] and len(at) > 4:
        found += [("spec", "ports", at[4], *at[5:]), ("spec", "ports", at[4])]
    if at[:3] == _SERVICE and "tags" in at:
        found.append(("spec", "routes"))
    elif at[:3] == _SERVICE:
        found += [("spec", "check"), ("spec", "ports")]
    return found


def _written(document: Document, steps: tuple[str, ...]) -> bool:
    value: Any = document.root.value if document.root is not None else None
    for step in steps:
        if not isinstance(value, Mapping) or step not in value:
            return False
        value = value[step]
    return True
