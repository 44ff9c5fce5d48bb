"""A plan's diff as people read it, in the manner of `nomad job plan`: markers, blocks in braces, updates in brackets.

Only what changes is shown; Nomad's diff also holds the unchanged fields of a changed block. What a whole job, group or
task is made of is not shown when it comes or goes. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from observers.nomad.answers import Json, mapping, sequence, text
from observers.nomad.plan_values import readable

_MARKERS = {"Added": "+", "Deleted": "-", "Edited": "+/-"}
_WIDTH = 4  # the widest marker and a space


def diff_text(diff: Json) -> str:
    """Several lines, without one at the end that is empty. Values are quoted as JSON, long ones whole."""
    return "\n".join(_job_lines(diff))


def _job_lines(diff: Json) -> Iterator[str]:
    yield _line(diff, 0, f'Job: "{text(diff, "ID")}"')
    yield from _edits(diff, 1)
    for group in _objects(diff, "TaskGroups"):
        if _changed(group) or group.get("Updates"):
            yield _line(group, 0, f'Task Group: "{text(group, "Name")}"{_updates(group)}')
            yield from _edits(group, 1)
            for task in _objects(group, "Tasks"):
                if _changed(task):
                    yield _line(task, 1, f'Task: "{text(task, "Name")}"{_annotations(task)}')
                    yield from _edits(task, 2)


def _edits(holder: Json, depth: int) -> Iterator[str]:
    if text(holder, "Type") == "Edited":
        yield from _content(holder, depth)


def _content(holder: Json, depth: int) -> Iterator[str]:
    fields = [field for field in _objects(holder, "Fields") if _changed(field)]
    width = max((len(text(field, "Name")) for field in fields), default=0)
    for field in fields:
        name = f"{text(field, 'Name')}:"
        yield _line(field, depth, f"{name:<{width + 1}} {_values(field)}{_annotations(field)}")
    for inner in _objects(holder, "Objects"):
        if _changed(inner):
            yield _line(inner, depth, f"{text(inner, 'Name')} {{")
            yield from _content(inner, depth + 1)
            yield "  " * depth + " " * _WIDTH + "}"


def _values(field: Json) -> str:
    name = text(field, "Name")
    old, new = (json.dumps(readable(name, text(field, key)), ensure_ascii=False) for key in ("Old", "New"))
    return {"Added": new, "Deleted": old}.get(text(field, "Type"), f"{old} => {new}")


def _updates(group: Json) -> str:
    updates = mapping(group.get("Updates"), "Updates")
    return f" ({', '.join(f'{updates[kind]} {kind}' for kind in sorted(updates))})" if updates else ""


def _annotations(holder: Json) -> str:
    annotations = sequence(holder.get("Annotations"), "Annotations")
    return f" ({', '.join(str(one) for one in annotations)})" if annotations else ""


def _line(holder: Json, depth: int, content: str) -> str:
    return f"{'  ' * depth}{_MARKERS.get(text(holder, 'Type'), ''):<{_WIDTH}}{content}".rstrip()


def _changed(holder: Json) -> bool:
    return text(holder, "Type") in _MARKERS


def _objects(holder: Json, key: str) -> list[dict[str, Any]]:
    return [dict(mapping(value, key)) for value in sequence(holder.get(key), key)]
