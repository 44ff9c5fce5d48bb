"""Reading Nomad's JSON without trusting it: absent and null are the zero value of the type, as in Nomad's own structs.

What is of another type than Nomad sends raises Unintelligible, so that half an answer is never taken for a whole one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION = re.compile(r"\.(\d{6})\d+")

Json = Mapping[str, Any]


class Unintelligible(ValueError):
    """An answer of another shape than Nomad's; the message names the place, never a value."""


def mapping(value: Any, where: str) -> Json:
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise Unintelligible(f"{where} is {_kind(value)}, not an object")


def sequence(value: Any, where: str) -> Sequence[Any]:
    if value is None:
        return ()
    if isinstance(value, list):
        return value
    raise Unintelligible(f"{where} is {_kind(value)}, not a list")


def text(holder: Json, key: str) -> str:
    value = holder.get(key)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise Unintelligible(f"{key} is {_kind(value)}, not text")


def needed(holder: Json, key: str) -> str:
    """A text without which the object means nothing, such as an id."""
    value = text(holder, key)
    if not value:
        raise Unintelligible(f"{key} is missing")
    return value


def number(holder: Json, key: str) -> int:
    value = holder.get(key)
    if value is None:
        return 0
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Unintelligible(f"{key} is {_kind(value)}, not a whole number")


def numbers(holder: Json, key: str) -> dict[str, int]:
    """A map of whole numbers; those that are none are left out."""
    return {name: value for name, value in mapping(holder.get(key), key).items() if isinstance(value, int)}


def flag(holder: Json, key: str) -> bool:
    return holder.get(key) is True


def instant(value: Any) -> datetime | None:
    """A time as Nomad sends it, whole microseconds: nanoseconds since 1970, or RFC 3339. None for its zero times."""
    try:
        if isinstance(value, int) and value > 0:
            return _EPOCH + timedelta(microseconds=value // 1000)
        if isinstance(value, str) and value and not value.startswith("0001-"):
            return datetime.fromisoformat(_FRACTION.sub(r".\1", value)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unintelligible("a time is none") from error
    return None


def _kind(value: Any) -> str:
    return {bool: "a truth value", str: "text", list: "a list", dict: "an object"}.get(type(value), "a number")
