"""Whether the JSON of a job can be decoded at all, and Go's words where it cannot: answered with 400 before any rule.

Unknown fields are no mistake: Nomad does not look for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nomad_operator.embedded.shapes import SHAPES

_DURATIONS = frozenset(
    {
        "Stagger", "MinHealthyTime", "HealthyDeadline", "ProgressDeadline", "KillTimeout", "Interval", "Delay",
        "MaxDelay", "Timeout", "Grace", "ShutdownDelay", "MaxRunDuration", "StopAfterClientDisconnect",
        "MaxClientDisconnect", "LostAfter", "StopOnClientAfter", "Splay", "VaultGrace", "Min", "Max", "TTL",
    }
)  # fmt: skip
_UNSIGNED = frozenset({"Version", "CreateIndex", "ModifyIndex", "JobModifyIndex"})


def decoding_error(job: Mapping[str, Any]) -> str:
    """The first field whose type is wrong, as Go tells it; empty if all can be decoded."""
    return next(_errors("Job", job, "Job", "Job", ""), "")


def _errors(kind: str, value: Any, struct: str, path: str, name: str) -> Iterator[str]:
    """`struct` and `path` name the field in Go's way: the struct that holds it, and where it is from the body on."""
    if value is None or kind == "any":
        return
    if kind.startswith("["):
        if not isinstance(value, list):
            yield _told(value, struct, path, f"[]{_go(kind[1:-1], name)}")
            return
        for inner in value:
            yield from _errors(kind[1:-1], inner, struct, path, name)
    elif kind.startswith("{"):
        if not isinstance(value, Mapping):
            yield _told(value, struct, path, f"map[string]{_go(kind[1:-1], name)}")
            return
        for inner in value.values():
            yield from _errors(kind[1:-1], inner, struct, path, name)
    elif kind in SHAPES:
        if not isinstance(value, Mapping):
            yield _told(value, struct, path, f"api.{kind}")
            return
        fields = {field.name: field for field in SHAPES[kind] if field.api}
        # In the order of the body, as Go meets them.
        for key, inner in value.items():
            if key in fields:
                yield from _errors(fields[key].kind, inner, kind, f"{path}.{key}", key)
    elif not _fits(kind, value):
        yield _told(value, struct, path, _go(kind, name))


def _fits(kind: str, value: Any) -> bool:
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, {"str": str, "bool": bool}.get(kind, object))


def _go(kind: str, name: str) -> str:
    if kind == "int":
        return "time.Duration" if name in _DURATIONS else "uint64" if name in _UNSIGNED else "int"
    return {"str": "string", "bool": "bool", "any": "interface {}"}.get(kind, f"*api.{kind}")


def _told(value: Any, struct: str, path: str, wanted: str) -> str:
    found = "number"
    for type_, word in ((bool, "bool"), (str, "string"), (list, "array"), (dict, "object")):
        if isinstance(value, type_):
            found = word
            break
    return f"json: cannot unmarshal {found} into Go struct field {struct}.{path} of type {wanted}"
