"""Durations as Go writes and reads them: `1h30m`, `250ms`."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([^0-9.]*)")
_LIMIT = 2**63


class DurationError(ValueError):
    """Not a duration, in the words of Go's `time.ParseDuration`."""


def parse_duration(text: str) -> int:
    """Nanoseconds. Raises DurationError.

    Source: Go's time package, whose words Nomad passes on.
    """
    shown = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    total = Decimal(0)
    if not rest:
        raise DurationError(f"time: invalid duration {shown}")
    while rest:
        part = _PART.match(rest)
        if part is None or len(part[1]) > 40:
            raise DurationError(f"time: invalid duration {shown}")
        if not part[2]:
            raise DurationError(f"time: missing unit in duration {shown}")
        if part[2] not in _UNITS:
            raise DurationError(f'time: unknown unit "{part[2]}" in duration {shown}')
        total += Decimal(part[1]) * _UNITS[part[2]]
        rest = rest[part.end() :]
    if total >= _LIMIT:
        raise DurationError(f"time: invalid duration {shown}")
    return -int(total) if text.startswith("-") else int(total)


def format_duration(nanoseconds: int) -> str:
    """The shortest way people write it: `90s` stays seconds, whole minutes and hours are told as such."""
    if nanoseconds == 0:
        return "0s"
    sign, left = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    for unit in ("h", "m", "s", "ms", "us"):
        if left % _UNITS[unit] == 0:
            return f"{sign}{left // _UNITS[unit]}{unit}"
    return f"{sign}{left}ns"
