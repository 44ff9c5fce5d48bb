"""An operation as the overlay of `status --json`, the record and the API say it: `op`, `path`, `from`, `to`.

Reading is strict: what was written by somebody else, or by a newer version, is refused and never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from desired.errors import TerminalError
from desired.operations.operation import Kind, Operation, Value
from desired.operations.shown import arguments
from desired.operations.shown import value as shown_value
from desired.operations.table import Scope, fits, fits_address, row
from desired.reasons import Reason

_NAMES = frozenset({"op", "path", "from", "to"})
_BAD_ESCAPE = re.compile(r"~(?![01])")


class OperationUnreadable(TerminalError):
    """What should be an operation is none. No value of it is in the message."""

    reason = Reason.UNSUPPORTED

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="Operations are written by nomad-operator; was this one by a newer version?")


def to_json(operation: Operation) -> dict[str, Any]:
    """`from` and `to` are values of Nomad's API JSON, null where there is none."""
    return {
        "op": operation.kind.value,
        "path": operation.path,
        "from": _plain(operation.old),
        "to": _plain(operation.new),
    }


def to_shown_json(operation: Operation) -> dict[str, Any]:
    """The same for people: what may be a secret is hidden, so that it cannot be read back."""
    told = to_json(operation)
    for name, value in (("from", operation.old), ("to", operation.new)):
        if isinstance(value, tuple):
            told[name] = arguments(value)
        elif isinstance(value, str) and value:
            told[name] = shown_value(operation, value)
    return told


def from_json(told: object) -> Operation:
    """Exactly what `to_json` writes; raises OperationUnreadable."""
    if not isinstance(told, Mapping):
        raise OperationUnreadable(f"an operation is an object, not {type(told).__name__}")
    wrong = sorted(map(str, told.keys() ^ _NAMES))
    if wrong:
        raise OperationUnreadable(
            f"an operation has exactly op, path, from and to; wrong or missing: {', '.join(wrong)}"
        )
    name = told["op"]
    if not isinstance(name, str) or name not in set(Kind):
        raise OperationUnreadable("an operation of a kind that is not known")
    kind = Kind(name)
    at = _address(told["path"])
    if not at and row(kind).scope is not Scope.JOB:
        # One name that is empty: a constraint without an attribute.
        at = ("",)
    if not fits_address(row(kind), at):
        raise OperationUnreadable(f"{kind.value}: the path has {len(at)} parts, which name no {row(kind).scope.value}")
    return Operation(kind, at, _value(kind, told["from"], "from"), _value(kind, told["to"], "to"))


def _address(path: object) -> tuple[str, ...]:
    if not isinstance(path, str):
        raise OperationUnreadable(f"the path of an operation is a text, not {type(path).__name__}")
    if _BAD_ESCAPE.search(path):
        raise OperationUnreadable("in the path of an operation, `~` is written `~0` and a `/` in a name `~1`")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in path.split("/")) if path else ()


def _value(kind: Kind, told: object, name: str) -> Value:
    value: Value
    if told is None or isinstance(told, bool | int | str):
        value = told
    elif isinstance(told, list) and all(isinstance(each, str) for each in told):
        value = tuple(told)
    else:
        raise OperationUnreadable(f"{kind.value}: `{name}` is neither text, whole number, flag, list of texts nor null")
    if not fits(row(kind), value):
        raise OperationUnreadable(f"{kind.value}: `{name}` is no {row(kind).type.value}")
    return value


def _plain(value: Value) -> object:
    return list(value) if isinstance(value, tuple) else value
