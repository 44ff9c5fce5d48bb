"""The leaves of a job's JSON, each with a path that does not depend on places in lists, and what differs between two.

A path is made of the API's own names, and of the names of what is in lists: `TaskGroups/web/Tasks/app/Resources/CPU`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

# The operator says these where a job file leaves them out.
_SENT = frozenset({"Namespace"})
# What a thing in a list is called by, the first one that it has.
_NAMES = ("Name", "Label", "LTarget", "DestPath", "GetterSource", "Volume")


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Empty values are no leaves: Nomad does not tell them from absent ones."""
    match value:
        case Mapping():
            for name, inner in value.items():
                yield from leaves(inner, f"{path}/{name}" if path else str(name))
        case list() | tuple() if any(isinstance(one, Mapping) for one in value):
            for number, inner in enumerate(value):
                name = next((str(inner[key]) for key in _NAMES if inner.get(key)), str(number))
                yield from leaves(inner, f"{path}/{name}")
        case list() | tuple() if value:
            yield path, tuple(value)
        case None | "" | 0 | False | [] | ():
            return
        case _:
            yield path, value


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> frozenset[str]:
    """The paths of all leaves that are not the same."""
    old, new = dict(leaves(before)), dict(leaves(after))
    return frozenset(path for path in (old.keys() | new.keys()) - _SENT if old.get(path) != new.get(path))


def outside(paths: frozenset[str], allowed: tuple[str, ...]) -> frozenset[str]:
    """Those that no pattern allows."""
    return frozenset(path for path in paths if not any(fnmatchcase(path, pattern) for pattern in allowed))
