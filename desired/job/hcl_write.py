"""Writes a job as the HCL that people read: Nomad's formatting, blocks in the usual order, nothing that is not set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desired.errors import InvalidDesired
from desired.job.duration import format_duration
from desired.job.fields import Kind, Shape
from desired.job.hcl_text import IDENTIFIER, aligned, quoted_text, value
from desired.job.spec import Group, Identity, Job, Network, Scaling, Task
from desired.job.table import Row, label_of, rows
from desired.problem import Problem
from desired.state import JobBody

# The maps that HCL also takes as an attribute, which allows any key.
_ATTRIBUTE_MAPS = {(Job, "Meta"), (Group, "Meta"), (Task, "Meta"), (Task, "Env")}


def to_hcl(job: JobBody) -> str:
    """The job as HCL: reading it again gives the same job. What only the API knows, and what is not set, is left out.

    Raises InvalidDesired for what HCL cannot say: a name with a dot in a block that takes no other form.
    """
    name = job.get("ID") or job.get("Name") or ""
    body = {**job, "ID": None, "Name": None if job.get("Name") in (None, name) else job["Name"]}
    return "\n".join(_block("job", (name,), _lines(Job, body, 2), 0)) + "\n"


def _block(kind: str, labels: tuple[str, ...], lines: list[str], indent: int) -> list[str]:
    pad = " " * indent
    header = " ".join([kind, *(quoted_text(label, label=True) for label in labels)])
    return [f"{pad}{header} {{", *lines, f"{pad}}}"] if lines else [f"{pad}{header} {{}}"]


def _lines(kind: type, body: Mapping[str, Any], indent: int) -> list[str]:
    """The inside of a block: attributes first, then the blocks with an empty line before each."""
    pairs: list[tuple[str, str]] = []
    blocks: list[list[str]] = []
    for row in rows(kind):
        item = body.get(row.json)
        if row.shape is Shape.ATTRIBUTE:
            if (item is not None and item != row.unset) or row.required:
                pairs.append((row.hcl, _attribute(row, item, indent)))
        elif row.json == "Identity" and kind is Task:
            if item is not None:
                blocks.append(_block("identity", (), _lines(Identity, item, indent + 2), indent))
        elif item is not None:
            blocks += _blocks(kind, row, item, indent)
    parts = [aligned(pairs, indent)] if pairs else []
    return _apart([*parts, *blocks])


def _apart(parts: list[list[str]]) -> list[str]:
    lines: list[str] = []
    for part in parts:
        if lines:
            lines.append("")
        lines += part
    return lines


def _attribute(row: Row, item: Any, indent: int) -> str:
    if row.kind is Kind.DURATION:
        return quoted_text(format_duration(item or 0))
    if item is None:
        return {Kind.FLAG: "false", Kind.TEXT: '""'}.get(row.kind, "null")
    return value(item, indent)


def _blocks(kind: type, row: Row, item: Any, indent: int) -> list[list[str]]:
    match row.shape:
        case Shape.MAP_BLOCK:
            return [_map(kind, row, item, indent)]
        case Shape.BLOCK:
            assert row.block is not None
            return [_block(row.hcl, (), _lines(row.block, _scaling_default(kind, row, item), indent + 2), indent)]
        case Shape.BLOCK_MAP:
            assert row.block is not None
            inner = indent + 2
            return [_block(row.hcl, (name,), _lines(row.block, each, inner), indent) for name, each in item.items()]
        case Shape.BLOCKS:
            assert row.block is not None
            return [_one_of_many(kind, row, row.block, each, indent) for each in item]
    return []


def _scaling_default(kind: type, row: Row, item: Mapping[str, Any]) -> Mapping[str, Any]:
    if kind is Group and row.block is Scaling and item.get("Type") == "horizontal":
        return {**item, "Type": ""}
    return item


def _one_of_many(kind: type, row: Row, block: type, item: Mapping[str, Any], indent: int) -> list[str]:
    name = row.hcl
    label = label_of(block)
    labels: tuple[str, ...] = (str(item.get(label.json) or ""),) if label is not None else ()
    if kind is Network and item.get("Value", 0) > 0:
        # Both kinds of port are written `port`; the number tells them apart.
        name = "port"
    if kind is Task and block is Scaling:
        labels = (str(item.get("Type", "")).removeprefix("vertical_"),)
        item = {**item, "Type": ""}
    return _block(name, labels, _lines(block, item, indent + 2), indent)


def _map(kind: type, row: Row, item: Mapping[str, Any], indent: int) -> list[str]:
    if row.kind is Kind.FREE:
        return _block(row.hcl, (), _free(row.hcl, item, indent + 2), indent)
    if all(IDENTIFIER.fullmatch(key) for key in item):
        return _block(
            row.hcl, (), aligned([(key, value(each, indent + 2)) for key, each in item.items()], indent + 2), indent
        )
    if (kind, row.json) not in _ATTRIBUTE_MAPS:
        raise _unwritable(row.hcl, item)
    return aligned([(row.hcl, value(dict(item), indent))], indent)


def _free(where: str, body: Mapping[str, Any], indent: int) -> list[str]:
    """Free-form content. A list of objects is written as blocks: that is how Nomad reads blocks."""
    if not all(IDENTIFIER.fullmatch(key) for key in body):
        raise _unwritable(where, body)
    pairs: list[tuple[str, str]] = []
    blocks: list[list[str]] = []
    for key, item in body.items():
        if _as_blocks(item):
            blocks += [_block(key, (), _free(key, each, indent + 2), indent) for each in item]
        elif isinstance(item, Mapping):
            # A bare object would be read as a list of one.
            pairs.append((key, f"({value(dict(item), indent)})"))
        else:
            pairs.append((key, value(item, indent)))
    parts = [aligned(pairs, indent)] if pairs else []
    return _apart([*parts, *blocks])


def _as_blocks(item: Any) -> bool:
    return (
        isinstance(item, list | tuple)
        and bool(item)
        and all(isinstance(each, Mapping) and all(IDENTIFIER.fullmatch(key) for key in each) for each in item)
    )


def _unwritable(where: str, body: Mapping[str, Any]) -> InvalidDesired:
    names = ", ".join(sorted(repr(key) for key in body if not IDENTIFIER.fullmatch(key)))
    message = f"a `{where}` block of HCL cannot hold the name {names}"
    return InvalidDesired(
        (Problem("job", message=message),), hint="Use letters, digits, `_` and `-`, or keep the job as JSON."
    )
