"""Writes an operation into a job file in the API's JSON, where writing it anew changes nothing else of the text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from desired.operations.apply import apply
from desired.operations.not_literal import NotLiteral
from desired.operations.operation import Operation

_INDENT = re.compile(r"\n([ \t]+)\S")
_END = re.compile(r"\s*\Z")


def edit_json(text: str, operation: Operation) -> str:
    """Raises NotLiteral where the text is written otherwise than any writer of JSON does, PreconditionGone."""
    given = json.loads(text)
    wrapped = isinstance(given, dict) and isinstance(given.get("Job"), dict)
    body = given["Job"] if wrapped else given
    if not isinstance(body, dict) or "taskgroups" not in {key.lower() for key in body}:
        raise NotLiteral(operation, "a job language job in JSON is not edited")
    made = _without_new_nulls(apply(body, (operation,)), body)
    after = {**given, "Job": made} if wrapped else made
    for written_before, written_after in _writings(text, given, after):
        if written_before == text:
            return written_after
    raise NotLiteral(operation, "this JSON is laid out by hand, and rewriting it would change more than the value")


def _writings(text: str, before: Any, after: Any) -> Iterator[tuple[str, str]]:
    end = _END.search(text)
    tail = end.group() if end is not None else ""
    found = _INDENT.search(text)
    layouts: list[dict[str, Any]] = [{"indent": found[1]}] if found is not None else []
    layouts += [{"indent": None}, {"indent": None, "separators": (",", ":")}]
    for layout in layouts:
        for ascii_only in (False, True):
            yield (
                json.dumps(before, ensure_ascii=ascii_only, **layout) + tail,
                json.dumps(after, ensure_ascii=ascii_only, **layout) + tail,
            )


def _without_new_nulls(value: Any, before: Any) -> Any:
    """A block that is new says nothing of what it does not set; what stood there stays."""
    if isinstance(value, Mapping):
        was = before if isinstance(before, Mapping) else None
        return {
            key: _without_new_nulls(each, None if was is None else was.get(key))
            for key, each in value.items()
            if each is not None or (was is not None and key in was)
        }
    if isinstance(value, list):
        others = before if isinstance(before, list) else []
        return [
            _without_new_nulls(each, others[index] if index < len(others) else None) for index, each in enumerate(value)
        ]
    return value
