"""An operation in one readable line, and several as a diff of the job: both without secrets, for everybody to see."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from desired.errors import InvalidDesired
from desired.job.api_json import from_json, to_json
from desired.job.hcl_write import to_hcl
from desired.operations import shown
from desired.operations.apply import apply
from desired.operations.operation import Kind, Operation
from desired.operations.table import How, Scope, row
from desired.secret_literals import secret_by_name, secret_kind
from desired.state import JobBody


def line(operation: Operation) -> str:
    """`memory of web/app: 64 MB → 128 MB`. What may be a secret is not shown."""
    spec = row(operation.kind)
    at = operation.at
    old, new = shown.value(operation, operation.old), shown.value(operation, operation.new)
    if spec.scope is Scope.JOB:
        return f"{spec.reads}: {old} → {new}"
    where = _where(operation)
    if operation.kind is Kind.CONSTRAINT_REMOVAL:
        return f"{where}: {'removed' if operation.new is None else 'added'} ({old if operation.new is None else new})"
    if operation.kind is Kind.PORT_ADDED:
        return f"{where}: removed" if operation.new is None else f"{where}: added, to {new}"
    if operation.kind is Kind.VAULT_ADDED:
        return f"{where}: {'removed' if operation.new is None else 'added'}"
    if operation.kind is Kind.DRIVER_KEY:
        return f"{spec.reads} of {'/'.join(at[:2])}: {old} → {'removed' if operation.new is None else new}"
    if spec.how is How.RENAME:
        return f"{spec.reads} {old} of {'/'.join(at[:-1])}: {old} → {new}"
    if operation.kind is Kind.STATIC_PORT:
        return f"{where}: {_or_dynamic(old)} → {_or_dynamic(new)}"
    return f"{where}: {old} → {new}"


def diff(body: JobBody, operations: Iterable[Operation], *, context: int = 3) -> str:
    """A unified diff of the job as HCL, without secrets; empty where nothing changes. Raises PreconditionGone.

    What is hidden is told apart by what it was and what it is to be, so that its change shows.
    """
    after = apply(body, operations)
    before_text, after_text = _written(_masked(body, after, "old")), _written(_masked(after, body, "new"))
    return "".join(
        difflib.unified_diff(
            before_text.splitlines(keepends=True), after_text.splitlines(keepends=True), "before", "after", n=context
        )
    )


def _where(operation: Operation) -> str:
    spec, at = row(operation.kind), operation.at
    match spec.scope:
        case Scope.GROUP | Scope.TASK:
            return f"{spec.reads} of {'/'.join(at)}"
        case Scope.CONSTRAINT:
            return f"{spec.reads} on {at[-1]}" + (f" of {'/'.join(at[:-1])}" if len(at) > 1 else "")
        case Scope.CHECK:
            return f"{spec.reads} {at[-1]} of service {'/'.join(at[:-1])}"
    return f"{spec.reads} {at[-1]} of {'/'.join(at[:-1])}"


def _or_dynamic(text: str) -> str:
    return "dynamic" if text == "none" else text


def _written(body: JobBody) -> str:
    try:
        return to_hcl(to_json(from_json(body)))
    except (InvalidDesired, ValueError):
        # What HCL cannot say, or a value that Nomad would refuse: still a diff that people can read.
        return json.dumps(body, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _masked(value: Any, other: Any, which: str, name: str = "", within: str = "") -> Any:
    """A copy in which nothing secret is left; `other` is the same place on the other side, to show what differs."""
    if isinstance(value, Mapping):
        sides = other if isinstance(other, Mapping) else {}
        inner = name if name in ("Env", "Meta", "Config") else within
        return {key: _masked(each, sides.get(key), which, str(key), inner) for key, each in value.items()}
    if isinstance(value, list | tuple):
        if value and all(isinstance(each, str) for each in value):
            return _arguments(tuple(value), other, which)
        paired = other if isinstance(other, list | tuple) else ()
        return [_masked(each, _partner(each, index, paired), which, name, within) for index, each in enumerate(value)]
    return _text(value, other, which, name, within) if isinstance(value, str) else value


def _text(value: str, other: Any, which: str, name: str, within: str) -> str:
    if name == "EmbeddedTmpl":
        shown_text = shown.template(value)
        return shown_text if value == other or not _same_shown(value, other) else f"{shown_text}({which})"
    if within == "Env":
        hidden = shown.environment(name, value) == shown.HIDDEN
    else:
        hidden = secret_by_name(name, value) or secret_kind(value) is not None or name == "Payload"
    if not hidden:
        return value
    return shown.HIDDEN if value == other else f"({which} value, hidden)"


def _same_shown(value: str, other: Any) -> bool:
    return isinstance(other, str) and shown.template(value) == shown.template(other)


def _arguments(words: tuple[str, ...], other: Any, which: str) -> list[str]:
    masked = shown.arguments(words)
    paired = list(other) if isinstance(other, list | tuple) else []
    return [
        text
        if text == word or (index < len(paired) and paired[index] == word)
        else text.replace(shown.HIDDEN, f"({which} value, hidden)")
        for index, (text, word) in enumerate(zip(masked, words, strict=True))
    ]


def _partner(each: Any, index: int, others: Any) -> Any:
    """The block of the other side that has the same name, or the same place in the list."""
    if isinstance(each, Mapping):
        for key in ("Name", "Label", "DestPath"):
            if each.get(key):
                found = [one for one in others if isinstance(one, Mapping) and one.get(key) == each[key]]
                if found:
                    return found[0]
    return others[index] if index < len(others) else None
