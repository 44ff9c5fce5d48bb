"""Points in time as Nomad counts them: nanoseconds since 1970, so that nothing is lost in a float."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_datetime(at: datetime) -> int:
    """Exact to the microsecond that a datetime holds."""
    return ((at - _EPOCH) // timedelta(microseconds=1)) * 1000


def to_datetime(at: int) -> datetime:
    """Rounded up to a microsecond: what is due at the instant is due at the datetime."""
    return _EPOCH + timedelta(microseconds=-(-at // 1000))


def rfc3339(at: int) -> str:
    """As Go writes a time in JSON: nanoseconds without their trailing zeros."""
    seconds, rest = divmod(at, SECOND)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{rest:09}".rstrip("0")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


def at_or_none(at: int | None) -> str | None:
    """A time in JSON: null where it has not come."""
    return None if at is None else rfc3339(at)
