"""Makes answers of two servers comparable: what differs from run to run is replaced by a word for its kind.

Kept: every key, every type, every status and every word. Replaced: ids, indexes, times, dynamic ports, addresses,
paths, measured durations, amounts that a machine measures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TEXT = (
    (_ID, "<id>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<hash>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"), "<time>"),
    (re.compile(r"\b(periodic|dispatch)-\d{10}(-[0-9a-f]{8})?\b"), r"\1-<child>"),
    (re.compile(r"\bv1:\d{15,}\b"), "<class>"),
    (re.compile(r"restarting in (\d+(\.\d+)?(h|ms|µs|m|s))+"), "restarting in <duration>"),
    (re.compile(r"\b\d+\.\d+(ms|µs|s)\b"), "<duration>"),
    (re.compile(r"(127\.0\.0\.1|localhost|172\.\d+\.\d+\.\d+|\[::1\]):[1-9]\d{4}\b"), "<address>"),
    (re.compile(r"(?<=[\s\"(=:])(/(var|tmp|opt)/[^\s\":)]*|<data_dir>[^\s\":)]*|<path>[^\s\":)]*)"), "<path>"),
    (re.compile(r"(conflicting job modify index: |Enforcing job modify index )[1-9]\d\d+"), r"\1<n>"),
    (re.compile(r"conflicting job modify index: \d+"), "conflicting job modify index: <n>"),
    (re.compile(r"on (<dns>|[\d.]+):53"), "on <dns>:53"),
    (re.compile(r"eyJ[\w-]{10,}\.[\w-]+\.[\w-]+|<jwt>"), "<jwt>"),
    (re.compile(r"\b(pid|PID) \d+"), "pid <n>"),
)

_INDEX = re.compile(r"(Index|IndexCreated)$")
_TIME = re.compile(
    r"(Time|Timestamp|StartedAt|FinishedAt|RequireProgressBy|LastRestart|StatusUpdatedAt|Expires|WaitUntil)$"
)
_MEASURED = frozenset(
    {"AllocationTime", "SchedulingTime", "NormScore", "Score", "SnapshotIndex", "LastContact", "StartDelay"}
)
_MACHINE = frozenset({"NodeName"})
_NEVER = ("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z")


def normalised(value: Any, key: str = "") -> Any:
    """A copy fit for comparing; `key` is the field that the value stands in."""
    if isinstance(value, Mapping):
        if key == "Scores":
            return dict.fromkeys(sorted(value), "<n>")
        return {_text(name): normalised(inner, name) for name, inner in sorted(value.items())}
    if isinstance(value, list):
        return _ordered([normalised(inner, key) for inner in _by_creation(value)], key)
    if key in _MEASURED and isinstance(value, int | float):
        return "<n>"
    if isinstance(value, float) and value != int(value):
        return "<n>"
    if key == "start_delay":
        return "<n>"
    if key in _MACHINE and isinstance(value, str):
        return "<machine>" if value else ""
    if isinstance(value, bool) or value is None:
        return value
    if _INDEX.search(key) and isinstance(value, int):
        return "<index>" if value else 0
    if _TIME.search(key) and isinstance(value, int | str):
        return "<time>" if value and value not in _NEVER else "<never>"
    if isinstance(value, int) and key in ("Value", "Port") and value >= 20_000:
        return "<port>"
    if isinstance(value, str):
        return _text(value)
    # Go's JSON writes a whole float as 1.0 or 1 by where it comes from.
    return int(value) if isinstance(value, float) and value == int(value) else value


@lru_cache(maxsize=50_000)
def _text(text: str) -> str:
    for pattern, word in _TEXT:
        text = pattern.sub(word, text)
    if "failed to parse config" in text:
        # The driver walks over a Go map: its complaints come in any order.
        first, *items = text.rstrip("\n").split("\n\t* ")
        text = "\n\t* ".join([first, *sorted(items)])
    return text


def _by_creation(items: list[Any]) -> list[Any]:
    """Nomad orders lists of allocations and evaluations by their random ids."""
    if items and all(
        isinstance(item, Mapping) and "CreateIndex" in item and _ID.match(str(item.get("ID"))) for item in items
    ):
        return sorted(items, key=lambda item: (item["CreateIndex"], item.get("Name", ""), item["ID"]))
    return items


def _ordered(items: list[Any], key: str) -> list[Any]:
    """Nomad's plan diff walks over Go's maps: equal names stand in any order."""
    if key in ("Allocs", "ChildStatuses"):
        # Of statuses: in the order of their random ids.
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
    if key == "Objects":
        return sorted(items, key=lambda item: (item["Name"], json.dumps(item, sort_keys=True)))
    return items
