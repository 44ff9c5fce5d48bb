"""The settings as rows for people and for `settings --json`: name, value (secrets masked), origin, meaning."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from nomad_operator.news.notice import Kind as News
from nomad_operator.settings import Settings
from nomad_operator.settings_load import Loaded

MASK = "********"


def rows(loaded: Loaded) -> list[dict[str, Any]]:
    """One dict a setting, in the order in which they are declared: `name`, `value`, `default` (both None where there
    is none), `source`, `unit`, `allowed`, `meaning`. A secret's value is the mask."""
    shown = []
    for field, info in Settings.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        shown.append({
            "name": info.validation_alias,
            "value": _plain(getattr(loaded.settings, field)),
            "default": _plain(info.default),
            "source": loaded.origins[field],
            "unit": extra.get("unit", ""),
            "allowed": extra.get("allowed", ""),
            "meaning": info.description,
        })  # fmt: skip
    return shown


def _plain(value: Any) -> str | int | float | bool | list[str] | None:
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        return int(seconds) if seconds.is_integer() else seconds
    if isinstance(value, tuple):
        return [str(part) for part in value]
    if isinstance(value, frozenset) and value == frozenset(News):
        return "all"
    if isinstance(value, frozenset):
        return ",".join(sorted(str(part) for part in value)) or "safe"
    if isinstance(value, dict):
        return ",".join(f"{name}={number}" for name, number in sorted(value.items()))
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)
