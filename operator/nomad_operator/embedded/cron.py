"""When a cron expression is due next: five fields, or seven with seconds first and years last, with names, ranges,
steps and lists, and the usual macros.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_MACROS: Mapping[str, str] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_BOUNDS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 7), (1970, 2099))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FAR = timedelta(days=5 * 366)


def next_launch(specs: Sequence[str], zone: str, after: datetime) -> datetime | None:
    """The earliest launch after that moment; None if none of them can be read or comes within five years."""
    due = [found for spec in specs if (found := _next(spec, zone, after)) is not None]
    return min(due, default=None)


def _next(spec: str, zone: str, after: datetime) -> datetime | None:
    fields = _MACROS.get(spec.strip(), spec).split()
    if len(fields) in (5, 6):
        fields = ["0", *fields]
    if len(fields) == 6:
        fields.append("*")
    if len(fields) != len(_BOUNDS):
        return None
    try:
        seconds, minutes, hours, days, months, weekdays, years = (
            _values(field, low, high) for field, (low, high) in zip(fields, _BOUNDS, strict=True)
        )
    except ValueError:
        return None
    weekdays = {day % 7 for day in weekdays}
    # Where both days are given, either will do.
    either = fields[3] != "*" and fields[5] != "*"
    where = ZoneInfo("UTC" if zone in ("", "Local") else zone)
    at = after.astimezone(where).replace(microsecond=0) + timedelta(seconds=1)
    end = at + _FAR
    while at < end:
        by_day, by_weekday = at.day in days, at.isoweekday() % 7 in weekdays
        on_that_day = (by_day or by_weekday) if either else (by_day and by_weekday)
        if at.year not in years or at.month not in months or not on_that_day:
            at = (at + timedelta(days=1)).replace(hour=0, minute=0, second=0)
        elif at.hour not in hours:
            at = (at + timedelta(hours=1)).replace(minute=0, second=0)
        elif at.minute not in minutes:
            at = (at + timedelta(minutes=1)).replace(second=0)
        elif at.second not in seconds:
            at += timedelta(seconds=1)
        else:
            return at
    return None


def _values(field: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for part in field.lower().split(","):
        span, _, step = part.partition("/")
        if span in ("*", "?"):
            first, last = low, high
        else:
            begin, dash, end = span.partition("-")
            first = _number(begin)
            last = _number(end) if dash else (high if step else first)
        found.update(range(first, last + 1, int(step or 1)))
    return found


def _number(text: str) -> int:
    if text in _MONTHS:
        return _MONTHS.index(text) + 1
    return _DAYS.index(text) if text in _DAYS else int(text)
