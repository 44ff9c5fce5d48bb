"""Values of a plan's diff as people write them. Pure."""

from __future__ import annotations

import re

from desired.job.duration import format_duration

# Nomad tells every span of time in nanoseconds. Source: nomad/structs (time.Duration), nomad/structs/diff.go.
_SPANS = frozenset(
    re.findall(
        r"\w+",
        "ConnectTimeout Deadline Delay Grace HealthTimeout HealthyDeadline Interval KillTimeout LostAfter "
        "MaxClientDisconnect MaxDelay MaxRunDuration MinHealthyTime ProgressDeadline ShutdownDelay Splay Stagger "
        "StopAfterClientDisconnect StopOnClientAfter TTL Timeout VaultGrace",
    )
)
# Also names of plain numbers, which are never so large.
_SPANS_OR_NUMBERS = frozenset({"Min", "Max"})
_MILLISECOND = 1_000_000
_WHOLE = re.compile(r"-?\d{1,19}")


def readable(name: str, value: str) -> str:
    """The value of a field with this name, the last part of its path: spans with their unit, all else as it is."""
    if not _WHOLE.fullmatch(value):
        return value
    number = int(value)
    if name in _SPANS and (number == 0 or abs(number) >= _MILLISECOND):
        return format_duration(number)
    if name in _SPANS_OR_NUMBERS and abs(number) >= _MILLISECOND:
        return format_duration(number)
    return value
