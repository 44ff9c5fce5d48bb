"""What differs between two jobs, as the leaves of a plan's diff read: what somebody changed before it failed. Pure.

The values are as they stand in the jobs: whoever shows them takes the secrets out first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from desired.state import JobBody
from observers.running import FieldChange

# More than this is another job, not a change of one.
_MOST = 60
_LONGEST = 400
# Said in the path without the name of the list: `web/app/Resources/MemoryMB`.
_LEVELS = frozenset({"TaskGroups", "Tasks"})
_NAMES = ("Name", "Label", "DestPath", "LTarget")
# Nothing of a job as it is written: Nomad counts them.
_COUNTED = frozenset(
    {"Version", "ModifyIndex", "CreateIndex", "JobModifyIndex", "SubmitTime", "Stable", "Status", "StatusDescription"}
)


def job_changes(before: JobBody, after: JobBody) -> tuple[FieldChange, ...]:
    """At most sixty, in the order of the job; what is not set is the same as what is empty."""
    found: list[FieldChange] = []
    for change in _changes(before, after, ""):
        found.append(change)
        if len(found) == _MOST:
            break
    return tuple(found)


def _changes(before: Any, after: Any, path: str) -> Iterator[FieldChange]:
    if not before and not after and before is not False and after is not False:
        return
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        old, new = _mapping(before), _mapping(after)
        for name in dict.fromkeys([*old, *new]):
            if name not in _COUNTED:
                yield from _changes(old.get(name), new.get(name), _below(path, str(name)))
    elif _named(before) or _named(after):
        old_by, new_by = _by_name(before), _by_name(after)
        for name in dict.fromkeys([*old_by, *new_by]):
            yield from _changes(old_by.get(name), new_by.get(name), _member(path, name))
    elif before != after:
        yield FieldChange(path=path, old=_text(before), new=_text(after))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _below(path: str, name: str) -> str:
    inner = path.rpartition("/")[2]
    if inner in ("Env", "Meta"):
        return f"{path}[{name}]"
    return f"{path}/{name}" if path else name


def _member(path: str, name: str) -> str:
    head, _, last = path.rpartition("/")
    if last in _LEVELS:
        return f"{head}/{name}" if head else name
    return f"{path}[{name}]"


def _named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _by_name(value: Any) -> dict[str, Any]:
    """Members of a list by their own name; a second one of a name, or one without, by its place."""
    found: dict[str, Any] = {}
    for place, one in enumerate(value if isinstance(value, list) else ()):
        name = next((str(one[key]) for key in _NAMES if isinstance(one, Mapping) and one.get(key)), "")
        found[name if name and name not in found else str(place)] = one
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 1]}…"
